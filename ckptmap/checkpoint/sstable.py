"""Sorted tables as LevelDB and TensorFlow store them (tsl/lib/io/format.h, table_builder.h, block.cc).

A table is a row of blocks, an index block that names each by the last key it may hold, and a footer of 48 bytes.
A block holds entries with prefix-compressed keys, then the restart points; behind it lie a byte for the
compression and a masked CRC-32C over both.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ckptmap.checkpoint.crc import crc32c, mask, unmask
from ckptmap.checkpoint.wire import MAX_ITEMS, Bytes, FormatError, read_varint, varint

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

FOOTER_SIZE = 48
MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
_TRAILER_SIZE = 5
_PLAIN, _SNAPPY = b"\x00", b"\x01"
# A Snappy copy of three bytes makes at most 64: no honest block claims more.
_SNAPPY_RATIO = 22
# Bounds for hostile tables, whose keys grow by sharing a prefix; the longest honest key seen has 300 bytes.
_MAX_KEY = 1 << 16
_MAX_KEY_BYTES = 1 << 28
# Blocks are closed at 256 KiB: the index of a hundred gigabytes of variables stays far below this.
_MAX_BLOCK = 1 << 26
# TensorFlow's table options (tsl/lib/io/table_options.h).
_BLOCK_SIZE = 262144
_RESTART_INTERVAL = 16


@dataclass(frozen=True, slots=True)
class Handle:
    """Where a block lies, in bytes, without its trailer."""

    offset: int
    size: int

    def encode(self) -> bytes:
        """The two varints that stand for it in an index block or a footer."""
        return varint(self.offset) + varint(self.size)


def _read_handle(data: Bytes, position: int = 0) -> tuple[Handle, int]:
    offset, position = read_varint(data, position)
    size, position = read_varint(data, position)
    return Handle(offset, size), position


class _Met(NamedTuple):
    """What came by so far: the last key, and how many entries and how many bytes of keys."""

    last: bytes | None = None
    entries: int = 0
    key_bytes: int = 0


_NOTHING = _Met()


def block_entries(
    block: bytes, met: _Met = _NOTHING, most: int = MAX_ITEMS
) -> Generator[tuple[bytes, bytes], None, _Met]:
    """The (key, value) pairs of one uncompressed block, in order, all above the last key that was met.

    Returns what was met with them; ``most`` bounds the entries of all blocks together.

    Raises:
        FormatError: lengths that reach past the block, a key that shares more than there is, keys out of order.
    """
    end = _entries_end(block)
    position, key = 0, b""
    last, count, total = met
    while position < end:
        shared, unshared, length = block[position : position + 3]  # restart points follow the last entry
        if (shared | unshared | length) < 0x80:
            position += 3
        else:
            shared, position = read_varint(block, position)
            unshared, position = read_varint(block, position)
            length, position = read_varint(block, position)
        value_start = position + unshared
        if shared > len(key) or value_start + length > end or shared + unshared > _MAX_KEY:
            raise FormatError("an entry of a table block reaches past its bounds")
        key = key[:shared] + block[position:value_start]
        if last is not None and key <= last:
            raise FormatError("the keys of a table block are out of order")
        last, position = key, value_start + length
        count += 1
        total += len(key)
        if count > most or total > _MAX_KEY_BYTES:
            raise FormatError("the table claims to hold more than it can")
        yield key, block[value_start:position]
    return _Met(last, count, total)


def _entries_end(block: bytes) -> int:
    """Where the entries stop and the restart points begin."""
    if len(block) < 4:
        raise FormatError("a table block is shorter than its own counter")
    end = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little")
    if end < 0:
        raise FormatError("a table block claims more restart points than it can hold")
    return end


class SSTable:
    """A table that is read block by block.

    Args:
        read: gives ``length`` bytes from ``offset``; a shorter answer means that the file ends there.
        size: the file's size in bytes; every claim in the table is held against it.
        max_block: the bytes that a block may have, also when it is uncompressed.

    Raises:
        FormatError: no footer with the magic number, or a damaged index block.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: int, max_block: int = _MAX_BLOCK) -> None:
        self._read = read
        self._size = size
        self._max_block = max_block
        footer = read(max(0, size - FOOTER_SIZE), FOOTER_SIZE)
        if len(footer) < FOOTER_SIZE or footer[-8:] != MAGIC:
            raise FormatError("the table's footer is missing: the file is cut off or something else")
        _, position = _read_handle(footer)
        index, _ = _read_handle(footer, position)
        self._last_keys: list[bytes] = []
        self._handles: list[Handle] = []
        self._read_index(index)
        self._cached: tuple[Handle, dict[bytes, bytes]] | None = None

    def _read_index(self, index: Handle) -> None:
        """The blocks by their last keys; they follow one another, so there are no more than the file can hold."""
        end = 0
        for key, value in block_entries(self.block(index)):
            handle, _ = _read_handle(value)
            if handle.offset < end or handle.size > self._size:
                raise FormatError("the blocks of the table overlap or lie outside the file")
            end = handle.offset + handle.size + _TRAILER_SIZE
            self._last_keys.append(key)
            self._handles.append(handle)
        if end > self._size:
            raise FormatError("a table block lies outside the file: the file is cut off")

    def block(self, handle: Handle) -> bytes:
        """The block at ``handle``, checked and uncompressed.

        Raises:
            FormatError: it lies outside the file, its checksum is wrong, or its compression is unknown.
        """
        if handle.offset + handle.size + _TRAILER_SIZE > self._size:
            raise FormatError("a table block lies outside the file: the file is cut off")
        if handle.size > self._max_block:
            raise FormatError(f"a table block claims {handle.size} bytes")
        data = self._read(handle.offset, handle.size + _TRAILER_SIZE)
        if len(data) != handle.size + _TRAILER_SIZE:
            raise FormatError("the file is shorter than it was a moment ago")
        stored = int.from_bytes(data[-4:], "little")
        if crc32c(memoryview(data)[:-4]) != unmask(stored):
            raise FormatError(f"the checksum of the table block at byte {handle.offset} is wrong")
        return _uncompressed(data[:-_TRAILER_SIZE], data[-_TRAILER_SIZE:-4], self._max_block)

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Every (key, value) pair, in the order of the keys.

        Raises:
            FormatError: a damaged block, or keys out of order.
        """
        # an entry with its checksum and its place costs more than a byte, however well it is compressed
        most = min(self._size, MAX_ITEMS)
        met = _NOTHING
        for handle in self._handles:
            met = yield from block_entries(self.block(handle), met, most)

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``, None where the table has no such key; reads one block and keeps it for the next."""
        place = bisect_left(self._last_keys, key)
        if place == len(self._handles):
            return None
        handle = self._handles[place]
        if self._cached is None or self._cached[0] != handle:
            self._cached = handle, dict(block_entries(self.block(handle)))
        return self._cached[1].get(key)


def _uncompressed(data: bytes, compression: bytes, max_size: int) -> bytes:
    if compression == _PLAIN:
        return data
    if compression != _SNAPPY:
        raise FormatError(f"a table block has the unknown compression {compression[0]}")
    claimed, _ = read_varint(data, 0)
    if claimed > min(_SNAPPY_RATIO * len(data), max_size):
        raise FormatError("a Snappy block claims to hold more than it can")
    import cramjam

    try:
        block = bytes(cramjam.snappy.decompress_raw(data))
    except cramjam.DecompressionError as error:
        raise FormatError("a Snappy block is damaged") from error
    if len(block) != claimed:
        raise FormatError("a Snappy block does not hold what it claims")
    return block


class _BlockBuilder:
    """Collects entries into one block."""

    def __init__(self, restart_interval: int) -> None:
        self._interval = restart_interval
        self._entries = bytearray()
        self._restarts = [0]
        self._count = 0
        self.last_key = b""

    def __len__(self) -> int:
        return len(self._entries) + 4 * len(self._restarts) + 4

    @property
    def empty(self) -> bool:
        return not self._entries

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self._count == self._interval:
            self._restarts.append(len(self._entries))
            self._count = 0
        else:
            shared = _common_prefix(self.last_key, key)
        unshared, size = len(key) - shared, len(value)
        if shared | unshared | size < 0x80:  # as nearly all are
            self._entries += bytes((shared, unshared, size))
        else:
            self._entries += varint(shared) + varint(unshared) + varint(size)
        self._entries += key[shared:]
        self._entries += value
        self._count += 1
        self.last_key = key

    def finish(self) -> bytes:
        restarts = b"".join(place.to_bytes(4, "little") for place in (*self._restarts, len(self._restarts)))
        return bytes(self._entries) + restarts


def _common_prefix(left: bytes, right: bytes) -> int:
    """How many bytes both begin with."""
    end = min(len(left), len(right))
    differing = int.from_bytes(left[:end], "big") ^ int.from_bytes(right[:end], "big")
    return end - (differing.bit_length() + 7) // 8


def _separator(last: bytes, following: bytes) -> bytes:
    """A short key that is not below ``last`` and below ``following``, as TensorFlow picks it."""
    place = _common_prefix(last, following)
    if place < min(len(last), len(following)) and last[place] < 0xFF and last[place] + 1 < following[place]:
        return last[:place] + bytes([last[place] + 1])
    return last


def _successor(last: bytes) -> bytes:
    """A short key that is not below ``last``, as TensorFlow picks it."""
    place = next((place for place, byte in enumerate(last) if byte != 0xFF), None)
    return last if place is None else last[:place] + bytes([last[place] + 1])


class TableWriter:
    """Writes a table of plain blocks, byte for byte as TensorFlow does.

    Args:
        write: takes the bytes in order.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._offset = 0
        self._block = _BlockBuilder(_RESTART_INTERVAL)
        self._index = _BlockBuilder(1)
        self._pending: tuple[bytes, Handle] | None = None
        self._last_key: bytes | None = None

    def add(self, key: bytes, value: bytes) -> None:
        """One entry; keys must come in rising order of their bytes.

        Raises:
            ValueError: ``key`` is not above the one before it.
        """
        if self._last_key is not None and key <= self._last_key:
            raise ValueError(f"table keys out of order: {key!r} after {self._last_key!r}")
        if self._pending:
            last, handle = self._pending
            self._index.add(_separator(last, key), handle.encode())
            self._pending = None
        self._block.add(key, value)
        self._last_key = key
        if len(self._block) >= _BLOCK_SIZE:
            self._flush()

    def finish(self) -> None:
        """Writes the last block, the index block and the footer."""
        if not self._block.empty:
            self._flush()
        if self._pending:
            last, handle = self._pending
            self._index.add(_successor(last), handle.encode())
        meta_index = self._write_block(_BlockBuilder(_RESTART_INTERVAL).finish())
        index = self._write_block(self._index.finish())
        self._write((meta_index.encode() + index.encode()).ljust(FOOTER_SIZE - len(MAGIC), b"\x00") + MAGIC)

    def _flush(self) -> None:
        self._pending = self._block.last_key, self._write_block(self._block.finish())
        self._block = _BlockBuilder(_RESTART_INTERVAL)

    def _write_block(self, block: bytes) -> Handle:
        handle = Handle(self._offset, len(block))
        checked = block + _PLAIN
        self._write(checked + mask(crc32c(checked)).to_bytes(4, "little"))
        self._offset += len(block) + _TRAILER_SIZE
        return handle
