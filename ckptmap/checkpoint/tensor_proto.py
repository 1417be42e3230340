"""Tensors inside messages (tensorflow/core/framework/tensor.proto): V1 slices and constants of graphs.

The values stand in ``tensor_content`` as raw bytes, or in a repeated field of their kind. Fewer values than elements
mean that the last one fills the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.checkpoint.bundle_proto import parse_shape
from ckptmap.checkpoint.dtypes import DType, dtype_from_number
from ckptmap.checkpoint.values import decode, element_count, shaped
from ckptmap.checkpoint.wire import Bytes, FormatError, as_bytes, as_int, packed_varints, read_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

_DTYPE, _SHAPE, _CONTENT, _HALF, _STRING, _FLOAT8 = 1, 2, 4, 13, 8, 18
# fields that hold packed bytes of the values themselves, by the bytes of one number
_FIXED_FIELDS = {5: 4, 6: 8, 9: 4, 12: 8}
# fields of varints: int_val, int64_val, bool_val, half_val, uint32_val, uint64_val
_VARINT_FIELDS = frozenset({7, 10, 11, _HALF, 16, 17})
_VARINT_SIZES = (1, 2, 4, 8)
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


def tensor_values(dtype: DType, shape: tuple[int, ...], data: Bytes) -> np.ndarray:
    """The values in a TensorProto, whose own type and shape may be left out (V1 slices do so).

    Raises:
        FormatError: a malformed message, more values than elements, none where there are some to fill.
    """
    if dtype is DType.STRING:
        return _strings(shape, data)
    raw = b"".join(_raw_values(dtype, data))
    size = element_count(shape) * (dtype.itemsize or 0)
    if len(raw) < size:
        raw = _filled(dtype, raw, size)
    return decode(dtype, shape, raw)


def _raw_values(dtype: DType, data: Bytes) -> Iterator[Bytes]:
    """The bytes of the values, in the order of the message."""
    for number, value in read_fields(data):
        if number in {_CONTENT, _FLOAT8}:
            yield as_bytes(value)
        elif number in _FIXED_FIELDS:
            yield _fixed(value, _FIXED_FIELDS[number])
        elif number in _VARINT_FIELDS:
            yield _narrowed(packed_varints(value), dtype)


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

    if dtype.itemsize not in _VARINT_SIZES:
        raise FormatError(f"a {dtype} tensor has its values in a field of whole numbers")
    wide = np.array(numbers, dtype=np.uint64)
    return wide.astype(f"<u{dtype.itemsize}").tobytes()


def _filled(dtype: DType, raw: bytes, size: int) -> bytes:
    """The values with the last one repeated; none at all mean zeros, as proto3 leaves a single zero out."""
    if size > _MAX_FILLED:
        raise FormatError(f"a constant claims {size} bytes and holds {len(raw)}")
    itemsize = dtype.itemsize or 1
    last = raw[-itemsize:] if raw else bytes(itemsize)
    return raw + last * ((size - len(raw)) // itemsize)


def _strings(shape: tuple[int, ...], data: Bytes) -> np.ndarray:
    import numpy as np

    strings = [bytes(as_bytes(value)) for number, value in read_fields(data) if number == _STRING]
    count = element_count(shape)
    if len(strings) > count or count > len(strings) + _MAX_FILLED // 8:
        raise FormatError(f"{len(strings)} strings do not make a tensor of shape {list(shape)}")
    strings += [strings[-1] if strings else b""] * (count - len(strings))
    array = np.empty(count, dtype=object)
    array[:] = strings
    return shaped(array, shape)
