"""What a file is when it is not the checkpoint that was looked for: a word for the person who pointed at it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ckptmap.basics.contributions import contributions
from ckptmap.basics.errors import CheckpointError, MissingDataError
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.inventory import Kind
from ckptmap.checkpoint.names import shortened

if TYPE_CHECKING:
    from ckptmap.checkpoint.files import Files

HEAD_SIZE = 4096
LFS_MAGIC = b"version https://git-lfs.github.com/spec/v1"
_LFS_HINT = 'run "git lfs pull" in the repository it came from, or download the file itself'
_CONVERT_HINT = (
    "ckptmap reads TensorFlow checkpoints, frozen graphs and SavedModels, and files of Keras and safetensors"
)
_UNPACK_HINT = "unpack it first"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_KERAS_MEMBERS = (b"metadata.json", b"config.json", b"model.weights.h5")
_REPORT = re.compile(r'\s*\{\s*"schema": "ckptmap\.')
_TABLE = re.compile(r"^(include|kinds|layers|variables):", re.MULTILINE)
_CODE = re.compile(r"^(import \w+|from [\w.]+ import )", re.MULTILINE)
_NOT_IN_PATHS = re.compile(r"""[\s{}<>"']""")
_PAX_RECORD = re.compile(rb"\A\d+ [\w.]+=")


def describe(head: bytes) -> tuple[str, str] | None:
    """What a file that starts with ``head`` is, and what to do; None where nothing tells."""
    if not head:
        return "the file is empty", "download or copy it again"
    if head.startswith(LFS_MAGIC):
        return "this is a Git-LFS pointer, not the file itself", _LFS_HINT
    return _archive(head) or _other_framework(head) or _text(head)


def _archive(head: bytes) -> tuple[str, str] | None:
    if head.startswith(b"PK\x03\x04"):
        return _zip(head)
    if head.startswith(b"\x1f\x8b"):
        return "this is a gzip archive", _UNPACK_HINT
    if head[257:262] == b"ustar":
        return "this is a tar archive", _UNPACK_HINT
    if _PAX_RECORD.match(head):
        return (
            "this is a PaxHeader record that an unpacker left behind, not a checkpoint",
            "the real file lies in the folder above PaxHeader, or unpack the archive with tar",
        )
    return None


def _zip(head: bytes) -> tuple[str, str]:
    """A zip archive by its first member's name: PyTorch writes <name>/data.pkl, NumPy *.npy."""
    member = _first_member(head)
    if member.endswith((b"data.pkl", b"byteorder", b".format_version", b"constants.pkl")):
        return "this is a PyTorch file", _CONVERT_HINT
    if member in _KERAS_MEMBERS:
        return "this is a Keras .keras file", _CONVERT_HINT
    if member.endswith(b".npy"):
        return "this is a NumPy .npz file", _CONVERT_HINT
    return "this is a zip archive", _UNPACK_HINT


def _other_framework(head: bytes) -> tuple[str, str] | None:
    if head.startswith(_HDF5):
        return "this is an HDF5 file (Keras .h5 weights)", _CONVERT_HINT
    if _is_safetensors(head):
        return "this is a safetensors file", _CONVERT_HINT
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return "this is a Python pickle (an old PyTorch file, perhaps)", _CONVERT_HINT
    if head[4:8] == b"TFL3":
        return "this is a TensorFlow Lite file", "point at the checkpoint it was converted from"
    if head.startswith(b"\x93NUMPY"):
        return "this is a NumPy .npy file", _CONVERT_HINT
    return None


def other_format(files: Files, path: str) -> Kind | None:
    """The format of a file that is read, and is none of TensorFlow's; None where it is another."""
    head = head_of(files, path)
    if head.startswith(_HDF5) or (head.startswith(b"PK\x03\x04") and _is_keras_archive(head, path)):
        return Kind.KERAS
    return Kind.SAFETENSORS if _is_safetensors(head) or path.lower().endswith(".safetensors") else None


def _is_safetensors(head: bytes) -> bool:
    return head[8:10] in (b'{"', b"{}") and int.from_bytes(head[:8], "little") < 1 << 40


def _is_keras_archive(head: bytes, path: str) -> bool:
    return path.lower().endswith(".keras") or _first_member(head) in _KERAS_MEMBERS


def _first_member(head: bytes) -> bytes:
    return head[30 : 30 + int.from_bytes(head[26:28], "little")]


def _text(head: bytes) -> tuple[str, str] | None:
    """Text, unless a byte of it is none; the last bytes of ``head`` may cut a character in two."""
    if b"\x00" in head:
        return None
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < HEAD_SIZE or error.start < len(head) - 3:
            return None
        text = head[: error.start].decode("utf-8")
    if any(not char.isprintable() and char not in "\t\r\n\f" for char in text):
        return None
    if text.lstrip().lower().startswith(("<!doctype html", "<html")):
        return "this is a web page, not a checkpoint", "the download went wrong: fetch the file itself"
    first = shortened(text.strip().split("\n", 1)[0].strip()[:60])
    return f'this is a text file ("{first}")', _text_hint(text)


def _text_hint(text: str) -> str:
    """What to do with a text that was given as a checkpoint."""
    if _REPORT.match(text):
        return "it is a report of ckptmap: give the checkpoint that lies beside it, or read it with ckptmap report"
    if _TABLE.search(text):
        return f"it looks like a mapping table: give the checkpoint here, and the table with {argument('table')}"
    if _CODE.search(text):
        return "it looks like Python code: give the checkpoint that the model has saved"
    if _is_list(text):
        return "it looks like a list of checkpoints: ckptmap convert and ckptmap fleet inspect take one with --batch"
    hints = (family.text_hint(text) for family in contributions())
    return next(filter(None, hints), "put the real file in its place")


def _is_list(text: str) -> bool:
    """A path on each line, and nothing else."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return bool(lines) and all("/" in line and _NOT_IN_PATHS.search(line) is None for line in lines)


def head_of(files: Files, path: str) -> bytes:
    """The first bytes of a file."""
    return files.read(path, 0, HEAD_SIZE)


def refuse(files: Files, path: str, head: bytes | None = None) -> None:
    """Raises when the file at ``path`` is plainly something else; ``head`` are its first bytes where they are known.

    Raises:
        MissingDataError: it is a Git-LFS pointer.
        CheckpointError: what else it is and what to do.
    """
    first = head_of(files, path) if head is None else head[:HEAD_SIZE]
    known = describe(first)
    if known:
        kind = MissingDataError if first.startswith(LFS_MAGIC) else CheckpointError
        raise kind(known[0], where=shortened(path), hint=known[1])
