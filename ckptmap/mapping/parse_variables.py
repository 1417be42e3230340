"""The rules of one table file: kinds, layers, variables, drop and init."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ckptmap.basics.nearest import did_you_mean
from ckptmap.mapping.model import (
    Case,
    DropRule,
    InitRule,
    InitValue,
    Kind,
    Last,
    LayerRule,
    Leaf,
    PerClass,
    TargetPart,
    VariableRule,
)
from ckptmap.mapping.ops_branches import Branch, Branches
from ckptmap.mapping.parse_ops import (
    check_arity,
    check_target_lengths,
    for_target,
    parse_ops,
    refuse_target_lengths,
)
from ckptmap.mapping.parse_where import check_used, parse_where
from ckptmap.mapping.patterns import (
    Pattern,
    PatternError,
    Placeholder,
    Template,
    join_pattern,
    join_template,
    parse_pattern,
    parse_template,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.mapping.ops import Op
    from ckptmap.mapping.yamlnodes import Document, Node

_LAYER = ("from", "to", "as", "last", "where", "per_class", "optional", "shared", "or_drop")
_MAY_LACK = "optional"
"""``background: optional``: a target may lack the background."""
_VARIABLE = ("from", "to", "ops", "group", "where", "per_class", "optional", "shared", "or_drop")
_WORDS = ("zeros", "ones", "initializer")


@dataclass(slots=True)
class Scope:
    """The placeholders a table declares, and which of them its rules have used so far."""

    doc: Document
    declared: Mapping[str, Placeholder]
    used: set[str] = field(default_factory=set)
    patterns: set[Node] = field(default_factory=set)
    """What was read as a pattern: where it is the target too, no `to` is written."""

    def pattern(self, node: Node, what: str) -> Pattern | None:
        """The pattern a node holds."""
        text = self.doc.text(node, what)
        if text is None:
            return None
        try:
            pattern = parse_pattern(text, self.declared)
        except PatternError as error:
            self.doc.error(node, str(error), error.hint)
            return None
        self.used |= pattern.names
        self.patterns.add(node)
        return pattern

    def template(self, node: Node, what: str, bound: frozenset[str]) -> Template | None:
        """The target name a node holds, over the placeholders that the source pattern binds."""
        text = self.doc.text(node, what)
        if text is None:
            return None
        try:
            template = parse_template(text, self.declared, same=node in self.patterns)
        except PatternError as error:
            self.doc.error(node, str(error), error.hint)
            return None
        self.used |= template.names
        for name in sorted(template.names - bound):
            self.doc.error(node, f"{{{name}}} is in {what}, but not in `from`", "only what is matched can be used")
        return template if template.names <= bound else None

    def inner(self, node: Node | None) -> Scope:
        """The scope of a rule with a ``where`` of its own."""
        return Scope(self.doc, {**self.declared, **parse_where(self.doc, node)}) if node is not None else self

    def close(self, node: Node | None, inner: Scope) -> None:
        """Take over what a rule used; note what it declared in vain."""
        if inner is not self:
            check_used(self.doc, node, inner.declared, inner.used)
            self.used |= inner.used


def parse_kinds(doc: Document, node: Node | None) -> dict[str, Kind]:
    """The ``kinds`` of a table by name."""
    if node is None:
        return {}
    kinds = {}
    for name, (key, value) in (doc.pairs(node, "`kinds`") or {}).items():
        if _has_rules(value):
            kinds[name] = _kind_of_rules(doc, name, key, value)
            continue
        leaves = [_leaf(doc, text, *pair) for text, pair in (doc.pairs(value, f'kind "{name}"') or {}).items()]
        known = {leaf.source: leaf for leaf in leaves if leaf is not None}
        if not leaves:
            doc.error(key, f'kind "{name}" has no leaves')
        elif len(known) < len(leaves) and None not in leaves:
            doc.error(key, f'kind "{name}" names a leaf twice, with and without "?"')
        targets = [name for leaf in known.values() for name in (leaf.target, *leaf.others)]
        for target in sorted({text for text in targets if targets.count(text) > 1}):
            doc.error(key, f'kind "{name}" maps two leaves to "{target}"')
        kinds[name] = Kind(name, known, doc.ref(key))
    return kinds


def _has_rules(node: Node) -> bool:
    """Whether a kind is ``{variables: [rules]}``."""
    pairs = node.value if node.id == "mapping" else []
    return [(key.value, value.id) for key, value in pairs] == [("variables", "sequence")]


def _kind_of_rules(doc: Document, name: str, key: Node, value: Node) -> Kind:
    nodes = doc.items(value.value[0][1], "`variables`")
    if not nodes:
        doc.error(key, f'kind "{name}" has no rules')
    rules = [rule for node in nodes if (rule := parse_variable(Scope(doc, {}), node)) is not None]
    return Kind(name, {}, doc.ref(key), tuple(rules))


def _leaf(doc: Document, text: str, key: Node, value: Node) -> Leaf | None:
    source, required = text.removesuffix("?"), not text.endswith("?")
    ops: tuple[Op, ...] = ()
    target_node: Node | None = value
    if value.id == "mapping":
        fields = doc.mapping(value, f'leaf "{text}"', ("to", "ops"), ("to",)) or {}
        target_node = fields.get("to")
        ops = parse_ops(doc, fields.get("ops"))
        check_arity(doc, value, ops, False, None)
        check_target_lengths(doc, value, ops)
    targets = _leaf_targets(doc, text, target_node) if target_node is not None else None
    if not targets:
        return None
    try:
        for name in (source, *targets):
            parse_pattern(name, {})
    except PatternError as error:
        doc.error(key, str(error), "leaves are plain names, without placeholders")
        return None
    return Leaf(source, targets[0], required, ops, doc.ref(key), tuple(targets[1:]))


def _leaf_targets(doc: Document, text: str, node: Node) -> list[str] | None:
    """The leaf in the target, or the names of a list that it may have there."""
    if node.id == "sequence" and not node.value:
        doc.error(node, f'leaf "{text}" has no name in the target')
    names = [doc.text(item, f'leaf "{text}"') for item in (node.value if node.id == "sequence" else [node])]
    return None if None in names else [name for name in names if name is not None]


@dataclass(slots=True)
class Kinds:
    """The kinds that a table can use, by their names.

    Each kind of an included table is known as ``table/name`` too; where two tables have one name, as that alone.
    """

    known: dict[str, Kind] = field(default_factory=dict)
    twice: dict[str, list[str]] = field(default_factory=dict)
    """By the name that several included tables give a kind: how each is called."""


def parse_layer(scope: Scope, node: Node, kinds: Kinds) -> list[LayerRule | VariableRule]:
    """The rules of one item of ``layers``: one, or those of a kind that is made of rules; none for a mistake."""
    doc = scope.doc
    rule = _parse_layer(scope, node, kinds)
    if rule is None:
        return []
    kind = next((case.kind for case in rule.cases if case.kind.rules), None)
    if kind is None:
        return [rule]
    if len(rule.cases) > 1 or rule.cases[0].others or rule.last or rule.per_class:
        hint = "it goes with `from`, `to`, `where`, `optional`, `shared` and `or_drop`"
        doc.error(node, f'the kind "{kind.name}" is made of rules: it stands alone', hint)
        return []
    made = (below(one, rule.pattern, rule.cases[0].target) for one in kind.rules)
    return [
        replace(one, optional=rule.optional or one.optional, shared=rule.shared, or_drop=rule.or_drop, ref=rule.ref)
        for one in made
    ]


def below(rule: VariableRule, before: Pattern | None, after: Template | None) -> VariableRule:
    """The rule with prefixes before its source names and its target names. Raises PatternError where they clash."""
    patterns = tuple(join_pattern(before, pattern) for pattern in rule.patterns)
    targets = tuple(TargetPart(join_template(after, part.template), part.ops) for part in rule.targets)
    return replace(rule, patterns=patterns, targets=targets)


def _parse_layer(scope: Scope, node: Node, kinds: Kinds) -> LayerRule | None:
    doc = scope.doc
    fields = doc.mapping(node, "a layer", _LAYER, ("from", "as"))
    if fields is None or not {"from", "as"} <= fields.keys():
        return None
    inner = scope.inner(fields.get("where"))
    pattern = inner.pattern(fields["from"], "`from`")
    cases = [_case(inner, *item, pattern, kinds) for item in _kinds_to_targets(doc, fields)]
    last = _last(inner, fields["last"], pattern) if "last" in fields and pattern else None
    scope.close(fields.get("where"), inner)
    known = tuple(case for case in cases if case is not None)
    per_class, optional = _per_class(doc, fields.get("per_class")), doc.flag(fields.get("optional"), "optional", False)
    if pattern is None or not known or None in cases or (last is None and "last" in fields):
        return None
    _check_cases(doc, fields["as"], known)
    shared = doc.flag(fields.get("shared"), "shared", False)
    return LayerRule(pattern, known, last, per_class, optional, doc.ref(node), shared, _or_drop(doc, fields))


def _kinds_to_targets(doc: Document, fields: Mapping[str, Node]) -> list[tuple[Node, Node]]:
    """The kinds of ``as``, a name, a list of names or a mapping of name to target, each with its target."""
    kind, target = fields["as"], fields.get("to", fields["from"])
    if kind.id == "mapping":
        if "to" in fields:
            doc.error(fields["to"], "`as` names a target for each kind already", "leave `to` out")
        return list((doc.pairs(kind, "`as`") or {}).values())
    return [(item, target) for item in (doc.items(kind, "`as`") if kind.id == "sequence" else [kind])]


def _case(scope: Scope, kind_node: Node, target: Node, pattern: Pattern | None, kinds: Kinds) -> Case | None:
    doc, name, known = scope.doc, scope.doc.text(kind_node, "`as`"), kinds.known
    if name in kinds.twice:
        doc.error(kind_node, f'several tables have a kind "{name}"', f"write {' or '.join(kinds.twice[name])}")
    elif name is not None and name not in known:
        plain = [each for each in known if "/" not in each]
        hint = did_you_mean(name, known) or ("known: " + ", ".join(sorted(plain)) if plain else "include kinds/slim")
        doc.error(kind_node, f'there is no kind "{name}"', hint)
    nodes = doc.items(target, "`to`") if target.id == "sequence" else [target]
    templates = [scope.template(item, "`to`", pattern.names) if pattern else None for item in nodes]
    told = [template for template in templates if template is not None]
    if not told or len(told) < len(templates) or name is None or name not in known:
        return None
    return Case(known[name], told[0], tuple(told[1:]))


def _last(scope: Scope, node: Node, pattern: Pattern) -> Last | None:
    doc = scope.doc
    fields = doc.mapping(node, "last", ("of", "to", "per_class"), ("of", "to"))
    if fields is None or not {"of", "to"} <= fields.keys():
        return None
    of = _counter(scope, fields["of"], (pattern,))
    nodes = doc.items(fields["to"], "`to`") if fields["to"].id == "sequence" else [fields["to"]]
    targets = [scope.template(item, "`to`", pattern.names) for item in nodes]
    known = tuple(target for target in targets if target is not None)
    if of is None or not known or None in targets:
        return None
    return Last(of, known, _per_class(doc, fields.get("per_class")))


def _check_cases(doc: Document, node: Node, cases: tuple[Case, ...]) -> None:
    """Note kinds that cannot be told apart by the leaves they demand."""
    for i, case in enumerate(cases):
        for other in cases[i + 1 :]:
            one, two = case.kind.demanded, other.kind.demanded
            if one <= two or two <= one:
                doc.error(
                    node,
                    f"{case.kind.name} and {other.kind.name} cannot be told apart",
                    "each must demand a leaf that the other does not",
                )


def parse_variable(scope: Scope, node: Node) -> VariableRule | None:
    """One item of ``variables``."""
    doc = scope.doc
    fields = doc.mapping(node, "a variable rule", _VARIABLE, ("from",))
    if fields is None or "from" not in fields:
        return None
    inner = scope.inner(fields.get("where"))
    patterns, first, count = _sources(inner, fields["from"])
    group = _counter(inner, fields["group"], patterns) if "group" in fields else None
    bound = (patterns[0].names if patterns else frozenset()) - {group}
    targets = _targets(inner, fields, bound, first, many=count > 1 or "group" in fields) if patterns else ()
    scope.close(fields.get("where"), inner)
    per_class, optional = _per_class(doc, fields.get("per_class")), doc.flag(fields.get("optional"), "optional", False)
    if not patterns or not targets or ("group" in fields and group is None):
        return None
    shared = doc.flag(fields.get("shared"), "shared", False)
    or_drop = _or_drop(doc, fields)
    return VariableRule(patterns, targets, group, per_class, optional, doc.ref(node), shared, or_drop)


def _sources(scope: Scope, node: Node) -> tuple[tuple[Pattern, ...], tuple[Op, ...], int]:
    """The patterns of ``from``, the operations of what is nested in it, and how many tensors it leads to.

    There are no patterns where there is a mistake.
    """
    doc, nodes = scope.doc, scope.doc.items(node, "`from`") if node.id == "sequence" else [node]
    if not nodes:
        doc.error(node, "`from` is empty", "name the source variables")
    known: dict[str, Pattern] = {}
    branches = [_branch(scope, item, known, listed=node.id == "sequence") for item in nodes]
    made = [branch for branch in branches if branch is not None]
    if not made or len(made) < len(branches):
        return (), (), 0
    patterns = tuple(known.values())
    if any(pattern.names != patterns[0].names for pattern in patterns):
        doc.error(node, "all patterns of a `from` list use the same placeholders", "else none belong together")
        return (), (), 0
    plain = [branch.sources for branch in made] == [(at,) for at in range(len(made))]
    nested = not plain or any(branch.ops for branch in made)
    return patterns, (Branches(tuple(made)),) if nested else (), len(made)


def _branch(scope: Scope, node: Node, known: dict[str, Pattern], *, listed: bool) -> Branch | None:
    """One item of a ``from`` list, a pattern or ``{from: …, ops: […]}``; ``known`` gets the patterns by their texts."""
    if not listed or node.id != "mapping":
        pattern = scope.pattern(node, "`from`")
        if pattern is None:
            return None
        known.setdefault(pattern.text, pattern)
        return Branch((list(known).index(pattern.text),), ())
    doc, fields = scope.doc, scope.doc.mapping(node, "an item of `from`", ("from", "ops"), ("from", "ops"))
    if fields is None or not {"from", "ops"} <= fields.keys():
        return None
    nodes = fields["from"].value if fields["from"].id == "sequence" else [fields["from"]]
    inner = [_branch(scope, item, known, listed=fields["from"].id == "sequence") for item in nodes]
    ops = parse_ops(doc, fields["ops"])
    check_arity(doc, fields["ops"], ops, len(nodes) > 1, None)
    refuse_target_lengths(doc, fields["ops"], ops)
    branches = [branch for branch in inner if branch is not None]
    return _joined(branches, ops) if branches and len(branches) == len(inner) else None


def _joined(branches: list[Branch], ops: tuple[Op, ...]) -> Branch:
    """Branches that further operations are run on, as one branch."""
    if not any(branch.ops for branch in branches):
        return Branch(tuple(branch.sources[0] for branch in branches), ops)
    sources = tuple(dict.fromkeys(at for branch in branches for at in branch.sources))
    inner = (Branch(tuple(sources.index(at) for at in branch.sources), branch.ops) for branch in branches)
    return Branch(sources, (Branches(tuple(inner)), *ops))


def _counter(scope: Scope, node: Node, patterns: tuple[Pattern, ...]) -> str | None:
    """The name of the placeholder that counts the members of a group."""
    doc, name = scope.doc, scope.doc.text(node, "the counting placeholder")
    if name is None or not patterns:
        return None
    if len(patterns) > 1 or name not in patterns[0].names:
        doc.error(node, f"`from` must be one pattern with {{{name}}}", "name the placeholder that counts")
    elif not scope.declared[name].numeric:
        doc.error(node, f"{{{name}}} does not stand for a number", "declare it `int` or map it to numbers")
    else:
        return name
    return None


def _targets(
    scope: Scope, fields: Mapping[str, Node], bound: frozenset[str], first: tuple[Op, ...], many: bool
) -> tuple[TargetPart, ...]:
    ops = parse_ops(scope.doc, fields.get("ops"))
    if "to" not in fields and many:
        scope.doc.error(fields["from"], "a rule with several sources needs `to`")
        return ()
    to = fields.get("to", fields["from"])
    listed = to.id == "sequence"
    nodes = scope.doc.items(to, "`to`") if listed else [to]
    if not nodes and "to" in fields:
        scope.doc.error(to, "`to` is empty", "name the target variables")
    parts = [_target(scope, item, (*first, *for_target(ops, i)), bound, listed) for i, item in enumerate(nodes)]
    check_arity(scope.doc, fields.get("ops", to), ops, many, len(nodes) if listed else None)
    return tuple(part for part in parts if part is not None) if None not in parts else ()


def _target(scope: Scope, node: Node, ops: tuple[Op, ...], bound: frozenset[str], listed: bool) -> TargetPart | None:
    """One ``to``: a name, or in a list ``{name: …, ops: […]}`` with operations of its own."""
    own: tuple[Op, ...] = ()
    name: Node | None = node
    if listed and node.id == "mapping":
        fields = scope.doc.mapping(node, "an item of `to`", ("name", "ops"), ("name",)) or {}
        name, own = fields.get("name"), parse_ops(scope.doc, fields.get("ops"))
        check_arity(scope.doc, node, own, False, None)
    check_target_lengths(scope.doc, node, ops + own)
    template = scope.template(name, "`to`", bound) if name is not None else None
    return TargetPart(template, ops + own) if template else None


def _per_class(doc: Document, node: Node | None) -> PerClass | None:
    if node is None:
        return None
    fields = doc.mapping(node, "per_class", ("axis", "background", "block"), ("axis",))
    if fields is None or "axis" not in fields:
        return None
    axis = doc.integer(fields["axis"], "axis")
    block = doc.integer(fields["block"], "block") if "block" in fields else 1
    said = fields.get("background")
    sheds = said is not None and said.id == "scalar" and said.value == _MAY_LACK
    background = sheds or doc.flag(said, "background", True)
    if axis is None or block is None:
        return None
    if block < 1:
        doc.error(fields["block"], "block must be 1 or more")
        return None
    return PerClass(axis, background, block, sheds)


def _or_drop(doc: Document, fields: Mapping[str, Node]) -> str:
    return _reason(doc, fields["or_drop"], "or_drop") or "" if "or_drop" in fields else ""


def _reason(doc: Document, node: Node, what: str) -> str | None:
    """A text that is not empty."""
    reason = doc.text(node, what)
    if reason is not None and not reason.strip():
        doc.error(node, "the reason is empty", "say why, the report repeats it")
        return None
    return reason


def parse_drop(scope: Scope, node: Node) -> DropRule | None:
    """One item of ``drop``."""
    doc = scope.doc
    fields = doc.mapping(node, "a drop rule", ("match", "reason", "optional", "where"), ("match", "reason"))
    pattern, reason = _match(scope, fields)
    if fields is None or pattern is None or reason is None:
        return None
    return DropRule(pattern, reason, doc.flag(fields.get("optional"), "optional", False), doc.ref(node))


def parse_init(scope: Scope, node: Node) -> InitRule | None:
    """One item of ``init``."""
    doc = scope.doc
    needed = ("match", "value", "reason")
    fields = doc.mapping(node, "an init rule", (*needed, "where"), needed)
    pattern, reason = _match(scope, fields)
    value = _init_value(doc, fields["value"]) if fields and "value" in fields else None
    if fields is None or pattern is None or reason is None or value is None:
        return None
    return InitRule(pattern, value, reason, doc.ref(node))


def _match(scope: Scope, fields: Mapping[str, Node] | None) -> tuple[Pattern | None, str | None]:
    fields = fields or {}
    inner = scope.inner(fields.get("where"))
    pattern = inner.pattern(fields["match"], "`match`") if "match" in fields else None
    scope.close(fields.get("where"), inner)
    return pattern, _reason(scope.doc, fields["reason"], "reason") if "reason" in fields else None


def _init_value(doc: Document, node: Node) -> InitValue | None:
    if node.id == "scalar" and node.value in _WORDS:
        return str(node.value)
    if node.id == "sequence":
        numbers = [doc.number(item, "an item of value") for item in node.value]
        if not numbers:
            doc.error(node, "value is empty", "one number, or one for each of as many equal blocks of the last axis")
        return tuple(number for number in numbers if number is not None) if numbers and None not in numbers else None
    before = len(doc.problems)
    number = doc.number(node, "value")
    if number is None:
        del doc.problems[before:]
        hint = did_you_mean(str(node.value), _WORDS) if node.id == "scalar" else ""
        doc.error(node, "value must be zeros, ones, initializer or a number", hint)
    return number
