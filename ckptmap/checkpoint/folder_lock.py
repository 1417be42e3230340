"""One writer at a time: a lock on a folder that ends with the process that holds it, however that ends."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from ckptmap.basics.errors import BusyError, OutputError
from ckptmap.checkpoint.names import shortened

LOCK_NAME = ".ckptmap-lock"
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class FolderLock:
    """The lock on ``folder``, held from here to ``release``: flock(2), which NFS passes on; a byte's lock on Windows.

    ``certain`` is False where the file system has no locks: then other writers go unnoticed.

    Raises:
        OutputError: another run holds it, or its name is taken by another file.
        OSError: the lock's file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_NAME
        self.certain = True
        self._handle = self._open()
        while not self._still_there():
            os.close(self._handle)
            self._handle = self._open()

    def release(self) -> None:
        """Lets go; the file goes before the lock, so that whoever waits for it finds out and makes a new one."""
        if os.name != "nt":
            self._remove()
        os.close(self._handle)
        if os.name == "nt":
            # no open file can be removed there: neither ours before this, nor that of another run since
            self._remove()

    def _remove(self) -> None:
        with suppress(OSError):
            self._path.unlink()

    def _open(self) -> int:
        handle = os.open(self._path, _OPEN, 0o666)
        try:
            self._refuse_other(os.fstat(handle))
            self.certain = _lock(handle)
        except BlockingIOError:
            os.close(handle)
            raise BusyError(
                "another run is writing into this folder",
                where=shortened(str(self._path.parent)),
                hint="wait until it has ended, or choose another folder",
            ) from None
        except BaseException:
            os.close(handle)
            raise
        return handle

    def _refuse_other(self, found: os.stat_result) -> None:
        """A lock is an empty file, and is removed at the end: what somebody keeps under its name is not."""
        if not stat.S_ISREG(found.st_mode) or found.st_size:
            hint = "move it away, or choose another folder"
            raise OutputError("is not a lock of ckptmap", where=shortened(str(self._path)), hint=hint)

    def _still_there(self) -> bool:
        """Whether the locked file is the one that others would open, and not one that its last holder removed."""
        try:
            return os.path.samestat(os.fstat(self._handle), self._path.stat())
        except FileNotFoundError:
            return False


if sys.platform == "win32":

    def _lock(handle: int) -> bool:
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError from error
        return True

else:

    def _lock(handle: int) -> bool:
        """Locks without waiting; False where the file system cannot. Raises BlockingIOError where another holds it."""
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return False
        return True
