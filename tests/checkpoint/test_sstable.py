from __future__ import annotations

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.checkpoint.crc import crc32c, mask
from ckptmap.checkpoint.sstable import MAGIC, Handle, SSTable, TableWriter, block_entries
from ckptmap.checkpoint.wire import FormatError, varint

# written by TensorFlow's SaveV2: global_step = 7 (int64), w = [1.5, -2.0] (float32)
TENSORFLOW_INDEX = bytes.fromhex(
    "00000608011a020801000b0b676c6f62616c5f7374657008091200280835bbd79f1100011177080112041202080220082808353d33c8f40000"
    "000001000000001fdd8d67000000000100000000c0f2a1b000010278003f000000000100000000f84d77f54408510e"
    + "00" * 36
    + "57fb808b247547db"
)
ENTRIES = [
    (b"", bytes.fromhex("08011a020801")),
    (b"global_step", bytes.fromhex("08091200280835bbd79f11")),
    (b"w", bytes.fromhex("080112041202080220082808353d33c8f4")),
]


def table_of(data: bytes) -> SSTable:
    return SSTable(lambda offset, length: data[offset : offset + length], len(data))


def written(entries: list[tuple[bytes, bytes]]) -> bytes:
    out = bytearray()
    table = TableWriter(out.extend)
    for key, value in entries:
        table.add(key, value)
    table.finish()
    return bytes(out)


def block(entries: bytes, *, snappy: bool = False) -> bytes:
    """A block with its trailer, one restart point at 0."""
    body = entries + bytes(4) + b"\x01\x00\x00\x00"
    return checked(bytes(cramjam.snappy.compress_raw(body)) + b"\x01" if snappy else body + b"\x00")


def checked(data: bytes) -> bytes:
    return data + mask(crc32c(data)).to_bytes(4, "little")


def index_entry(key: bytes, offset: int, size: int) -> bytes:
    handle = Handle(offset, size).encode()
    return b"\x00" + varint(len(key)) + varint(len(handle)) + key + handle


def table_around(*blocks: bytes, index: bytes | None = None) -> bytes:
    """A table of these finished blocks, or of them behind a hand-made index block."""
    data, entries = b"", b""
    for number, each in enumerate(blocks):
        entries += index_entry(bytes([0x61 + number]), len(data), len(each) - 5)
        data += each
    index_handle = Handle(len(data), len(index or block(entries)) - 5)
    data += index or block(entries)
    return data + (b"\x00\x00" + index_handle.encode()).ljust(40, b"\x00") + MAGIC


def test_reads_what_tensorflow_wrote() -> None:
    assert list(table_of(TENSORFLOW_INDEX).entries()) == ENTRIES


def test_writes_byte_for_byte_what_tensorflow_wrote() -> None:
    assert written(ENTRIES) == TENSORFLOW_INDEX


def test_looks_keys_up() -> None:
    table = table_of(TENSORFLOW_INDEX)
    assert table.get(b"w") == ENTRIES[2][1]
    assert table.get(b"") == ENTRIES[0][1]
    assert table.get(b"v") is None
    assert table.get(b"zzz") is None


def test_snappy_blocks() -> None:
    entries = b"\x00\x01\x05ahello" + b"\x01\x01\x05bhello" + b"\x00\x01\x05bhello"
    assert list(table_of(table_around(block(entries, snappy=True))).entries()) == [
        (b"a", b"hello"),
        (b"ab", b"hello"),
        (b"b", b"hello"),
    ]


def test_many_blocks() -> None:
    entries = [(f"key{number:06d}".encode(), bytes([number % 251]) * (number % 700)) for number in range(3000)]
    table = table_of(written(entries))
    assert list(table.entries()) == entries
    assert table.get(b"key001234") == entries[1234][1]
    assert table.get(b"key001234x") is None


def test_keys_must_rise() -> None:
    with pytest.raises(ValueError, match="out of order"):
        written([(b"b", b""), (b"a", b"")])
    with pytest.raises(ValueError, match="out of order"):
        written([(b"a", b""), (b"a", b"")])


@pytest.mark.parametrize("size", [0, 1, 47, 48, 100, 147])
def test_cut_off(size: int) -> None:
    with pytest.raises(FormatError, match="footer"):
        table_of(TENSORFLOW_INDEX[:size])


# bytes 68 to 80 are the meta-index block, which holds nothing and is never read
@pytest.mark.parametrize("place", [*range(68), *range(81, 100)])
def test_every_flipped_byte_is_noticed(place: int) -> None:
    data = bytearray(TENSORFLOW_INDEX)
    data[place] ^= 0x10
    with pytest.raises(FormatError):
        list(table_of(bytes(data)).entries())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (table_around(block(b"\x01\x01\x00a")), "past its bounds"),
        (table_around(block(b"\x00\x09\x00a")), "past its bounds"),
        (table_around(block(b"\x00\x01\x09a")), "past its bounds"),
        (table_around(block(b"\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x01a")), "past its bounds"),
        (table_around(block(b"\x00\x01\x00b\x00\x01\x00a")), "out of order"),
        (table_around(block(b"\x00\x01\x00b"), block(b"\x00\x01\x00b")), "out of order"),
        (table_around(checked(b"\xff\xff\xff\xff\x00")), "restart"),
        (table_around(checked(b"\x01\x00")), "shorter than"),
        (table_around(checked(b"\x07\x02")), "unknown compression 2"),
        (table_around(index=block(index_entry(b"a", 2**30, 7))), "outside the file"),
        (table_around(index=block(index_entry(b"a", 0, 9) + index_entry(b"b", 0, 9))), "overlap"),
    ],
)
def test_claims_that_cannot_be(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        list(table_of(data).entries())


@pytest.mark.parametrize(
    ("snappy", "message"),
    [
        (varint(2**32 - 1) + b"\x00a", "more than it can"),
        (varint(2**60) + b"\x00a", "more than it can"),
        (varint(10) + b"\x00a", "Snappy block is damaged"),
        (b"\xff" * 11, "varint"),
    ],
)
def test_snappy_blocks_that_lie(snappy: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        list(table_of(table_around(checked(snappy + b"\x01"))).entries())


def test_a_key_without_end() -> None:
    entries = b"\x00" + varint(60000) + b"\x00" + b"a" * 60000
    entries += varint(60000) + varint(6000) + b"\x00" + b"a" * 6000
    with pytest.raises(FormatError, match="past its bounds"):
        list(block_entries(entries + bytes(4) + b"\x01\x00\x00\x00"))


def test_keys_that_cost_a_byte_and_mean_kilobytes() -> None:
    entries = b"\x00" + varint(60000) + b"\x00" + b"a" * 60000
    for length in range(60000, 65000):
        entries += varint(length) + b"\x01\x00a"
    with pytest.raises(FormatError, match="claims to hold more than it can"):
        for _ in table_of(table_around(block(entries, snappy=True))).entries():
            pass


@given(st.dictionaries(st.binary(max_size=40), st.binary(max_size=200), max_size=60))
def test_round_trip(entries: dict[bytes, bytes]) -> None:
    data = written(sorted(entries.items()))
    assert list(table_of(data).entries()) == sorted(entries.items())


@given(st.data(), st.binary(min_size=1, max_size=4))
def test_damage_never_escapes_as_another_error(data: st.DataObject, junk: bytes) -> None:
    place = data.draw(st.integers(0, len(TENSORFLOW_INDEX) - 1))
    damaged = TENSORFLOW_INDEX[:place] + junk + TENSORFLOW_INDEX[place + len(junk) :]
    try:
        found = list(table_of(damaged).entries())
    except FormatError:
        return
    assert found == ENTRIES
