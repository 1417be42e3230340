"""Variables that a loop reads, read before it: a tensor inside a loop can be neither fetched nor fed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_READS = "ReadVariableOp"


def read_before_loops(definition: Any, variables: Mapping[str, Any]) -> None:
    """Change a GraphDef: where a loop takes the handle of a variable only to read it, it takes the value.

    ``variables``: by the node that holds it, the variable, of which the dtype is asked.
    """
    takers: dict[str, list[Any]] = {}
    for node in definition.node:
        for name in node.input:
            takers.setdefault(name.removeprefix("^").partition(":")[0], []).append(node)
    for holder, variable in variables.items():
        enters = [node for node in _handed_on(takers, holder) if node.op == "Enter"]
        loops = [(enter, list(_handed_on(takers, enter.name))) for enter in enters]
        loops = [(enter, inside) for enter, inside in loops if _only_read(inside)]
        if loops:
            kind = variable.dtype.base_dtype.as_datatype_enum
            read = definition.node.add(name=f"{holder}/ckptmap_read", op=_READS, input=[holder])
            read.attr["dtype"].type = kind
            for enter, inside in loops:
                enter.input[0] = read.name
                for node in (enter, *inside):
                    _hand_on_values(node, kind)


def _only_read(inside: list[Any]) -> bool:
    kinds = {node.op for node in inside}
    return _READS in kinds and kinds <= {_READS, "Identity"}


def _hand_on_values(node: Any, kind: int) -> None:
    """What handed on a handle, or read it, hands on the value."""
    if node.op == _READS:
        node.op = "Identity"
        node.attr.clear()
    node.attr["T"].type = kind
    for name in [name for name in node.attr if name.startswith("_")]:
        del node.attr[name]


def _handed_on(takers: Mapping[str, list[Any]], name: str) -> Iterator[Any]:
    """What takes the result of a node, and what takes it from those that only hand it on."""
    for node in takers.get(name, ()):
        if name in (one.partition(":")[0] for one in node.input):  # no control edge
            yield node
            if node.op == "Identity":
                yield from _handed_on(takers, node.name)
