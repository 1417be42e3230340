"""Attacks by V2 bundles, and by the state file that names the latest one."""

from __future__ import annotations

import struct
from pathlib import Path

import cramjam

from ckptmap.checkpoint.bundle_proto import Entry, format_entry, format_header
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.ordered_code import slice_key
from ckptmap.checkpoint.sstable import Handle
from ckptmap.checkpoint.wire import bytes_field, number_field, varint
from tests.fuzz.parsers import HEADER_BLOCK, sealed, table_of, table_with
from tests.hostile.attacks.making import (
    GIB,
    HOSTILE_NAME,
    attack,
    block_of,
    float_entry,
    footer,
    index_of,
    shape_proto,
    write,
)


@attack("inspect", "m", says="a table block claims 1099511627771 bytes")
def index_block_of_a_terabyte(folder: Path) -> None:
    """The footer says that the index block has a terabyte, and the file is as long (it is sparse)."""
    write(folder, b"")
    with (folder / "m.index").open("wb") as handle:
        handle.truncate(1 << 40)
        handle.seek(1 << 40)
        handle.write(footer(Handle(0, (1 << 40) - 5)))


@attack("inspect", "m", says="the blocks of the table overlap or lie outside the file")
def block_outside_the_file(folder: Path) -> None:
    """A handle leads to a block at 2^62."""
    write(folder, table_of(b"", sealed(block_of((b"v", Handle(1 << 62, 100).encode())))))


@attack("inspect", "m", says="the blocks of the table overlap or lie outside the file")
def index_that_leads_to_itself(folder: Path) -> None:
    """The index block names itself as a block of entries, thousands of times."""
    handle = Handle(0, 0).encode()
    block = sealed(block_of(*((struct.pack(">I", key), handle) for key in range(10_000))))
    write(folder, block + footer(Handle(0, len(block) - 5)))


@attack("inspect", "m", says="a varint is cut off or longer than 64 bits")
def varint_without_end(folder: Path) -> None:
    """The length of an entry is a varint that never ends."""
    write(folder, table_of(sealed(b"\x00" + b"\xff" * 100_000 + struct.pack("<II", 0, 1))))


@attack("inspect", "m", says="a Snappy block claims to hold more than it can")
def snappy_block_that_claims_four_gigabytes(folder: Path) -> None:
    """A Snappy block of a few bytes whose length says 4 GiB."""
    write(folder, table_of(sealed(varint(4 * GIB - 1) + b"\x00a", 1)))


@attack("inspect", "m", heavy=True, says="a Snappy block claims to hold more than it can")
def snappy_bomb(folder: Path) -> None:
    """A Snappy block of 10 MB that honestly holds 200 MB of one entry."""
    body = b"\x00\x01" + varint(200 << 20) + b"v" + bytes(200 << 20) + struct.pack("<II", 0, 1)
    write(folder, table_of(sealed(bytes(cramjam.snappy.compress_raw(body)), 1)))


@attack("inspect", "m", heavy=True, says="the table claims to hold more than it can")
def millions_of_variables(folder: Path) -> None:
    """Two million entries, whose keys share all but their end and whose values are empty, in blocks of Snappy."""
    blocks = sealed(HEADER_BLOCK)
    entries, place = [(b"", Handle(0, len(blocks) - 5).encode())], len(blocks)
    for start in range(0, 2_000_000, 100_000):
        keys = [b"%07d" % number for number in range(start, start + 100_000)]
        body = b"\x00\x07\x00" + keys[0] + b"".join(b"\x00\x07\x00" + key for key in keys[1:])
        block = sealed(bytes(cramjam.snappy.compress_raw(body + struct.pack("<II", 0, 1))), 1)
        entries.append((keys[-1], Handle(place, len(block) - 5).encode()))
        blocks, place = blocks + block, place + len(block)
    last = sealed(block_of(*entries))
    write(folder, blocks + last + footer(Handle(place, len(last) - 5)))


@attack("inspect", "m", says="holds more elements than can be counted")
def shape_that_overflows(folder: Path) -> None:
    """2^32 times 2^32 elements in no bytes: the product is 0 in 64 bits."""
    raw = number_field(1, 1) + bytes_field(2, shape_proto(1 << 32, 1 << 32))
    write(folder, index_of((b"v", raw)))


@attack("inspect", "m", says="a shape of 1 dimensions is impossible")
def shape_with_a_negative_length(folder: Path) -> None:
    """A dimension of -4."""
    write(folder, index_of((b"v", number_field(1, 1) + bytes_field(2, shape_proto(-4)) + number_field(5, 16))))


@attack("inspect", "m", says="a shape of 1000 dimensions is impossible")
def shape_of_a_thousand_dimensions(folder: Path) -> None:
    """More dimensions than any tensor can have."""
    write(folder, index_of((b"v", number_field(1, 1) + bytes_field(2, shape_proto(*[1] * 1000)) + number_field(5, 4))))


@attack("inspect", "m", says="has an impossible place")
def value_at_a_negative_place(folder: Path) -> None:
    """An offset of -8."""
    raw = number_field(1, 1) + bytes_field(2, shape_proto(2)) + number_field(4, -8) + number_field(5, 8)
    write(folder, index_of((b"v", raw)))


@attack("read", "m", says="the index needs at least 1099511627776")
def value_of_a_terabyte(folder: Path) -> None:
    """A variable that claims a terabyte of a data file of ten bytes."""
    write(folder, index_of((b"v", float_entry(1 << 38, size=1 << 40))), bytes(10))


@attack("inspect", "m", says="the index claims 10000000 data files")
def ten_million_data_files(folder: Path) -> None:
    """The header claims ten million shards."""
    write(folder, table_with({b"": format_header(10_000_000)}))


@attack("inspect", "m", says="has an impossible place")
def shard_that_is_not_there(folder: Path) -> None:
    """A variable lies in data file 4,000,000 of one."""
    write(folder, index_of((b"v", float_entry(1, size=4, shard=4_000_000))))


@attack("inspect", "m", says="a part of v lies outside its shape")
def parts_beyond_the_shape(folder: Path) -> None:
    """A part of a partitioned variable starts at 2^40 of four."""
    write(folder, index_of((b"v", float_entry(4, slices=(((1 << 40, 1),),)))))


@attack("read", "m", says="holds less than the parts of v")
def parts_that_share_their_bytes(folder: Path) -> None:
    """A data file of 256 KiB, of which 8,192 parts make a variable of two gigabytes."""
    size, count = 256 << 10, 8192
    rows = size // 4
    extents = tuple(((number * rows, rows),) for number in range(count))
    part = format_entry(float_entry(rows, size=size, crc32c=0))
    whole = format_entry(Entry(DType.FLOAT32.number, (rows * count,), crc32c=None, slices=extents))
    name = b"v"
    entries = {slice_key(name, extent): part for extent in extents}
    write(folder, table_with({b"": format_header(1), name: whole, **entries}), bytes(size))


@attack("inspect", "m", code=0)
def names_that_attack_the_reader_of_a_report(folder: Path) -> None:
    """Control characters, terminal escapes, path separators, markup and invalid UTF-8 in a variable's name."""
    name = HOSTILE_NAME.encode("utf-8", "surrogateescape")
    write(folder, index_of((name, float_entry(1, size=4, crc32c=0x48674BC7))), bytes(4))


@attack("inspect", "m", says="no such file")
def index_that_is_a_device(folder: Path) -> None:
    """A link to a device that never ends, in place of the index."""
    (folder / "m.index").symlink_to("/dev/zero")


@attack("inspect", ".", code=0)
def state_file_without_closing_quotes(folder: Path) -> None:
    """A megabyte of backslashes behind an opening quote: exponential for a careless regular expression."""
    write(folder, index_of((b"v", float_entry(1, size=4, crc32c=0x48674BC7))), bytes(4))
    (folder / "checkpoint").write_text('model_checkpoint_path: "' + "\\" * (1 << 20))


@attack("inspect", ".", says="holds no checkpoint")
def state_file_that_leads_elsewhere(folder: Path) -> None:
    """The latest checkpoint is a device."""
    (folder / "checkpoint").write_text('model_checkpoint_path: "/dev/zero"\n')
