"""What attacks are made with: the list that each enters, and pieces of checkpoints."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ckptmap.checkpoint.bundle_proto import Entry, Extents, format_entry, format_header
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.sstable import FOOTER_SIZE, MAGIC, Handle
from ckptmap.checkpoint.wire import bytes_field, number_field, varint
from tests.checkpoint.test_frozen import GRAPH
from tests.fuzz.parsers import table_with

GIB = 1 << 30
HOSTILE_NAME = "a\x1b]0;owned\x07\r\n::error::b/../../etc/<script>alert(1)</script>=1+1\udcff\u202e"
"""Terminal escapes, line ends, a workflow command, path separators, a script, a formula, a byte that is no UTF-8."""


@dataclass(frozen=True, slots=True)
class Attack:
    """``make`` writes the files into a folder, ``command`` is run there and must end with the exit code ``code``.

    ``says`` is in the message: that of the defence that is attacked, and not of some mistake in the files.

    The command ``read`` is none of ckptmap's: it reads every value and the object graph.
    """

    make: Callable[[Path], None]
    command: tuple[str, ...]
    says: str = ""
    code: int = 2
    heavy: bool = False
    """Whether it takes seconds to make, or to refuse."""

    @property
    def name(self) -> str:
        return self.make.__name__


ATTACKS: list[Attack] = []
Make = Callable[[Path], None]


def attack(*command: str, says: str = "", code: int = 2, heavy: bool = False) -> Callable[[Make], Make]:
    """Enters a maker of files into the list."""

    def enter(make: Make) -> Make:
        ATTACKS.append(Attack(make, command, says, code, heavy))
        return make

    return enter


def write(folder: Path, index: bytes, data: bytes = b"") -> None:
    (folder / "m.index").write_bytes(index)
    (folder / "m.data-00000-of-00001").write_bytes(data)


def index_of(*entries: tuple[bytes, Entry | bytes]) -> bytes:
    raw = {key: value if isinstance(value, bytes) else format_entry(value) for key, value in entries}
    return table_with({b"": format_header(1), **raw})


def block_of(*entries: tuple[bytes, bytes]) -> bytes:
    body = b"".join(b"\x00" + varint(len(key)) + varint(len(value)) + key + value for key, value in entries)
    return body + struct.pack("<II", 0, 1)


def footer(handle: Handle) -> bytes:
    return (b"\x00\x00" + handle.encode()).ljust(FOOTER_SIZE - len(MAGIC), b"\x00") + MAGIC


def float_entry(*shape: int, size: int = 0, slices: tuple[Extents, ...] = (), **more: int) -> Entry:
    return Entry(DType.FLOAT32.number, shape, size=size, slices=slices, **more)


def shape_proto(*dims: int) -> bytes:
    return b"".join(bytes_field(2, number_field(1, dim)) for dim in dims)


def frozen_source(folder: Path) -> None:
    (folder / "old.pb").write_bytes(GRAPH)
    (folder / "t.yaml").write_text(
        "drop: [{match: conv, reason: x}, {match: shrunk, reason: x}, {match: bias, reason: x}]"
    )
