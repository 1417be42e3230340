"""The protobuf wire format, bounded: what a message claims never reaches past its own bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Bytes: TypeAlias = "bytes | memoryview"

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
"""The bytes of a number that is no varint."""
_INT64_SIGN = 1 << 63
_UINT64 = (1 << 64) - 1
FEW_BYTES = rb"[\x80-\xff]{0,4}[\x00-\x7f]"
"""A pattern for ``re``: the varints of five bytes at most, for ``few_bytes``."""
_SMALL = tuple(bytes([value]) for value in range(0x80))
"""The varints of one byte, which nearly all are."""


MAX_ITEMS = 1 << 20
"""More variables, objects or nodes than any honest file has: it bounds what the values made of them take."""

_Item = TypeVar("_Item")


class FormatError(ValueError):
    """Bytes that are not what the format demands; readers add the file's name."""


def read_varint(data: Bytes, position: int) -> tuple[int, int]:
    """The unsigned 64-bit varint at ``position`` and the position behind it.

    Raises:
        FormatError: it runs past the end of ``data`` or past 64 bits.
    """
    if position < len(data) and (first := data[position]) < 0x80:
        return first, position + 1
    value = shift = 0
    for byte in data[position : position + 10]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            if value > _UINT64:
                break
            return value, position + shift // 7
    raise FormatError("a varint is cut off or longer than 64 bits")


def few_bytes(raw: bytes) -> int:
    """The number that a varint of five bytes at most stands for, the whole of ``raw``."""
    size = len(raw)
    if size == 1:
        return raw[0]
    if size == 2:
        return raw[0] & 0x7F | raw[1] << 7
    if size == 3:
        return raw[0] & 0x7F | (raw[1] & 0x7F) << 7 | raw[2] << 14
    number = int.from_bytes(raw, "little")
    return (
        (number & 0x7F)
        | (number >> 1 & 0x3F80)
        | (number >> 2 & 0x1FC000)
        | (number >> 3 & 0xFE00000)
        | (number >> 4 & 0x7F0000000)
    )


def signed(value: int) -> int:
    """A varint read as int64: negative numbers are stored in two's complement."""
    return value - (1 << 64) if value & _INT64_SIGN else value


def read_fields(data: Bytes) -> Iterator[tuple[int, int | Bytes]]:
    """Each field of a message: its number with an int (varint, fixed32, fixed64) or the bytes of a nested value.

    Slices of a ``memoryview`` are views, so that large messages are walked without copying.

    Raises:
        FormatError: a field is cut off, or of a wire type that proto3 does not write (groups).
    """
    position, end = 0, len(data)
    while position < end:
        if (tag := data[position]) < 0x80:  # read_varint, inline for the one byte that nearly every tag is
            position += 1
        else:
            tag, position = read_varint(data, position)
        wire_type = tag & 7
        if wire_type in _FIXED:
            number = _FIXED[wire_type]
        elif wire_type > _LENGTH:
            raise FormatError(f"a message has a field of unknown wire type {wire_type}")
        elif position < end and (number := data[position]) < 0x80:  # and for most numbers and lengths
            position += 1
        else:
            number, position = read_varint(data, position)
        if wire_type == _VARINT:
            yield tag >> 3, number
            continue
        if number > end - position:
            raise FormatError(f"a field of {number} bytes reaches past the end of its message")
        piece = data[position : position + number]
        position += number
        yield tag >> 3, piece if wire_type == _LENGTH else int.from_bytes(piece, "little")


def bounded(items: Iterable[_Item], what: str) -> Iterator[_Item]:
    """``items``, one by one.

    Raises:
        FormatError: there are more than :data:`MAX_ITEMS`.
    """
    for number, item in enumerate(items):
        if number == MAX_ITEMS:
            raise FormatError(f"it claims more than {MAX_ITEMS} {what}")
        yield item


def as_int(value: int | Bytes) -> int:
    """The value of a number field.

    Raises:
        FormatError: it holds bytes.
    """
    if isinstance(value, int):
        return value
    raise FormatError("a number is stored as bytes")


def as_bytes(value: int | Bytes) -> Bytes:
    """The value of a field that holds bytes, text or a message.

    Raises:
        FormatError: it holds a number.
    """
    if isinstance(value, int):
        raise FormatError("a message is stored as a number")
    return value


def as_text(value: int | Bytes) -> str:
    """The value of a text field; bytes that are not UTF-8 survive as surrogates (``surrogateescape``)."""
    return bytes(as_bytes(value)).decode("utf-8", "surrogateescape")


def packed_varints(value: int | Bytes) -> list[int]:
    """One occurrence of a repeated varint field: a single number, or many packed."""
    if isinstance(value, int):
        return [value]
    numbers, position = [], 0
    while position < len(value):
        number, position = read_varint(value, position)
        numbers.append(number)
    return numbers


def varint(value: int) -> bytes:
    """``value`` as a varint; negative numbers as int64, ten bytes."""
    if 0 <= value < 0x80:
        return _SMALL[value]
    if 0 <= value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    if 0 <= value < 0x200000:
        return bytes((value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14))
    if 0 <= value < 0x10000000:
        return bytes((value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14 & 0x7F | 0x80, value >> 21))
    value &= _UINT64
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number_field(number: int, value: int) -> bytes:
    """A varint field; nothing for 0, as proto3 writes it."""
    return varint(number << 3 | _VARINT) + varint(value) if value else b""


def fixed32_field(number: int, value: int) -> bytes:
    """A fixed32 field; nothing for 0."""
    return varint(number << 3 | _FIXED32) + value.to_bytes(4, "little") if value else b""


def bytes_field(number: int, value: bytes) -> bytes:
    """A field of bytes or of a nested message, written even when empty."""
    tag, size = number << 3 | _LENGTH, len(value)
    if tag < 0x80:  # as nearly all are
        if size < 0x80:
            return _SMALL[tag] + _SMALL[size] + value
        if size < 0x4000:
            return bytes((tag, size & 0x7F | 0x80, size >> 7)) + value
    return varint(tag) + varint(size) + value


def text_field(number: int, value: str) -> bytes:
    """A text field; nothing for the empty text."""
    return bytes_field(number, value.encode("utf-8", "surrogateescape")) if value else b""
