"""V2 bundles, written as TensorFlow writes them (tensorflow/core/util/tensor_bundle/tensor_bundle.cc)."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from ckptmap.basics.errors import CheckpointError
from ckptmap.basics.regular import open_unbuffered
from ckptmap.basics.text import plural
from ckptmap.checkpoint.bundle import data_path, index_path
from ckptmap.checkpoint.bundle_proto import HEADER_KEY, Entry, Extents, format_entry, format_header
from ckptmap.checkpoint.cloning import How, copy_range, duplicate
from ckptmap.checkpoint.crc import crc32c
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.files import read_errors
from ckptmap.checkpoint.inventory import Span
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.ordered_code import FULL, slice_key
from ckptmap.checkpoint.sstable import TableWriter
from ckptmap.checkpoint.staging import output_errors
from ckptmap.checkpoint.state import STATE_FILE, format_state
from ckptmap.checkpoint.values import checksum, element_count, one_string

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from typing_extensions import Self

    from ckptmap.checkpoint.staging import Waiting

OWN_DATA = "own.data"
"""What the data file of a bundle's own is called before ``finish`` names it."""
_OWN = -1


class Written(NamedTuple):
    """A value that was written: its size in bytes and the CRC-32C that the index states for it."""

    size: int
    crc32c: int


class BundleWriter:
    """Writes the bundle ``name`` into a staging folder; nothing is visible before ``staging.commit()``.

    Values go into one data file of the writer's own, in the order of the calls; adopted files come before it. A context
    manager, so that the data file of a bundle that is given up is closed.

    ``wrote`` is called with the place of each value, strings aside, once its bytes are on the way to ``OWN_DATA``,
    which need not have them all yet.
    """

    def __init__(self, staging: Waiting, name: str, wrote: Callable[[Span], object] | None = None) -> None:
        self._staging = staging
        self._name = name
        self._wrote = wrote
        self._entries: dict[bytes, Entry] = {}
        self._adopted: list[str] = []
        self._offset = 0
        self._data_path = staging.unnamed(OWN_DATA)
        self._data: BinaryIO | None = None
        self._copied: tuple[str, BinaryIO] | None = None

    def add(
        self,
        key: str,
        dtype: DType,
        shape: tuple[int, ...],
        chunks: Iterable[bytes | memoryview],
        *,
        expected: int | None = None,
    ) -> Written:
        """Appends a value.

        Args:
            key: its name in the index.
            dtype: its type.
            shape: its shape.
            chunks: its bytes as a bundle stores them (``values.encode``), consumed once, never held together.
            expected: the CRC-32C that the bytes must have, where it is known.

        Raises:
            ValueError: the key was written before, or the bytes do not fill the shape.
            CheckpointError: the bytes do not have the expected checksum.
            OutputError: the file cannot be written.
        """
        return self._append(_encoded(key), dtype, shape, chunks, expected)

    def add_string(self, key: str, string: bytes | bytearray) -> Written:
        """Appends a scalar string, however long.

        Raises:
            ValueError: the key was written before.
            OutputError: the file cannot be written.
        """
        head, crc = one_string(len(string))
        written = Written(len(head) + len(string), crc32c(string, crc))
        with output_errors(self._data_path):
            self._own_data().writelines((head, string))
        self._enter(_encoded(key), Entry(DType.STRING.number, (), _OWN, self._offset, written.size, written.crc32c))
        self._offset += written.size
        return written

    def add_part(
        self, key: str, dtype: DType, shape: tuple[int, ...], extents: Extents, chunks: Iterable[bytes | memoryview]
    ) -> Written:
        """Appends one part of a partitioned variable: ``extents`` are (start, length) pairs, one a dimension.

        A part that is all of it becomes a plain value, as in ``BundleWriter::AddSlice``: TensorFlow reads no other.

        Raises:
            ValueError: the part was written before, the bytes do not fill it, or ``key`` has another shape.
            OutputError: the file cannot be written.
        """
        name = _encoded(key)
        whole = self._entries.get(name, Entry(dtype.number, shape))
        if whole.shape != shape or (name in self._entries and not whole.slices):
            raise ValueError(f"{key!r} was written with another shape, or whole")
        lengths = tuple(dim if length == FULL else length for (_, length), dim in zip(extents, shape, strict=True))
        if lengths == shape:
            return self._append(name, dtype, shape, chunks, None)
        written = self._append(slice_key(name, extents), dtype, lengths, chunks, None)
        self._entries[name] = whole._replace(slices=(*whole.slices, extents))
        return written

    def add_stored(self, key: str, dtype: DType, shape: tuple[int, ...], path: str, span: Span) -> Written:
        """Appends a value whose bytes another data file holds; they are copied unread, their checksum is kept.

        Args:
            key: its name in the index.
            dtype: its type.
            shape: its shape.
            path: the file that holds them, on this machine.
            span: where they lie in it; offset, size and checksum count.

        Raises:
            ValueError: the key was written before, or the span has no checksum or not the shape's size.
            CheckpointError: the file cannot be opened, or ends before.
            OutputError: a file cannot be written.
        """
        if span.crc32c is None:
            raise ValueError(f"{key!r} has no checksum to keep")
        _check_size(key, dtype, shape, span.size)
        source = self._source(path)
        with output_errors(self._data_path):
            copied = copy_range(source, span.offset, span.size, self._own_data(), self._offset)
        if copied != span.size:
            raise CheckpointError(f"ends {span.size - copied} bytes before those of {shortened(key)}", where=path)
        self._enter(_encoded(key), Entry(dtype.number, shape, _OWN, self._offset, span.size, span.crc32c))
        self._tell(span.size, span.crc32c)
        self._offset += span.size
        return Written(span.size, span.crc32c)

    def adopt(self, path: str | os.PathLike[str], how: How = "copy") -> int:
        """Makes an existing data file a shard of this bundle: the number to ``refer`` to it.

        Args:
            path: the file; it stays as it is.
            how: ``copy`` its bytes, clone it (``reflink``), or give it a second name (a hard ``link``); the last two on
                the same file system only, and where it can.

        Raises:
            OutputError: it cannot be done this way.
        """
        name = f"adopted-{len(self._adopted)}"
        place = self._staging.unnamed(name)
        with output_errors(place):
            duplicate(path, place, how)
        self._adopted.append(name)
        return len(self._adopted) - 1

    def adopt_remote(self, path: str) -> int:
        """``adopt`` for a remote data file that ``staging.reaches``: the number to ``refer`` to it."""
        name = f"adopted-{len(self._adopted)}"
        self._staging.refer(name, path)
        self._adopted.append(name)
        return len(self._adopted) - 1

    def refer(self, key: str, dtype: DType, shape: tuple[int, ...], shard: int, span: Span) -> None:
        """Enters a value whose bytes lie in an adopted file; of ``span``, offset, size and checksum count.

        Raises:
            ValueError: the key was written before, or the span has no checksum or not the shape's size.
        """
        if span.crc32c is None or not 0 <= shard < len(self._adopted):
            raise ValueError(f"{key!r} refers to bytes without a checksum, or to no adopted file")
        _check_size(key, dtype, shape, span.size)
        self._enter(_encoded(key), Entry(dtype.number, shape, shard, span.offset, span.size, span.crc32c))

    def finish(self) -> None:
        """Closes the data file, writes the index and names both in the order in which they must appear.

        The data files of an older bundle of this name stay whole until the new index is in place, and go then.

        Raises:
            OutputError: a file cannot be written.
        """
        files = list(self._adopted)
        own = len(files)
        if self._data is not None or not files:
            with output_errors(self._data_path):
                self._own_data().close()
            files.append(self._data_path.name)
        shards = self._free_count(len(files))
        for shard in range(shards):
            name = data_path(self._name, shard, shards)
            if shard < len(files):
                self._staging.rename(files[shard], name)
            else:
                self._staging.write(name, "")
        self._write_index(own, shards)

    def close(self) -> None:
        """Closes the data file; what cannot be flushed any more is given up, ``finish`` has reported it."""
        if self._copied is not None:
            self._copied[1].close()
        if self._data is not None:
            with suppress(OSError):
                self._data.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(
        self,
        key: bytes,
        dtype: DType,
        shape: tuple[int, ...],
        chunks: Iterable[bytes | memoryview],
        expected: int | None,
    ) -> Written:
        written = self._write_strings(shape, chunks) if dtype is DType.STRING else self._write(chunks)
        name = key.decode("utf-8", "surrogateescape")
        _check_size(name, dtype, shape, written.size)
        if expected is not None and expected != written.crc32c:
            raise CheckpointError(f"the bytes of {shortened(name)} are not those that were saved: wrong checksum")
        self._enter(key, Entry(dtype.number, shape, _OWN, self._offset, written.size, written.crc32c))
        if dtype is not DType.STRING:  # whose checksum is not that of the bytes alone
            self._tell(*written)
        self._offset += written.size
        return written

    def _tell(self, size: int, crc: int) -> None:
        if self._wrote is not None:
            self._wrote(Span(0, self._offset, size, crc))

    def _write(self, chunks: Iterable[bytes | memoryview]) -> Written:
        crc = size = 0
        data = self._own_data()
        for chunk in chunks:
            crc = crc32c(chunk, crc)
            size += len(chunk) if isinstance(chunk, bytes) else chunk.nbytes
            with output_errors(self._data_path):
                data.write(chunk)
        return Written(size, crc)

    def _write_strings(self, shape: tuple[int, ...], chunks: Iterable[bytes | memoryview]) -> Written:
        raw = b"".join(chunks)
        with output_errors(self._data_path):
            self._own_data().write(raw)
        return Written(len(raw), checksum(DType.STRING, shape, raw))

    def _own_data(self) -> BinaryIO:
        if self._data is None:
            with output_errors(self._data_path):
                self._data = self._data_path.open("wb")
        return self._data

    def _source(self, path: str) -> BinaryIO:
        """The file that values are copied from; values come file by file, so the last one stays open."""
        if self._copied is None or self._copied[0] != path:
            if self._copied is not None:
                self._copied[1].close()
            with read_errors(path):
                self._copied = (path, open_unbuffered(path))
        return self._copied[1]

    def _enter(self, key: bytes, entry: Entry) -> None:
        if key in self._entries or key == HEADER_KEY:
            raise ValueError(f"{key!r} was written before, or is empty")
        self._entries[key] = entry

    def _write_index(self, own: int, shards: int) -> None:
        path = self._staging.new(index_path(self._name), decisive=True)
        with output_errors(path), path.open("wb") as handle:
            table = TableWriter(handle.write)
            table.add(HEADER_KEY, format_header(shards))
            for key in sorted(self._entries):
                entry = self._entries[key]
                table.add(key, format_entry(entry._replace(shard=own) if entry.shard == _OWN else entry))
            table.finish()

    def _free_count(self, count: int) -> int:
        """A number of data files, ``count`` or more, whose names an older bundle of this name does not use.

        So the old files are whole until the new index replaces the old one at a stroke; they go after it. Where the
        number has to be larger, the files that are too many are empty.
        """
        pattern = re.compile(rf"{re.escape(self._name)}\.data-\d+-of-(\d+)")
        taken = set()
        for old in self._staging.names():
            if match := pattern.fullmatch(old):
                taken.add(int(match[1]))
                self._staging.discard_later(old)
        while count in taken:
            count += 1
        return count


def write_state(staging: Waiting, name: str) -> None:
    """Writes the ``checkpoint`` state file that makes ``name`` the latest of its folder.

    Raises:
        OutputError: it cannot be written.
    """
    staging.write(STATE_FILE, format_state(name))


def _encoded(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")


def _check_size(key: str, dtype: DType, shape: tuple[int, ...], size: int) -> None:
    if dtype.itemsize is not None and size != element_count(shape) * dtype.itemsize:
        raise ValueError(f"{plural(size, 'byte')} cannot make a {dtype} tensor of shape {list(shape)} for {key!r}")
