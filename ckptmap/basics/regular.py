"""Files are opened here for reading: regular ones only, so that a named pipe or a device never holds up a run."""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO

_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
# without it, opening a named pipe waits for somebody who writes to it; of a regular file it changes nothing
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """The file at ``path``, links followed, opened for reading bytes.

    Raises:
        OSError: it cannot be opened, or is not a regular file: a directory, a named pipe, a socket, a device.
        ValueError: no file can have such a name.
    """
    return os.fdopen(_opened(path), "rb")


def open_unbuffered(path: str | os.PathLike[str]) -> BinaryIO:
    """As ``open_regular``, each read being one of the operating system."""
    return os.fdopen(_opened(path), "rb", buffering=0)


def read_regular(path: str | os.PathLike[str]) -> bytes:
    """The whole content of a regular file. Raises as ``open_regular``."""
    with open_regular(path) as file:
        return file.read()


def refuse_irregular(mode: int, path: str | os.PathLike[str]) -> None:
    """Refuses what has the ``mode`` (st_mode) of anything but a regular file.

    Raises:
        OSError: it has.
    """
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, not a regular file", os.fspath(path))


def _opened(path: str | os.PathLike[str]) -> int:
    # before it is opened, too: with some devices that is an act of its own
    refuse_irregular(os.stat(path).st_mode, path)  # noqa: PTH116
    handle = os.open(path, _FLAGS | _AT_ONCE)
    try:
        refuse_irregular(os.fstat(handle).st_mode, path)
    except BaseException:
        os.close(handle)
        raise
    return handle
