"""The kinds of one table file: which variables a layer of a kind has, by leaves or by rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ckptmap.mapping.parse_ops import check_arity, check_target_lengths, parse_ops
from ckptmap.mapping.parse_scope import Scope
from ckptmap.mapping.parse_variables import parse_variable
from ckptmap.mapping.patterns import PatternError, parse_pattern
from ckptmap.mapping.table import Kind, Leaf

if TYPE_CHECKING:
    from ckptmap.mapping.ops import Op
    from ckptmap.mapping.yamlnodes import Node, YamlDocument


def parse_kinds(doc: YamlDocument, node: Node | None) -> dict[str, Kind]:
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


def _kind_of_rules(doc: YamlDocument, name: str, key: Node, value: Node) -> Kind:
    nodes = doc.items(value.value[0][1], "`variables`")
    if not nodes:
        doc.error(key, f'kind "{name}" has no rules')
    rules = [rule for node in nodes if (rule := parse_variable(Scope(doc, {}), node)) is not None]
    return Kind(name, {}, doc.ref(key), tuple(rules))


def _leaf(doc: YamlDocument, text: str, key: Node, value: Node) -> Leaf | None:
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


def _leaf_targets(doc: YamlDocument, text: str, node: Node) -> list[str] | None:
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
