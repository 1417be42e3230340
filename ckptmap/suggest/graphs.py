"""The data flow of a TensorFlow graph, as far as a draft needs it: which layers lie before which.

Read from the GraphDef (tensorflow/core/framework/graph.proto) of a ``.meta`` file or a frozen graph. Values that depend
on variables and constants alone are parameters; a layer begins where a parameter meets data.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.checkpoint.wire import Bytes, as_bytes, as_int, as_text, bounded, read_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_META_GRAPH = 2
_NODE, _NAME, _OP, _INPUT, _ATTRIBUTE = 1, 1, 2, 3, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_VALUE = 1, 2
_FLOAT, _TENSOR = 4, 8
_DTYPE, _SHAPE, _CONTENT, _FLOATS = 1, 2, 4, 5
_DT_FLOAT = 1
_FEW_BYTES = 64
_NUMBERS = {"Const": "value", **dict.fromkeys(("LSTMBlockCell", "BlockLSTM", "BlockLSTMV2"), "forget_bias")}
"""Operations with the attribute that holds a number which a draft needs."""
_VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp", "AutoReloadVariable"})
_NOT_FORWARD = ("Assign", "Apply", "Save", "Restore", "ResourceApply", "SparseApply", "ScatterUpdate", "ScatterAdd")
_BACK_EDGE = "NextIteration"


@dataclass(frozen=True, slots=True)
class Node:
    """One operation: its name, what it does, and the operations whose results it takes."""

    name: str
    op: str
    inputs: tuple[str, ...]
    value: float | None = None
    """Of a constant that is one float32 that number, of a block of an LSTM its forget bias."""


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
    """The nodes of a serialized GraphDef; raises FormatError for a malformed message."""
    found = (_node(as_bytes(value)) for number, value in read_fields(graph) if number == _NODE)
    return tuple(bounded(found, "nodes"))


def _node(data: Bytes) -> Node:
    name = op = ""
    inputs = []
    attributes = []
    for number, value in read_fields(data):
        if number == _NAME:
            name = as_text(value)
        elif number == _OP:
            op = as_text(value)
        elif number == _INPUT:
            text = as_text(value)
            if not text.startswith("^"):
                inputs.append(text.partition(":")[0])
        elif number == _ATTRIBUTE and (op in _NUMBERS or not op):
            attributes.append(as_bytes(value))
    return Node(name, op, tuple(inputs), _value(_NUMBERS[op], attributes) if op in _NUMBERS else None)


def _value(wanted: str, attributes: Iterable[Bytes]) -> float | None:
    """The number that an attribute of this name holds, as it is or as a tensor of one float32."""
    for attribute in attributes:
        fields = dict(read_fields(attribute))
        if _ATTRIBUTE_NAME in fields and as_text(fields[_ATTRIBUTE_NAME]) == wanted:
            held = dict(read_fields(as_bytes(fields.get(_ATTRIBUTE_VALUE, b""))))
            if _FLOAT in held:
                return _float32(as_int(held[_FLOAT]).to_bytes(4, "little"))
            return _tensor(as_bytes(held.get(_TENSOR, b"")))
    return None


def _tensor(data: Bytes) -> float | None:
    if len(data) > _FEW_BYTES:
        return None
    fields = dict(read_fields(data))
    if fields.get(_DTYPE) != _DT_FLOAT or fields.get(_SHAPE, b"") != b"":
        return None
    held = fields.get(_FLOATS, fields.get(_CONTENT, b""))
    raw = held.to_bytes(4, "little") if isinstance(held, int) else bytes(held)
    if not raw:
        return 0.0  # what TensorFlow reads where a tensor says its shape and no values
    return _float32(raw) if len(raw) == 4 else None


def _float32(raw: bytes) -> float:
    found: float = struct.unpack("<f", raw)[0]
    return found


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
