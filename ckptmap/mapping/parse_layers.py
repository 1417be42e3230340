"""The ``layers`` of one table file: each a scope of the source, its place in the target, and its kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ckptmap.basics.nearest import did_you_mean
from ckptmap.mapping.parse_scope import parse_counter, parse_or_drop, parse_per_class
from ckptmap.mapping.patterns import Pattern, Template, join_pattern, join_template
from ckptmap.mapping.table import Case, Last, LayerRule, TargetPart, VariableRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.mapping.parse_kinds import Kinds
    from ckptmap.mapping.parse_scope import Scope
    from ckptmap.mapping.yamlnodes import Node, YamlDocument

_LAYER = ("from", "to", "as", "last", "where", "per_class", "optional", "shared", "or_drop")


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
    per_class = parse_per_class(doc, fields.get("per_class"))
    optional = doc.flag(fields.get("optional"), "optional", False)
    if pattern is None or not known or None in cases or (last is None and "last" in fields):
        return None
    _check_cases(doc, fields["as"], known)
    shared = doc.flag(fields.get("shared"), "shared", False)
    return LayerRule(pattern, known, last, per_class, optional, doc.ref(node), shared, parse_or_drop(doc, fields))


def _kinds_to_targets(doc: YamlDocument, fields: Mapping[str, Node]) -> list[tuple[Node, Node]]:
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
    of = parse_counter(scope, fields["of"], (pattern,))
    nodes = doc.items(fields["to"], "`to`") if fields["to"].id == "sequence" else [fields["to"]]
    targets = [scope.template(item, "`to`", pattern.names) for item in nodes]
    known = tuple(target for target in targets if target is not None)
    if of is None or not known or None in targets:
        return None
    return Last(of, known, parse_per_class(doc, fields.get("per_class")))


def _check_cases(doc: YamlDocument, node: Node, cases: tuple[Case, ...]) -> None:
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
