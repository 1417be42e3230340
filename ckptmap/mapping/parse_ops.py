"""Tensor operations as a table writes them: ``- transpose: [1, 0]``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ckptmap.basics.nearest import did_you_mean
from ckptmap.mapping.op import Op
from ckptmap.mapping.operations import by_table_name
from ckptmap.mapping.ops import Split
from ckptmap.mapping.ops_sized import SplitForTargets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ckptmap.mapping.yamlnodes import Node, YamlDocument


def parse_ops(doc: YamlDocument, node: Node | None) -> tuple[Op, ...]:
    """The operations of an ``ops`` list, in order; mistakes are noted in ``doc`` and left out."""
    if node is None:
        return ()
    ops = [_parse_op(doc, item) for item in doc.items(node, "`ops`")]
    return tuple(op for op in ops if op is not None)


def for_target(ops: Sequence[Op], number: int) -> tuple[Op, ...]:
    """The operations that lead to target ``number``: a split takes that part."""
    return tuple(replace(op, take=number) if isinstance(op, Split | SplitForTargets) else op for op in ops)


def check_arity(doc: YamlDocument, node: Node, ops: Sequence[Op], many: bool, targets: int | None) -> None:
    """Note where operations leave several variables for one target, or cut one up for a single target.

    ``targets`` is the length of the rule's ``to`` list, None where there is only one ``to``.
    """
    joins = [op for op in ops if op.joins]
    splits = [op for op in ops if isinstance(op, Split | SplitForTargets)]
    if many and not joins:
        doc.error(node, "several source variables need an operation that joins them", "concat, stack or add: sources")
    if joins and not many:
        doc.error(node, f"{joins[0].name} needs several source variables", "a `from` list, or `group`")
    if len(joins) > 1 or len(splits) > 1:
        doc.error(node, "one join and one split are all that a list of operations can do", "nest lists in `from`")
    for split in splits:
        if targets is None:
            doc.error(node, "split needs a `to` list with a name for each part", "for a single part, use slice")
        elif isinstance(split, Split) and targets != split.parts:
            doc.error(node, f"split makes {split.parts} parts, `to` lists {targets} names")


def check_target_lengths(doc: YamlDocument, node: Node, ops: Sequence[Op]) -> None:
    """Note operations that take a length from the target where it cannot be told."""
    asking = [at for at, op in enumerate(ops) if op.asks_target]
    if len(asking) > 1:
        doc.error(node, f"{ops[asking[1]]} and {ops[asking[0]]}: one operation of a rule can ask the target")
    for op in ops[:-1]:
        if op.leaves_open or (op.asks_target and op.name in ("pad", "resize")):
            doc.error(node, f"{op} comes last", "the target fills what it leaves open")


def refuse_target_lengths(doc: YamlDocument, node: Node, ops: Sequence[Op]) -> None:
    """Note operations that take a length from the target in a nested list, which is only a part of one."""
    for op in ops:
        if op.asks_target:
            doc.error(node, f"{op} is for the `ops` of the rule", "what is nested is only a part of the target")


def _parse_op(doc: YamlDocument, node: Node) -> Op | None:
    pairs = doc.pairs(node, "an operation")
    if pairs is None:
        return None
    if len(pairs) != 1:
        doc.error(node, "an operation is one name with its argument", "for example `- transpose: [1, 0]`")
        return None
    [(name, (key, value))] = pairs.items()
    named = by_table_name()
    if name not in named:
        known = did_you_mean(name, named) or f"known: {', '.join(named)}"
        doc.error(key, f'there is no operation "{name}"', known)
        return None
    return _operation(doc, value, _meant(named[name], value))


def _meant(kinds: Sequence[type[Op]], node: Node) -> type[Op]:
    """The operation of those with one name that the node's word or fields ask for."""
    if node.id == "scalar":
        return next((kind for kind in kinds if kind.word == node.value), _unworded(kinds))
    fields = {key.value for key, _ in node.value} if node.id == "mapping" else set()
    exact = (kind for kind in kinds if fields == set(kind.given))
    fitting = (kind for kind in kinds if kind.given and set(kind.needed) <= fields <= set(kind.given))
    return next(exact, None) or next(fitting, None) or _unworded(kinds)


def _unworded(kinds: Sequence[type[Op]]) -> type[Op]:
    return next((kind for kind in kinds if not kind.word), kinds[0])


def _operation(doc: YamlDocument, node: Node, kind: type[Op]) -> Op | None:
    if kind.word and node.id == "scalar" and node.value == kind.word:
        return kind()
    if kind.alone and (node.id != "mapping" or not kind.given):
        value = kind.arguments[kind.alone].parse(doc, node, kind.name)
        return None if value is None else _sound(doc, node, kind.from_table({kind.alone: value}))
    fields = doc.mapping(node, kind.name, kind.given, kind.needed)
    if fields is None or not fields.keys() >= set(kind.needed):
        return None
    before = len(doc.problems)
    values = {name: kind.arguments[name].parse(doc, each, name) for name, each in fields.items()}
    return _sound(doc, node, kind.from_table(values)) if len(doc.problems) == before else None


def _sound(doc: YamlDocument, node: Node, op: Op) -> Op | None:
    fault = op.unsound()
    if fault is not None:
        doc.error(node, *fault)
    return op if fault is None else None
