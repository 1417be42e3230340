"""Frozen graphs, read: a GraphDef whose variables became constants (tensorflow/core/framework/graph.proto).

Freezing replaces each variable by a Const node of its name; the nodes that read the variable stay and tell it from
the other constants: an Identity named ``<variable>/read``, or one that took the place of a ReadVariableOp. In graphs
that were shrunk to float16 a Cast does what the Identity did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.dtypes import DType, dtype_from_number
from ckptmap.checkpoint.files import Files, damage, read_message
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.tensor_proto import tensor_type, tensor_values
from ckptmap.checkpoint.values import element_count, encode
from ckptmap.checkpoint.wire import Bytes, FormatError, as_bytes, as_int, as_text, bounded, read_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from ckptmap.checkpoint.data_files import Located

_READERS = frozenset({"Identity", "Cast"})
_NODE, _NAME, _OP, _INPUT, _ATTRIBUTE = 1, 1, 2, 3, 5
_TYPE, _TENSOR = 6, 8
SAVED_MODEL_FILE = "saved_model.pb"


@dataclass(frozen=True, slots=True)
class _Node:
    name: str
    op: str
    inputs: tuple[str, ...]
    value: Bytes | None
    """The TensorProto of a Const node."""


class FrozenGraphSource:
    """The constants of a frozen graph that were variables. The file is held in memory.

    Args:
        files: where the graph is.
        found: its path; a ``saved_model.pb`` holds the graph of each of its meta graphs.

    Raises:
        CheckpointError: no graph, a damaged one, or one without such constants.
    """

    def __init__(self, files: Files, found: Located) -> None:
        path = found.path
        with damage(path):
            data = read_message(files, path)
            graph = data if files.split(path)[1] != SAVED_MODEL_FILE else _saved_model_graph(data)
            self._tensors = _variables(graph)
            variables = {name: _variable(name, tensor) for name, tensor in sorted(self._tensors.items())}
        if not variables:
            raise CheckpointError(
                "this graph holds no constant that was a variable",
                where=shortened(path),
                hint="point at the checkpoint it was frozen from; a graph that was optimized has lost its variables",
            )
        self._path = path
        self.inventory = Inventory(Kind.FROZEN_GRAPH, path, variables, notes=found.notes)

    def value(self, variable: Variable) -> np.ndarray:
        """The value of the constant."""
        with damage(self._path):
            return tensor_values(variable.dtype, variable.shape, self._tensors[variable.name])

    def chunks(self, variable: Variable, size: int) -> Iterator[bytes]:
        """The bytes of the value as a V2 bundle stores them."""
        raw = memoryview(encode(variable.dtype, self.value(variable)))
        step = len(raw) if variable.dtype is DType.STRING else size
        for start in range(0, len(raw), max(step, 1)):
            yield bytes(raw[start : start + step])


def _saved_model_graph(data: memoryview) -> Bytes:
    """The graph of the first MetaGraphDef of a SavedModel (tensorflow/core/protobuf/saved_model.proto)."""
    for number, value in read_fields(data):
        if number == 2:
            return next((as_bytes(graph) for place, graph in read_fields(as_bytes(value)) if place == 2), b"")
    raise FormatError("the SavedModel holds no graph")


def _variables(graph: Bytes) -> dict[str, Bytes]:
    """The TensorProto of each constant that was a variable, by its name."""
    constants, found = {}, {}
    readers: list[_Node] = []
    for number, value in bounded(read_fields(graph), "nodes"):
        if number != _NODE:
            continue
        node = _parse_node(as_bytes(value))
        if node.value is not None:
            constants[node.name] = node.value
        elif node.op in _READERS and node.inputs:
            readers.append(node)
    for node in readers:
        source = node.inputs[0].removesuffix(":0")
        if source in constants and _reads_variable(node.name, source):
            found[source] = constants[source]
    return found


def _reads_variable(reader: str, constant: str) -> bool:
    return reader == f"{constant}/read" or reader.rsplit("/", maxsplit=1)[-1].startswith("ReadVariableOp")


def _parse_node(data: Bytes) -> _Node:
    name, op, inputs = "", "", []
    attributes: list[Bytes] = []
    for number, value in read_fields(data):
        if number == _NAME:
            name = as_text(value)
        elif number == _OP:
            op = as_text(value)
        elif number == _INPUT:
            inputs.append(as_text(value))
        elif number == _ATTRIBUTE:
            attributes.append(as_bytes(value))
    return _Node(name, op, tuple(inputs), _constant(name, attributes) if op == "Const" else None)


def _constant(name: str, attributes: list[Bytes]) -> Bytes | None:
    """The tensor in the attribute ``value`` of a Const node, which must be of the type in the attribute ``dtype``."""
    values = {bytes(as_bytes(fields[1])): as_bytes(fields.get(2, b"")) for fields in _read_attributes(attributes)}
    tensor = next(
        (as_bytes(value) for number, value in read_fields(values.get(b"value", b"")) if number == _TENSOR), None
    )
    stated = next((value for number, value in read_fields(values.get(b"dtype", b"")) if number == _TYPE), None)
    if tensor is not None and stated is not None and dtype_from_number(as_int(stated)) is not tensor_type(tensor)[0]:
        raise FormatError(f"the constant {shortened(name)} and its values are of different types")
    return tensor


def _read_attributes(attributes: list[Bytes]) -> Iterator[dict[int, int | Bytes]]:
    """The fields of each attribute that has a name."""
    return (fields for attribute in attributes if 1 in (fields := dict(read_fields(attribute))))


def _variable(name: str, tensor: Bytes) -> Variable:
    dtype, shape = tensor_type(tensor)
    if dtype is None:
        raise FormatError(f"{shortened(name)} is of an unknown type")
    # the size of strings is known only when they are read
    return Variable(name, dtype, shape, element_count(shape) * (dtype.itemsize or 0))
