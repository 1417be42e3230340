"""The data flow of a TensorFlow graph, as far as a draft needs it: which layers lie before which.

Read from the GraphDef (tensorflow/core/framework/graph.proto) of a ``.meta`` file or a frozen graph. Values that depend
on variables and constants alone are parameters; a layer begins where a parameter meets data.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.checkpoint.wire import Bytes, as_bytes, bounded, read_fields
from ckptmap.suggest.functions import functions, inlined
from ckptmap.suggest.nodes import Node, parse_node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ckptmap.suggest.functions import Function

_META_GRAPH = 2
_NODE, _LIBRARY = 1, 2
_VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp", "AutoReloadVariable"})
_NOT_FORWARD = ("Assign", "Apply", "Save", "Restore", "ResourceApply", "SparseApply", "ScatterUpdate", "ScatterAdd")
_BACK_EDGE = "NextIteration"


@dataclass(frozen=True, slots=True)
class Flow:
    """For each layer, as bits, the layers whose results reach it; ``direct`` those with no other layer between."""

    before: tuple[int, ...]
    direct: tuple[int, ...]


def meta_nodes(data: Bytes) -> tuple[Node, ...]:
    """The nodes of a serialized MetaGraphDef; raises FormatError for a malformed message."""
    graphs = [as_bytes(value) for number, value in read_fields(data) if number == _META_GRAPH]
    return tuple(node for graph in graphs for node in graph_nodes(graph))


def graph_nodes(graph: Bytes) -> tuple[Node, ...]:
    """The nodes of a serialized GraphDef, those of functions in the place of their calls.

    Raises FormatError for a malformed message.
    """
    nodes: list[Node] = []
    library: dict[str, Function] = {}
    for number, value in bounded(read_fields(graph), "nodes"):
        if number == _NODE:
            nodes.append(parse_node(as_bytes(value)))
        elif number == _LIBRARY:
            library |= functions(as_bytes(value))
    return inlined(nodes, library)


def flow(nodes: Sequence[Node], layer_of: Mapping[str, int]) -> Flow | None:
    """Which layers lie before which; ``layer_of`` says the layer of each variable. None where the graph has none.

    What belongs to training (gradients, assignments, saving) is left out.
    """
    forward = [node for node in nodes if _is_forward(node)]
    size = max(layer_of.values(), default=-1) + 1
    before, direct = [0] * size, [0] * size
    parameters: dict[str, int] = {}
    reached: dict[str, int] = {}
    nearest: dict[str, int] = {}
    found = False
    for node in _in_order(forward):
        if node.op in _VARIABLES or node.name in layer_of or not node.inputs:
            at = layer_of.get(node.name)
            found = found or at is not None
            if at is not None or node.op in _VARIABLES or node.op == "Const":
                parameters[node.name] = 0 if at is None else 1 << at
            else:
                reached[node.name] = nearest[node.name] = 0
            continue
        known = [one for one in node.inputs if one in reached]
        bits = _union(parameters.get(one, 0) for one in node.inputs)
        if not known and all(one in parameters for one in node.inputs):
            parameters[node.name] = bits
            continue
        upstream, near = _union(reached[one] for one in known), _union(nearest[one] for one in known)
        for at in _places(bits):
            before[at] |= upstream
            direct[at] |= near
        reached[node.name] = upstream | bits
        nearest[node.name] = bits or near
    return Flow(tuple(before), tuple(direct)) if found else None


def _is_forward(node: Node) -> bool:
    return not node.op.startswith(_NOT_FORWARD) and "gradients" not in node.name


def _union(sets: Iterable[int]) -> int:
    found = 0
    for one in sets:
        found |= one
    return found


def _places(bits: int) -> list[int]:
    places = []
    while bits:
        low = bits & -bits
        places.append(low.bit_length() - 1)
        bits ^= low
    return places


def _in_order(nodes: Sequence[Node]) -> list[Node]:
    """The nodes, each behind those that it takes results of; loops are cut where they go back."""
    by_name = {node.name: node for node in nodes}
    waiting: dict[str, int] = {}
    takers: dict[str, list[str]] = {}
    for node in nodes:
        sources = {one for one in node.inputs if one in by_name and by_name[one].op != _BACK_EDGE}
        waiting[node.name] = len(sources)
        for one in sources:
            takers.setdefault(one, []).append(node.name)
    ready = deque(name for name, count in waiting.items() if count == 0)
    ordered = []
    while ready:
        name = ready.popleft()
        ordered.append(by_name[name])
        for taker in takers.get(name, ()):
            waiting[taker] -= 1
            if waiting[taker] == 0:
                ready.append(taker)
    return ordered
