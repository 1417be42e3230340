"""Attacks by object graphs."""

from __future__ import annotations

from pathlib import Path

from ckptmap.checkpoint.bundle_proto import Entry
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.values import checksum, join_strings
from ckptmap.checkpoint.wire import bytes_field, number_field, text_field
from tests.hostile.attacks.making import attack, float_entry, frozen_source, index_of, write


def object_checkpoint(folder: Path, graph: bytes) -> None:
    raw = join_strings([graph])
    key = b"_CHECKPOINTABLE_OBJECT_GRAPH"
    entry = Entry(DType.STRING.number, (), size=len(raw), crc32c=checksum(DType.STRING, (), raw))
    value = float_entry(1, size=4, offset=len(raw), crc32c=0x48674BC7)
    entries = ((key, entry), (b"model/v/.ATTRIBUTES/VARIABLE_VALUE", value))
    write(folder, index_of(*entries), raw + bytes(4))


TO_OBJECTS = ("convert", "old.pb", "--to", "m", "--table", "t.yaml", "--dry-run")


@attack("read", "m", heavy=True, says="it claims more than 1048576 objects")
def object_graph_of_millions(folder: Path) -> None:
    """Three million objects of two bytes each."""
    object_checkpoint(folder, b"\x0a\x00" * 3_000_000)


@attack(*TO_OBJECTS, heavy=True, says="it claims more than 1048576 objects")
def template_of_millions(folder: Path) -> None:
    """The same, as the template of a conversion."""
    frozen_source(folder)
    object_checkpoint(folder, b"\x0a\x00" * 3_000_000)


@attack(*TO_OBJECTS, says="names an object that it does not hold")
def object_graph_with_an_edge_to_nowhere(folder: Path) -> None:
    """A child is object number 2^31."""
    frozen_source(folder)
    object_checkpoint(folder, bytes_field(1, bytes_field(1, number_field(1, 1 << 31) + text_field(2, "a"))))


@attack("read", "m", code=0)
def object_graph_that_is_a_cycle(folder: Path) -> None:
    """Two objects that are each other's children: whoever walks it without an eye on that never ends."""
    there, back = (bytes_field(1, bytes_field(1, number_field(1, 1 - n) + text_field(2, "model"))) for n in (0, 1))
    object_checkpoint(folder, there + back)
