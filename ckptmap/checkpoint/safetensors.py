"""safetensors files, read and written (github.com/huggingface/safetensors, "Format").

Eight bytes hold the length of a JSON header as a little-endian number; the header has each tensor's type, shape and
place; the values follow, little-endian rows as a V2 bundle stores them. Every byte behind the header belongs to exactly
one tensor.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ckptmap.basics.documents import parse_json
from ckptmap.basics.text import plural
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.files import damage, stream
from ckptmap.checkpoint.inventory import Inventory, Kind, Span, Variable
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.values import decode, element_count
from ckptmap.checkpoint.wire import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy as np

    from ckptmap.checkpoint.data_files import Located
    from ckptmap.checkpoint.files import Files

_LENGTH = 8
_MAX_HEADER = 32 << 20
"""Bytes; a third of what the reference reader takes, and enough for 300,000 tensors."""
_MAX_RANK = 64
_METADATA = "__metadata__"
LABELS = {
    DType.FLOAT64: "F64",
    DType.FLOAT32: "F32",
    DType.HALF: "F16",
    DType.BFLOAT16: "BF16",
    DType.INT64: "I64",
    DType.INT32: "I32",
    DType.INT16: "I16",
    DType.INT8: "I8",
    DType.UINT64: "U64",
    DType.UINT32: "U32",
    DType.UINT16: "U16",
    DType.UINT8: "U8",
    DType.BOOL: "BOOL",
    DType.FLOAT8_E5M2: "F8_E5M2",
    DType.FLOAT8_E4M3FN: "F8_E4M3",
}
"""What the format calls the types that it knows."""
_TYPES = {label: dtype for dtype, label in LABELS.items()}


class SafetensorsSource:
    """The tensors of a safetensors file; only its header is held.

    Raises:
        CheckpointError: the header is none, or does not describe the bytes behind it.
    """

    def __init__(self, files: Files, found: Located) -> None:
        self._files = files
        self._path = found.path
        with damage(found.path):
            variables = dict(_variables(files, found.path))
        self.inventory = Inventory(
            Kind.SAFETENSORS, found.path, dict(sorted(variables.items())), (found.path,), notes=found.notes
        )

    def value(self, variable: Variable) -> np.ndarray:
        """The whole value, read-only."""
        with damage(self._path):
            return decode(variable.dtype, variable.shape, b"".join(self.chunks(variable, max(variable.nbytes, 1))))

    def chunks(self, variable: Variable, size: int) -> Iterator[bytes]:
        """The bytes of the value, which are those of a V2 bundle."""
        if variable.span is not None:
            yield from stream(self._files, self._path, variable.span.offset, variable.span.size, size)

    def rows(self, variable: Variable, axis: int, start: int, stop: int) -> np.ndarray:
        """The indices ``start <= i < stop`` of one axis; those of the first without reading the rest."""
        if axis or variable.span is None:
            return self.value(variable)[(slice(None),) * axis + (slice(start, stop),)]
        row = element_count(variable.shape[1:]) * (variable.dtype.itemsize or 0)
        size = (stop - start) * row
        raw = b"".join(stream(self._files, self._path, variable.span.offset + start * row, size, max(size, 1)))
        with damage(self._path):
            return decode(variable.dtype, (stop - start, *variable.shape[1:]), raw)


def header(tensors: Mapping[str, tuple[DType, tuple[int, ...]]]) -> bytes:
    """The start of a file that holds the tensors one after the other in this order: its length and the header.

    Raises:
        FormatError: a type that the format does not know.
    """
    fields, offset = {}, 0
    for name, (dtype, shape) in tensors.items():
        if dtype not in LABELS:
            raise FormatError(f"{shortened(name)} is {dtype}, which a safetensors file cannot hold")
        end = offset + element_count(shape) * (dtype.itemsize or 0)
        fields[name] = {"dtype": LABELS[dtype], "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % _LENGTH)  # values begin at a multiple of 8, as the reference writes them
    return len(text).to_bytes(_LENGTH, "little") + text


def _variables(files: Files, path: str) -> Iterator[tuple[str, Variable]]:
    fields, start = _header(files, path)
    end = 0
    places = []
    for name, entry in fields.items():
        dtype, shape, first, last = _entry(name, entry)
        if last - first != element_count(shape) * (dtype.itemsize or 0):
            raise FormatError(
                f"{plural(last - first, 'byte')} cannot make {shortened(name)}, {dtype} of shape {list(shape)}"
            )
        places.append((first, last))
        end = max(end, last)
        yield name, Variable(name, dtype, shape, last - first, Span(0, start + first, last - first))
    size = (files.size(path) or 0) - start
    if end != size:
        raise FormatError(f"its header describes {end} bytes of values, and the file has {size}")
    _refuse_holes(places)


def _header(files: Files, path: str) -> tuple[Mapping[str, Any], int]:
    """The JSON of the header without its metadata, and where values start."""
    size = files.size(path) or 0
    length = int.from_bytes(files.read(path, 0, _LENGTH), "little")
    if not 2 <= length <= min(_MAX_HEADER, size - _LENGTH):
        raise FormatError(f"its header claims {length} bytes, and the file has {size}")
    try:
        fields = parse_json(files.read(path, _LENGTH, length).decode("utf-8"))
    except ValueError as error:
        raise FormatError("its header is not JSON") from error
    if not isinstance(fields, dict):
        raise FormatError("its header is not a JSON object")
    return {name: entry for name, entry in fields.items() if name != _METADATA}, _LENGTH + length


def _entry(name: str, entry: object) -> tuple[DType, tuple[int, ...], int, int]:
    if not isinstance(entry, dict):
        raise FormatError(f"{shortened(name)} is not described by a JSON object")
    dtype = _TYPES.get(entry["dtype"]) if isinstance(entry.get("dtype"), str) else None
    shape, offsets = _numbers(entry.get("shape")), _numbers(entry.get("data_offsets"))
    if dtype is None or shape is None or len(shape) > _MAX_RANK:
        raise FormatError(f"{shortened(name)} has no known type and shape")
    if offsets is None or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise FormatError(f"{shortened(name)} has no place in the file")
    return dtype, shape, offsets[0], offsets[1]


def _numbers(value: object) -> tuple[int, ...] | None:
    """A list of whole numbers from 0 on; None where it is none."""
    if not isinstance(value, list) or not all(type(item) is int and 0 <= item < 1 << 63 for item in value):
        return None
    return tuple(value)


def _refuse_holes(places: Iterable[tuple[int, int]]) -> None:
    """Refuses values that overlap, and bytes between them that are nobody's."""
    at = 0
    for first, last in sorted(places):
        if first != at:
            raise FormatError(f"its values overlap or leave a hole at byte {min(at, first)}")
        at = last
