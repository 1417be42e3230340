"""The ``variables`` of one table file: rules from source tensors to target variables, with operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.mapping.ops_branches import Branch, Branches
from ckptmap.mapping.parse_ops import (
    check_arity,
    check_target_lengths,
    for_target,
    parse_ops,
    refuse_target_lengths,
)
from ckptmap.mapping.parse_scope import parse_counter, parse_or_drop, parse_per_class
from ckptmap.mapping.table import TargetPart, VariableRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.mapping.ops import Op
    from ckptmap.mapping.parse_scope import Scope
    from ckptmap.mapping.patterns import Pattern
    from ckptmap.mapping.yamlnodes import Node

_VARIABLE = ("from", "to", "ops", "group", "where", "per_class", "optional", "shared", "or_drop")


def parse_variable(scope: Scope, node: Node) -> VariableRule | None:
    """One item of ``variables``."""
    doc = scope.doc
    fields = doc.mapping(node, "a variable rule", _VARIABLE, ("from",))
    if fields is None or "from" not in fields:
        return None
    inner = scope.inner(fields.get("where"))
    patterns, first, count = _sources(inner, fields["from"])
    group = parse_counter(inner, fields["group"], patterns) if "group" in fields else None
    bound = (patterns[0].names if patterns else frozenset()) - {group}
    targets = _targets(inner, fields, bound, first, many=count > 1 or "group" in fields) if patterns else ()
    scope.close(fields.get("where"), inner)
    per_class = parse_per_class(doc, fields.get("per_class"))
    optional = doc.flag(fields.get("optional"), "optional", False)
    if not patterns or not targets or ("group" in fields and group is None):
        return None
    shared = doc.flag(fields.get("shared"), "shared", False)
    or_drop = parse_or_drop(doc, fields)
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
        doc.error(
            node,
            "all patterns of a `from` list use the same placeholders",
            "otherwise nothing shows which variables belong together",
        )
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
