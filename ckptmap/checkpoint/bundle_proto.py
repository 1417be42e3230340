"""The messages in a V2 index: BundleHeaderProto and BundleEntryProto (tensorflow/core/protobuf/tensor_bundle.proto)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ckptmap.checkpoint.crc import mask, unmask
from ckptmap.checkpoint.ordered_code import FULL
from ckptmap.checkpoint.wire import (
    FEW_BYTES,
    Bytes,
    FormatError,
    as_bytes,
    as_int,
    bytes_field,
    few_bytes,
    fixed32_field,
    number_field,
    read_fields,
    signed,
    varint,
)

HEADER_KEY = b""
_VERSION = 1
_MAX_SHARDS = 99_999
_MAX_RANK = 254
_MAX_ELEMENTS = 1 << 62

_LENGTHS = rb"(?:\x12[\x02-\x0b]\x08[\x80-\xff]*[\x00-\x7f])*"
_USUAL = re.compile(
    rb"(?P<kind>\x08[\x00-\x7f]\x12[\x00-\x7f]%b)"
    rb"(?:\x18(?P<shard>%b))?(?:\x20(?P<offset>%b))?(?:\x28(?P<size>%b))?\x35(?P<crc>....)"
    % (_LENGTHS, FEW_BYTES, FEW_BYTES, FEW_BYTES),
    re.DOTALL,
)
"""An entry as TensorFlow writes it, whole, of numbers below 2 to the 35th."""

_CONTINUED = tuple(int.from_bytes(b"\x80" * size, "little") for size in range(6))
"""The highest bits of so many bytes: of a varint, all but that of the last byte are set."""
_SHARD, _OFFSET = 0x18, 0x20
"""The tags of these fields."""

Extents = tuple[tuple[int, int], ...]
"""One slice: (start, length) a dimension, length -1 where it takes the dimension whole."""


class Entry(NamedTuple):
    """One tensor of the index: ``dtype`` is the number in ``DataType``, ``crc32c`` is unmasked."""

    dtype: int
    shape: tuple[int, ...]
    shard: int = 0
    offset: int = 0
    size: int = 0
    crc32c: int | None = None
    slices: tuple[Extents, ...] = ()


def parse_header(data: bytes) -> int:
    """The number of shards.

    Raises:
        FormatError: big-endian values, a version that this format has not reached, or an impossible number.
    """
    shards = 0
    for number, value in read_fields(data):
        if number == 1:
            shards = as_int(value)
        elif number == 2 and value:
            raise FormatError(
                "its values are big-endian, as on the machine that wrote it: save it again on a little-endian machine"
            )
        elif number == 3:
            _check_version(as_bytes(value))
    if not 0 < shards <= _MAX_SHARDS:
        raise FormatError(f"the index claims {signed(shards)} data files")
    return shards


def _check_version(data: Bytes) -> None:
    for number, value in read_fields(data):
        if number == 2 and (needed := as_int(value)) > _VERSION:
            raise FormatError(f"the index needs a reader of version {needed}; this one knows version {_VERSION}")


def format_header(shards: int) -> bytes:
    """The header that TensorFlow writes: little-endian, producer version 1."""
    return number_field(1, shards) + bytes_field(3, number_field(1, _VERSION))


def parse_entry(data: bytes) -> Entry:
    """One entry of the index.

    Raises:
        FormatError: a malformed message, a negative or overflowing shape, a place that cannot be.
    """
    found = _USUAL.fullmatch(data)
    if found is not None:
        kind, shard, offset, size, crc = found.groups(b"\x00")
        if len(kind) - 4 == kind[3] and (number := few_bytes(shard)) <= _MAX_SHARDS:
            checksum = unmask(int.from_bytes(crc, "little"))
            return Entry(*parse_kind(kind), number, few_bytes(offset), few_bytes(size), checksum)
    return _parse_fields(data)


def usual_kind(data: bytes) -> bytes | None:
    """What a usual entry begins with, for ``parse_kind``: dtype and shape. None of any other, which is read alone."""
    found = _USUAL.fullmatch(data)
    return found["kind"] if found is not None and len(found["kind"]) - 4 == found["kind"][3] else None


def usual_place(data: bytes, start: int, behind: bytes) -> tuple[int, int, int] | None:
    """Shard, offset and checksum of an entry whose dtype and shape end at ``start``, where it is usual; else None.

    ``behind`` is what then stands between the offset and the checksum.
    """
    end = len(data) - 4 - len(behind)
    if end < start + 2 or data[end:-4] != behind:
        return None
    shard = 0
    if data[start] == _SHARD:
        shard, start = data[start + 1], start + 2
    raw = data[start + 1 : end]
    size = len(raw)
    if shard > 0x7F or data[start] != _OFFSET or not 0 < size < len(_CONTINUED):
        return None
    if int.from_bytes(raw, "little") & _CONTINUED[size] != _CONTINUED[size - 1]:
        return None
    return shard, few_bytes(raw), unmask(int.from_bytes(data[-4:], "little"))


def parse_kind(kind: bytes) -> tuple[int, tuple[int, ...]]:
    """The number of the dtype and the shape.

    Raises:
        FormatError: as ``parse_shape``.
    """
    return kind[1], parse_shape(kind[4:])


def _parse_fields(data: bytes) -> Entry:
    """One entry of the index, whatever the order of its fields."""
    numbers = {1: 0, 3: 0, 4: 0, 5: 0}
    shape: tuple[int, ...] = ()
    crc: int | None = None
    slices = []
    for number, value in read_fields(data):
        if number in numbers:
            numbers[number] = as_int(value)
        elif number == 2:
            shape = parse_shape(bytes(as_bytes(value)))
        elif number == 6:
            crc = unmask(as_int(value))
        elif number == 7:
            slices.append(parse_slice(as_bytes(value)))
    dtype, shard, offset, size = numbers.values()
    if shard > _MAX_SHARDS or offset >> 62 or size >> 62:
        raise FormatError("an entry of the index has an impossible place")
    if crc is None and not slices:
        crc = unmask(0)  # proto3 leaves a stored 0 out
    return Entry(dtype, shape, shard, offset, size, crc, tuple(slices))


@lru_cache(maxsize=4096)
def parse_shape(data: bytes) -> tuple[int, ...]:
    """A TensorShapeProto (tensorflow/core/framework/tensor_shape.proto).

    Raises:
        FormatError: an unknown rank, a negative dimension, or more elements than 62 bits can count.
    """
    dims = []
    for number, value in read_fields(data):
        if number == 2:
            dims.append(_field(as_bytes(value), 1))
        elif number == 3 and value:
            raise FormatError("a shape has no known rank")
    check_shape(dims)
    return tuple(dims)


def check_shape(dims: list[int]) -> None:
    """Refuses shapes that no tensor has.

    Raises:
        FormatError: a negative dimension, too many dimensions, or a product that overflows.
    """
    if len(dims) > _MAX_RANK or any(dim < 0 for dim in dims):
        raise FormatError(f"a shape of {len(dims)} dimensions is impossible: {dims[:8]}")
    elements = 1
    for dim in dims:
        elements *= dim or 1
        if elements > _MAX_ELEMENTS:
            raise FormatError(f"a shape holds more elements than can be counted: {dims[:8]}")


def _field(data: Bytes, wanted: int, default: int = 0) -> int:
    result = default
    for number, value in read_fields(data):
        if number == wanted:
            result = signed(as_int(value))
    return result


def parse_slice(data: Bytes) -> Extents:
    """A TensorSliceProto (tensorflow/core/framework/tensor_slice.proto)."""
    return tuple(
        (_field(as_bytes(value), 1), _field(as_bytes(value), 2, default=FULL))
        for number, value in read_fields(data)
        if number == 1
    )


@lru_cache(maxsize=4096)
def format_shape(shape: tuple[int, ...]) -> bytes:
    """The TensorShapeProto of ``shape``."""
    return b"".join(bytes_field(2, number_field(1, dim)) for dim in shape)


def _format_slice(extents: Extents) -> bytes:
    return b"".join(bytes_field(1, _format_extent(start, length)) for start, length in extents)


def _format_extent(start: int, length: int) -> bytes:
    # length is part of a oneof: 0 is written, absence means the whole dimension
    return number_field(1, start) + (b"" if length == FULL else b"\x10" + varint(length))


def format_entry(entry: Entry) -> bytes:
    """The BundleEntryProto, field by field in TensorFlow's order."""
    whole = (
        _format_kind(entry.dtype, entry.shape)
        + (_shard_field(entry.shard) if entry.shard else b"")
        + (number_field(4, entry.offset) if entry.offset else b"")
        + _size_field(entry.size)
        + (b"" if entry.crc32c is None else fixed32_field(6, mask(entry.crc32c)))
    )
    if not entry.slices:
        return whole
    return b"".join((whole, *(bytes_field(7, _format_slice(extents)) for extents in entry.slices)))


@lru_cache(maxsize=4096)
def _format_kind(dtype: int, shape: tuple[int, ...]) -> bytes:
    """What values of a type and a shape have in common; few are different."""
    return number_field(1, dtype) + bytes_field(2, format_shape(shape))


@lru_cache(maxsize=256)
def _shard_field(shard: int) -> bytes:
    return number_field(3, shard)


@lru_cache(maxsize=4096)
def _size_field(size: int) -> bytes:
    return number_field(5, size)
