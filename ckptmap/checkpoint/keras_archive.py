"""The weights inside a ``.keras`` archive (keras/src/saving/saving_lib.py): a zip with one HDF5 file among its members.

Nothing is unpacked under a name that the archive chooses: the one member is read where it lies, or, where it is packed,
from a nameless temporary file that is no larger than the archive can honestly make it.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
import zlib
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.files import CHUNK_SIZE
from ckptmap.checkpoint.names import shortened

if TYPE_CHECKING:
    from typing import BinaryIO

    from ckptmap.checkpoint.files import Files

MEMBER = "model.weights.h5"
_SHARDED = "model.weights.json"
_MOST_PACKED = 1100
"""How many times smaller deflate can make a file."""
_MOST_MEMBERS = 100_000
_LOCAL_HEADER = 30


class Window(io.RawIOBase):
    """A range of a file of any place, as a file for reading."""

    def __init__(self, files: Files, path: str, start: int, size: int) -> None:
        super().__init__()
        self._files, self._path, self._start, self._size, self._at = files, path, start, size, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next byte is read, from the start of the range."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a byte, counted as in any file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: object) -> int:
        """Fills the buffer, with less where the range ends before."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        wanted = max(0, min(len(view), self._size - self._at))
        data = self._files.read(self._path, self._start + self._at, wanted) if wanted else b""
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def open_member(files: Files, path: str) -> BinaryIO:
    """The HDF5 file in the archive at ``path``, to be closed by the caller.

    Raises:
        CheckpointError: no such member, two of them, one that is encrypted, or one that claims more than it can hold.
    """
    whole = Window(files, path, 0, files.size(path) or 0)
    try:
        with zipfile.ZipFile(io.BufferedReader(whole, CHUNK_SIZE)) as archive:
            found = _member(path, archive, files.size(path) or 0)
            if found.compress_type == zipfile.ZIP_STORED:
                start = found.header_offset + _header_size(files, path, found)
                window = Window(files, path, start, found.file_size)
                return io.BufferedReader(window, CHUNK_SIZE)
            return _unpacked(path, archive, found)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"damaged: {shortened(str(error))}", where=shortened(path), hint="download or copy the file again"
        ) from error


def _member(path: str, archive: zipfile.ZipFile, size: int) -> zipfile.ZipInfo:
    members = archive.infolist()
    found = [one for one in members if one.filename == MEMBER]
    if len(members) > _MOST_MEMBERS or len(found) > 1:
        raise _refused(path, f"holds {len(members)} members, {len(found)} of them {MEMBER}")
    if not found:
        sharded = any(one.filename == _SHARDED for one in members)
        what = "is saved in shards, which are not read" if sharded else f"holds no {MEMBER}: it is not a Keras archive"
        raise CheckpointError(what, where=shortened(path), hint="save the model's weights as .weights.h5")
    (one,) = found
    if one.flag_bits & 1 or one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _refused(path, f"its {MEMBER} is encrypted, or packed in a way that Keras does not know")
    if one.file_size > one.compress_size * _MOST_PACKED or one.compress_size > size:
        raise _refused(path, f"its {MEMBER} claims {one.file_size} bytes in {one.compress_size}")
    return one


def _refused(path: str, message: str) -> CheckpointError:
    return CheckpointError(
        message, where=shortened(path), hint="Keras does not save such a file: get it from its origin"
    )


def _header_size(files: Files, path: str, member: zipfile.ZipInfo) -> int:
    """The length of what stands before the member's bytes: the archive's list does not tell it."""
    head = files.read(path, member.header_offset, _LOCAL_HEADER)
    if head[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile(f"the place of {MEMBER} holds something else")
    return _LOCAL_HEADER + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")


def _rest(path: str, left: int) -> int:
    if left < 0:
        raise _refused(path, f"its {MEMBER} is larger than it claims")
    return left


def _unpacked(path: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
    out = tempfile.TemporaryFile()  # noqa: SIM115  (the caller closes it)
    try:
        left = member.file_size
        with archive.open(member) as packed:
            while piece := packed.read(CHUNK_SIZE):
                left = _rest(path, left - len(piece))
                out.write(piece)
        out.seek(0)
    except BaseException:
        out.close()
        raise
    return out
