"""Attacks by V1 checkpoints."""

from __future__ import annotations

from pathlib import Path

from ckptmap.checkpoint.sstable import Handle
from ckptmap.checkpoint.wire import bytes_field, number_field, text_field
from tests.fuzz.parsers import table_with
from tests.hostile.attacks.making import attack, footer, shape_proto


def v1(folder: Path, *tensors: bytes) -> None:
    listing = bytes_field(1, b"".join(bytes_field(1, tensor) for tensor in tensors))
    (folder / "m").write_bytes(table_with({b"": listing}))


@attack("inspect", "m", heavy=True, says="it claims more than 1048576 variables")
def v1_with_millions_of_variables(folder: Path) -> None:
    """Metadata with two million variables of a few bytes."""
    v1(folder, *[text_field(1, "v") + number_field(3, 1)] * 2_000_000)


@attack("inspect", "m", says="holds more elements than can be counted")
def v1_shape_that_overflows(folder: Path) -> None:
    """As in V2: the product of the lengths is 0 in 64 bits."""
    v1(folder, text_field(1, "v") + bytes_field(2, shape_proto(1 << 32, 1 << 32)) + number_field(3, 1))


@attack("inspect", "m", says="a table block claims 1099511627771 bytes")
def v1_block_of_a_terabyte(folder: Path) -> None:
    """A sparse file of a terabyte whose index block is all of it."""
    with (folder / "m").open("wb") as handle:
        handle.truncate(1 << 40)
        handle.seek(1 << 40)
        handle.write(footer(Handle(0, (1 << 40) - 5)))
