"""Tensors inside messages (tensorflow/core/framework/tensor.proto): V1 slices and constants of graphs.

The values stand in ``tensor_content`` as raw bytes, all of them, or in the repeated field of their type. Of a field
fewer values than elements mean that the last one fills the rest (``Tensor::FromProto`` in tensor.cc). TensorFlow
passes over fields of other types, and then has zeros; here they are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.basics.text import plural
from ckptmap.checkpoint.bundle_proto import parse_shape
from ckptmap.checkpoint.dtypes import DType, dtype_from_number
from ckptmap.checkpoint.values import decode, element_count, shaped
from ckptmap.checkpoint.wire import Bytes, FormatError, as_bytes, as_int, packed_varints, read_fields

if TYPE_CHECKING:
    import numpy as np

_DTYPE, _SHAPE, _CONTENT = 1, 2, 4
_INT, _STRING, _HALF, _FLOAT8 = 7, 8, 13, 18
_FIELDS = {
    DType.FLOAT32: 5,
    DType.FLOAT64: 6,
    DType.STRING: _STRING,
    DType.COMPLEX64: 9,
    DType.INT64: 10,
    DType.BOOL: 11,
    DType.COMPLEX128: 12,
    DType.HALF: _HALF,
    DType.BFLOAT16: _HALF,
    DType.UINT32: 16,
    DType.UINT64: 17,
}
"""The field of a type's values; those of float8 are in their own, all other types in ``int_val``."""
_VALUES = frozenset((*range(5, 19),))
# fields that hold packed bytes of the values themselves, by the bytes of one number
_FIXED_FIELDS = {5: 4, 6: 8, 9: 4, 12: 8}
_MAX_FILLED = 1 << 26
"""Bytes that one value may stand for: a few of them must not claim gigabytes."""


def tensor_type(data: Bytes) -> tuple[DType | None, tuple[int, ...]]:
    """The type and shape that a TensorProto states; no values are read.

    Raises:
        FormatError: a malformed message or an impossible shape.
    """
    dtype: DType | None = None
    shape: tuple[int, ...] = ()
    for number, value in read_fields(data):
        if number == _DTYPE:
            dtype = dtype_from_number(as_int(value))
        elif number == _SHAPE:
            shape = parse_shape(bytes(as_bytes(value)))
    return dtype, shape


def tensor_values(dtype: DType, shape: tuple[int, ...], data: Bytes, *, exact: bool = False) -> np.ndarray:
    """The values in a TensorProto, whose own type and shape may be left out (V1 slices do so).

    ``exact``: all of them must be there, as in V1 slices (``TensorSliceReader::CopySliceData``).

    Raises:
        FormatError: a malformed message, values of another type, more or (``exact``) fewer than elements, content of
            another size than theirs.
    """
    content, values = _content_and_values(dtype, data)
    if dtype is DType.STRING:
        return _strings(shape, content, values, exact=exact)
    size = element_count(shape) * (dtype.itemsize or 0)
    raw = content or b"".join(_raw_value(dtype, value) for value in values)
    if len(raw) < size and not content and not exact:
        raw = _filled(dtype, raw, size)
    return decode(dtype, shape, raw)


def _content_and_values(dtype: DType, data: Bytes) -> tuple[bytes, list[int | Bytes]]:
    """The raw bytes, and what stands in the field of the type."""
    content, values = b"", []
    own = _field(dtype)
    for number, value in read_fields(data):
        if number == _CONTENT:
            content = bytes(as_bytes(value))
        elif number == own:
            values.append(value)
        elif number in _VALUES and value != b"":
            raise FormatError(f"a {dtype} tensor has values in a field of another type")
    if content and values:
        raise FormatError(f"a {dtype} tensor has its values twice")
    return content, values


def _field(dtype: DType) -> int:
    return _FIELDS.get(dtype, _FLOAT8 if dtype.label.startswith("float8") else _INT)


def _raw_value(dtype: DType, value: int | Bytes) -> Bytes:
    """The bytes of what stands in the field of the type: of one number, or of many packed."""
    field = _field(dtype)
    if field == _FLOAT8:
        return as_bytes(value)
    return _fixed(value, _FIXED_FIELDS[field]) if field in _FIXED_FIELDS else _narrowed(packed_varints(value), dtype)


def _fixed(value: int | Bytes, size: int) -> Bytes:
    """The bytes of one number, or of many packed."""
    if not isinstance(value, int):
        return value
    if value >> 8 * size:
        raise FormatError(f"a number of {size} bytes is larger than they can hold")
    return value.to_bytes(size, "little")


def _narrowed(numbers: list[int], dtype: DType) -> bytes:
    """Varints as little-endian numbers of the type's size; negative ones come as 64 bits in two's complement."""
    import numpy as np

    wide = np.array(numbers, dtype=np.uint64)
    return wide.astype(f"<u{dtype.itemsize}").tobytes()


def _filled(dtype: DType, raw: bytes, size: int) -> bytes:
    """The values with the last one repeated; none at all mean zeros, as proto3 leaves a single zero out."""
    if size > _MAX_FILLED:
        raise FormatError(f"a constant claims {size} bytes and holds {len(raw)}")
    itemsize = dtype.itemsize or 1
    last = raw[-itemsize:] if raw else bytes(itemsize)
    return raw + last * ((size - len(raw)) // itemsize)


def _strings(shape: tuple[int, ...], content: bytes, values: list[int | Bytes], *, exact: bool) -> np.ndarray:
    import numpy as np

    if content:
        raise FormatError("a tensor of strings has raw content")
    strings = [bytes(as_bytes(value)) for value in values]
    count = element_count(shape)
    if len(strings) > count or count > len(strings) + (0 if exact else _MAX_FILLED // 8):
        raise FormatError(f"{plural(len(strings), 'string')} cannot make a tensor of shape {list(shape)}")
    strings += [strings[-1] if strings else b""] * (count - len(strings))
    array = np.empty(count, dtype=object)
    array[:] = strings
    return shaped(array, shape)
