"""Variables that a loop or a branch reads, read before it.

A tensor inside a loop can be neither fetched nor fed, and one in a branch that is not taken has no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_READS = "ReadVariableOp"
_ENTERING = frozenset({"Enter", "Switch"})
_HANDING_ON = _ENTERING | {"Identity"}


def read_before_loops(definition: Any, kinds: Mapping[str, int]) -> None:
    """Change a GraphDef: where a loop or a branch takes the handle of a variable only to read it, it takes the value.

    ``kinds``: by the node that holds a variable, the number of its dtype.
    """
    takers: dict[str, list[Any]] = {}
    for node in definition.node:
        for name in node.input:
            takers.setdefault(name.removeprefix("^").partition(":")[0], []).append(node)
    for holder, kind in kinds.items():
        entering = [node for node in _takers(takers, holder, frozenset({"Identity"})) if node.op in _ENTERING]
        insides = [(node, list(_takers(takers, node.name, _HANDING_ON))) for node in entering]
        insides = [(node, inside) for node, inside in insides if _only_read(inside)]
        if insides:
            read = definition.node.add(name=f"{holder}/ckptmap_read", op=_READS, input=[holder])
            read.attr["dtype"].type = kind
            for node, inside in insides:
                node.input[0] = read.name
                for one in (node, *inside):
                    _hand_on_values(one, kind)


def _only_read(inside: list[Any]) -> bool:
    kinds = {node.op for node in inside}
    return _READS in kinds and kinds <= {_READS, *_HANDING_ON}


def _hand_on_values(node: Any, kind: int) -> None:
    """What handed on a handle, or read it, hands on the value."""
    if node.op == _READS:
        node.op = "Identity"
        node.attr.clear()
    node.attr["T"].type = kind
    for name in [name for name in node.attr if name.startswith("_")]:
        del node.attr[name]


def _takers(takers: Mapping[str, list[Any]], name: str, through: frozenset[str]) -> Iterator[Any]:
    """What takes the result of a node, and what takes it from those that only hand it on."""
    for node in takers.get(name, ()):
        if name in (one.partition(":")[0] for one in node.input):  # no control edge
            yield node
            if node.op in through:
                yield from _takers(takers, node.name, through)
