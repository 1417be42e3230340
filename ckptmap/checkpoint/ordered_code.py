"""Keys of tensor slices, in the encoding that keeps their order (tensorflow/core/util/saved_tensor_slice_util.cc).

A part of a partitioned variable is stored under ``0, name, rank, (start, length) …``, each written as OrderedCode
writes it (tensorflow/core/lib/strings/ordered_code.cc). A dimension that is not cut is ``(0, -1)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FULL = -1
"""The length of a dimension that a slice takes whole."""

_HEADER_BITS = (0, 0x80, 0xC0, 0xE0, 0xF0, 0xF8, 0xFC, 0xFE, 0xFF, 0xFF80, 0xFFC0)
_ESCAPED = {0x00: b"\x00\xff", 0xFF: b"\xff\x00"}


def encode_number(value: int) -> bytes:
    """An unsigned number: the count of its bytes, then those, big end first."""
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([len(data)]) + data


def encode_signed(value: int) -> bytes:
    """A signed number: its length in leading one bits, flipped where the number is negative."""
    length = (~value if value < 0 else value).bit_length() // 7 + 1
    # one header bit a byte; from nine bytes on the header spills into the second byte
    header = _HEADER_BITS[length] << (8 * (length - (2 if length > 8 else 1)))
    return ((value & ((1 << 8 * length) - 1)) ^ header).to_bytes(length, "big")


def encode_string(value: bytes) -> bytes:
    """A string: 0x00 and 0xff escaped, ended by 0x00 0x01."""
    return b"".join(_ESCAPED.get(byte) or bytes([byte]) for byte in value) + b"\x00\x01"


def slice_key(name: bytes, extents: Iterable[tuple[int, int]]) -> bytes:
    """The table key of the part of ``name`` with these (start, length) pairs, one a dimension."""
    pairs = tuple(extents)
    numbers = b"".join(encode_signed(start) + encode_signed(length) for start, length in pairs)
    return encode_number(0) + encode_string(name) + encode_number(len(pairs)) + numbers
