"""Files as the readers see them: sizes, ranges and names, the same for a local disk and a remote store."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from ckptmap.basics.errors import CheckpointError
from ckptmap.basics.regular import open_unbuffered
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.wire import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_SIZE = 1 << 20
"""Bytes that a stream moves at a time."""
_MAX_OPEN = 8
_MAX_MESSAGE = 1 << 31


class Files(Protocol):
    """A place that holds files; paths are its own text form of a path."""

    def size(self, path: str) -> int | None:
        """The size in bytes; None where there is no such file (a folder is none)."""

    def is_folder(self, path: str) -> bool:
        """Whether ``path`` is a folder."""

    def names(self, folder: str) -> list[str]:
        """The names in ``folder``, sorted; empty where it cannot be listed."""

    def modified(self, path: str) -> float:
        """When the file was last written, in seconds; 0 where the place does not tell."""

    def read(self, path: str, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``; fewer where the file ends before."""

    def join(self, folder: str, name: str) -> str:
        """The path of ``name`` in ``folder``."""

    def split(self, path: str) -> tuple[str, str]:
        """The folder that holds ``path``, and its last name."""

    def close(self) -> None:
        """Lets go of everything that is open."""


class LocalFiles:
    """The local disk. A few files stay open between reads; not for several threads at once."""

    def __init__(self) -> None:
        self._open: dict[str, BinaryIO] = {}

    def size(self, path: str) -> int | None:
        """The size in bytes; None where there is no such file."""
        with read_errors(path):
            try:
                place = Path(path)
                return place.stat().st_size if place.is_file() else None
            except (FileNotFoundError, NotADirectoryError, ValueError):
                return None

    def is_folder(self, path: str) -> bool:
        """Whether ``path`` is a directory."""
        with read_errors(path):
            return Path(path).is_dir()

    def names(self, folder: str) -> list[str]:
        """The names in ``folder``, sorted; empty where there is no such directory."""
        with read_errors(folder):
            try:
                return sorted(entry.name for entry in Path(folder).iterdir())
            except (FileNotFoundError, NotADirectoryError):
                return []

    def modified(self, path: str) -> float:
        """When the file was last written, in seconds since 1970."""
        with read_errors(path):
            return Path(path).stat().st_mtime

    def read(self, path: str, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``; fewer where the file ends before."""
        with read_errors(path):
            handle = self._handle(path)
            handle.seek(offset)
            data = handle.read(length)
            # one read(2) gives at most 2 GiB, and less at the will of a network file system
            while len(data) < length and (more := handle.read(length - len(data))):
                data += more
            return data

    def join(self, folder: str, name: str) -> str:
        """The path of ``name`` in ``folder``; that of an empty name, a prefix too, ends with a slash."""
        return str(Path(folder) / name) if name else os.path.join(folder, "")  # noqa: PTH118  (a Path ends without)

    def split(self, path: str) -> tuple[str, str]:
        """The directory that holds ``path``, and its last name."""
        place = Path(path)
        return str(place.parent), place.name

    def close(self) -> None:
        """Closes every file that is still open."""
        for handle in self._open.values():
            handle.close()
        self._open.clear()

    def _handle(self, path: str) -> BinaryIO:
        if path not in self._open:
            while len(self._open) >= _MAX_OPEN:
                self._open.pop(next(iter(self._open))).close()
            self._open[path] = open_unbuffered(path)
        return self._open[path]


@contextmanager
def read_errors(path: str) -> Iterator[None]:
    """Turns what the operating system refuses into an error that names the file."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(f"cannot be read: {error.strerror or error}", where=shortened(path)) from error


@contextmanager
def damage(path: str) -> Iterator[None]:
    """Turns bytes that break the format into an error that names the file and says what to do."""
    try:
        yield
    except FormatError as error:
        raise CheckpointError(
            f"damaged: {error}", where=shortened(path), hint="download or copy the file again and compare its size"
        ) from error


def read_message(files: Files, path: str) -> memoryview:
    """A file that is one protobuf message, whole.

    Raises:
        CheckpointError: it is larger than any such message can be, so that it is not read at all.
    """
    size = files.size(path) or 0
    if size > _MAX_MESSAGE:
        raise CheckpointError("is larger than 2 GiB: no graph can be that large", where=shortened(path))
    return memoryview(files.read(path, 0, size))


def stream(files: Files, path: str, offset: int, size: int, chunk: int = CHUNK_SIZE) -> Iterator[bytes]:
    """The ``size`` bytes from ``offset``, in pieces of at most ``chunk``.

    Raises:
        CheckpointError: the file ends before.
    """
    end = offset + size
    while offset < end:
        piece = files.read(path, offset, min(chunk, end - offset))
        if not piece:
            raise CheckpointError(f"ends at byte {offset}, {end - offset} bytes too early", where=shortened(path))
        yield piece
        offset += len(piece)
