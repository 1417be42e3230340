"""What an input is looked up in, so that made-up ids stay within its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.side import Node, Side, Spec

_HANDED_ON = frozenset(
    ("Identity", "Cast", "Reshape", "ExpandDims", "Squeeze", "Transpose", "SelectV2", "Select", "AddV2", "Maximum")
)  # fmt: skip
_GATHERS = frozenset(("Gather", "GatherV2", "ResourceGather"))
_ONE_HOT, _DEPTH = "OneHot", 1


def rows_of(side: Side, spec: Spec) -> int:
    """The rows of the smallest table that the input indexes; 0 where none is found."""
    by_name = {node.name: node for node in side.nodes}
    lengths = {variable.node: variable.shape for variable in side.variables}
    found = [_rows(node, by_name, lengths) for node in _lookups(side, spec)]
    return min((rows for rows in found if rows), default=0)


def _lookups(side: Side, spec: Spec) -> Iterator[Node]:
    """The operations that take the input's values as indices."""
    carrying = {spec.tensor.partition(":")[0]}
    for node in side.nodes:  # in the order of the computation
        inputs = [_base(name) for name in node.inputs]
        place = 1 if node.op in _GATHERS else 0 if node.op == _ONE_HOT else None
        if place is not None and inputs[place] in carrying:
            yield node
        elif node.op in _HANDED_ON and carrying & set(inputs):
            carrying.add(node.name)


def _rows(node: Node, by_name: dict[str, Node], lengths: dict[str, tuple[int, ...]]) -> int:
    if node.op == _ONE_HOT:
        depth = by_name.get(_base(node.inputs[_DEPTH]))
        return int(depth.attributes["value"]) if depth is not None and "value" in depth.attributes else 0
    table = _base(node.inputs[0])
    while table in by_name and table not in lengths and by_name[table].inputs:
        table = _base(by_name[table].inputs[0])
    return lengths.get(table, (0,))[0] if lengths.get(table) else 0


def _base(name: str) -> str:
    return name.removeprefix("^").partition(":")[0]
