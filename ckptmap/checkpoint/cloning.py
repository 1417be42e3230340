"""Bytes from file to file without passing through this process, where the platform can.

A clone (also called reflink) is a new file that shares its blocks with the old one until one of them is written to:
FICLONE on Linux (ioctl_ficlone(2): btrfs, XFS, bcachefs), ``clonefile`` on macOS (clonefile(2): APFS).
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path
from typing import BinaryIO, Literal

from ckptmap.basics.regular import open_regular

How = Literal["copy", "link", "reflink"]

_FICLONE = 0x40049409
_BLOCK = 1 << 20
_CANNOT = {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ETXTBSY}
"""What copy_file_range(2) answers where it does not work for a pair of files, but reading and writing would."""


def duplicate(source: str | os.PathLike[str], place: Path, how: How) -> None:
    """Makes ``place`` a new file with the bytes of ``source``, or another name of it (``link``).

    A symbolic link is followed: what it leads to is copied, cloned or linked.

    Raises:
        OSError: it cannot be done this way; nothing is left at ``place``.
    """
    real = Path(source).resolve()
    if how == "link":
        place.hardlink_to(real)
    elif how == "reflink":
        _clone(real, place)
    else:
        shutil.copyfile(real, place)


def _clone(source: Path, place: Path) -> None:
    if sys.platform == "darwin":
        _clonefile(source, place)
    elif sys.platform == "linux":
        _ficlone(source, place)
    else:
        raise OSError(errno.EOPNOTSUPP, "this platform cannot clone files")


def _ficlone(source: Path, place: Path) -> None:
    import fcntl

    with open_regular(source) as old, place.open("xb") as new:
        try:
            fcntl.ioctl(new.fileno(), getattr(fcntl, "FICLONE", _FICLONE), old.fileno())
        except OSError:
            place.unlink()
            raise


def _clonefile(source: Path, place: Path) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.clonefile(os.fsencode(source), os.fsencode(place), ctypes.c_uint32(0)):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def copy_range(source: BinaryIO, offset: int, size: int, target: BinaryIO, position: int) -> int:
    """Copies ``size`` bytes at ``offset`` of ``source`` to ``position`` of ``target``; how many there were.

    ``target`` stands behind them afterwards. In the kernel on Linux (copy_file_range(2)), else block by block.

    Raises:
        OSError: a file cannot be read or written.
    """
    done = _in_kernel(source, offset, size, target, position)
    source.seek(offset + done)
    target.seek(position + done)
    while done < size and (block := source.read(min(_BLOCK, size - done))):
        target.write(block)
        done += len(block)
    return done


def _in_kernel(source: BinaryIO, offset: int, size: int, target: BinaryIO, position: int) -> int:
    if sys.platform != "linux":
        return 0
    done = 0
    try:
        while done < size:
            step = os.copy_file_range(source.fileno(), target.fileno(), size - done, offset + done, position + done)
            if step == 0:
                break
            done += step
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    return done
