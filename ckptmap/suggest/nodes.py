"""One operation of a TensorFlow graph, as far as a draft needs it.

Read from NodeDef (tensorflow/core/framework/node_def.proto).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.checkpoint.wire import Bytes, as_bytes, as_int, as_text, read_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NAME, _OP, _INPUT, _ATTRIBUTE = 1, 2, 3, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_VALUE = 1, 2
_FLOAT, _TENSOR, _FUNCTION, _FUNCTION_NAME = 4, 8, 10, 1
_DTYPE, _SHAPE, _CONTENT, _FLOATS = 1, 2, 4, 5
_DT_FLOAT = 1
_FEW_BYTES = 64
_NUMBERS = {"Const": "value", **dict.fromkeys(("LSTMBlockCell", "BlockLSTM", "BlockLSTMV2"), "forget_bias")}
"""Operations with the attribute that holds a number which a draft needs."""
LOOPS = ("While", "StatelessWhile")
BRANCHES = ("If", "StatelessIf")
_CALLED = {
    **dict.fromkeys(("StatefulPartitionedCall", "PartitionedCall"), ("f",)),
    **dict.fromkeys(LOOPS, ("body",)),
    **dict.fromkeys(BRANCHES, ("then_branch", "else_branch")),
}
"""What calls functions, and the attributes that name them."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation: its name, what it does, and the operations whose results it takes."""

    name: str
    op: str
    inputs: tuple[str, ...]
    value: float | None = None
    """Of a constant that is one float32 that number, of a block of an LSTM its forget bias."""
    calls: tuple[str, ...] = ()
    """The functions that it calls: a loop its body, a branch both."""


def parse_node(data: Bytes) -> Node:
    """A serialized NodeDef; raises FormatError for a malformed message."""
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
        elif number == _ATTRIBUTE and (op in _NUMBERS or op in _CALLED or not op):
            attributes.append(as_bytes(value))
    held = _value(_NUMBERS[op], attributes) if op in _NUMBERS else None
    return Node(name, op, tuple(inputs), held, tuple(_calls(_CALLED[op], attributes)) if op in _CALLED else ())


def _calls(wanted: tuple[str, ...], attributes: Iterable[Bytes]) -> Iterator[str]:
    for attribute in attributes:
        fields = dict(read_fields(attribute))
        if as_text(fields.get(_ATTRIBUTE_NAME, b"")) in wanted:
            held = dict(read_fields(as_bytes(fields.get(_ATTRIBUTE_VALUE, b""))))
            yield as_text(dict(read_fields(as_bytes(held.get(_FUNCTION, b"")))).get(_FUNCTION_NAME, b""))


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
