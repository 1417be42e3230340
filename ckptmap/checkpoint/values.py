"""Values as a V2 bundle stores them: little-endian rows, and strings with their lengths and checksum in front.

Strings (tensorflow/core/util/tensor_bundle/tensor_bundle.cc, WriteStringTensor): a varint64 length for each, a masked
CRC-32C over the lengths, the bytes one after the other. Lengths enter a checksum as uint32, or as uint64 where they
do not fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.basics.text import counted, plural
from ckptmap.checkpoint.crc import crc32c, mask
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.wire import Bytes, FormatError, read_varint, varint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

_UINT32_MAX = (1 << 32) - 1
_NUMPY_MAX_RANK = 64


def decode(dtype: DType, shape: tuple[int, ...], raw: Bytes) -> np.ndarray:
    """The values in ``raw``: an array of ``shape``, read-only, of ``dtype.numpy``; objects of ``bytes`` for strings.

    Raises:
        FormatError: the bytes do not fill the shape, or NumPy cannot hold it (more than 64 dimensions).
    """
    import numpy as np

    if dtype is DType.STRING:
        elements = element_count(shape)
        array = np.empty(elements, dtype=object)
        array[:] = split_strings(raw, elements)[0]
        return shaped(array, shape)
    if len(raw) != element_count(shape) * (dtype.itemsize or 0):
        raise FormatError(f"{plural(len(raw), 'byte')} cannot make a {dtype} tensor of shape {list(shape)}")
    return shaped(np.frombuffer(raw, dtype=dtype.numpy.newbyteorder("<")), shape)


def shaped(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """``array`` in the shape that a file states.

    Raises:
        FormatError: NumPy cannot hold it (more than 64 dimensions, or lengths that overflow).
    """
    if len(shape) > _NUMPY_MAX_RANK:
        raise FormatError(f"a tensor of {len(shape)} dimensions is more than NumPy holds ({_NUMPY_MAX_RANK})")
    try:
        return array.reshape(shape)
    except ValueError as error:
        raise FormatError(f"NumPy cannot hold a tensor of shape {list(shape)}") from error


def encode(dtype: DType, array: np.ndarray) -> bytes:
    """The bytes that a V2 bundle stores for ``array``, of any layout and byte order; strings as objects of bytes."""
    import numpy as np

    if dtype is DType.STRING:
        return join_strings([bytes(item) for item in array.reshape(-1)])
    return np.ascontiguousarray(array, dtype=dtype.numpy.newbyteorder("<")).tobytes()


def element_count(shape: Iterable[int]) -> int:
    """The product of ``shape``; 1 for a scalar."""
    count = 1
    for dim in shape:
        count *= dim
    return count


def split_strings(raw: Bytes, count: int) -> tuple[list[bytes], int]:
    """The strings in ``raw``, and the CRC-32C that the index states for it.

    Raises:
        FormatError: lengths that do not fit the bytes, or a wrong checksum over the lengths.
    """
    if count + 4 > len(raw):
        raise FormatError(f"{counted(len(raw), 'byte', 'is', 'are')} too few for {plural(count, 'string')}")
    raw = memoryview(raw)
    lengths, position = [], 0
    for _ in range(count):
        length, position = read_varint(raw, position)
        lengths.append(length)
    crc = crc32c(_lengths(lengths))
    stored = bytes(raw[position : position + 4])
    position += 4
    if sum(lengths) != len(raw) - position:
        raise FormatError("the lengths of the strings do not add up to their bytes")
    if int.from_bytes(stored, "little") != mask(crc):
        raise FormatError("the checksum over the lengths of the strings is wrong")
    crc = crc32c(raw[position:], crc32c(stored, crc))
    strings = []
    for length in lengths:
        strings.append(bytes(raw[position : position + length]))
        position += length
    return strings, crc


def join_strings(strings: Sequence[bytes]) -> bytes:
    """The bytes that stand for ``strings``."""
    lengths = [len(string) for string in strings]
    checksum = mask(crc32c(_lengths(lengths))).to_bytes(4, "little")
    return b"".join((*(varint(length) for length in lengths), checksum, *strings))


def one_string(length: int) -> tuple[bytes, int]:
    """What stands before a string of ``length`` bytes that is alone, and the CRC-32C with which its own begins."""
    crc = crc32c(_lengths([length]))
    stored = mask(crc).to_bytes(4, "little")
    return varint(length) + stored, crc32c(stored, crc)


def _lengths(lengths: list[int]) -> bytes:
    return b"".join(length.to_bytes(4 if length <= _UINT32_MAX else 8, "little") for length in lengths)


def checksum(dtype: DType, shape: tuple[int, ...], raw: Bytes) -> int:
    """The CRC-32C that an index states for ``raw``: over the bytes, except for strings."""
    return split_strings(raw, element_count(shape))[1] if dtype is DType.STRING else crc32c(raw)
