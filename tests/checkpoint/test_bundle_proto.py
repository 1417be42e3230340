from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.checkpoint.bundle_proto import Entry, format_entry, format_header, parse_entry, parse_header, parse_shape
from ckptmap.checkpoint.crc import unmask
from ckptmap.checkpoint.ordered_code import FULL
from ckptmap.checkpoint.wire import FormatError, bytes_field, number_field

# from an index that TensorFlow wrote: a float32 w of shape [2], and p of shape [4, 300] in two slices
W = bytes.fromhex("080112041202080220082808353d33c8f4")
P = bytes.fromhex("0801120912020804120308ac023a090a0210010a0310ac023a080a04080110030a00")


def test_the_header_that_tensorflow_writes() -> None:
    assert format_header(1).hex() == "08011a020801"
    assert parse_header(bytes.fromhex("08011a020801")) == 1
    assert parse_header(format_header(300)) == 300


def test_entries_that_tensorflow_wrote() -> None:
    entry = Entry(1, (2,), 0, 8, 8, unmask(0xF4C8333D))
    assert parse_entry(W) == entry
    assert format_entry(entry) == W


def test_a_partitioned_entry_that_tensorflow_wrote() -> None:
    entry = Entry(1, (4, 300), slices=(((0, 1), (0, 300)), ((1, 3), (0, FULL))))
    assert parse_entry(P) == entry
    assert format_entry(entry) == P


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "claims 0 data files"),
        (number_field(1, -1), "claims -1 data files"),
        (number_field(1, 2**31 - 1), "claims 2147483647 data files"),
        (b"\x08\x01\x10\x01", "big-endian"),
        (number_field(1, 1) + bytes_field(3, number_field(2, 9)), "needs a reader of version 9"),
    ],
)
def test_headers_that_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse_header(data)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (bytes_field(2, number_field(1, -1)), "impossible"),
        (bytes_field(2, number_field(1, 2**40)) * 2, "more elements than can be counted"),
        (bytes_field(2, b"") + bytes_field(2, number_field(1, 2**62)) * 2, "more elements than can be counted"),
        (bytes_field(2, number_field(1, 1)) * 255, "255 dimensions"),
        (number_field(3, 1), "no known rank"),
    ],
)
def test_shapes_that_are_refused(shape: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse_shape(shape)


@pytest.mark.parametrize(
    "field", [number_field(3, -1), number_field(4, -1), number_field(5, -1), number_field(4, 2**62)]
)
def test_places_that_cannot_be(field: bytes) -> None:
    with pytest.raises(FormatError, match="impossible place"):
        parse_entry(field)


def test_a_checksum_stored_as_zero_is_left_out_by_proto3() -> None:
    assert parse_entry(b"").crc32c == unmask(0)
    assert format_entry(Entry(1, (), crc32c=unmask(0))) == b"\x08\x01\x12\x00"


numbers = st.integers(0, 2**40)
extents = st.lists(st.tuples(st.integers(0, 9), st.sampled_from([FULL, 0, 1, 500])), max_size=3).map(tuple)


@given(
    st.builds(
        Entry,
        dtype=st.integers(1, 30),
        shape=st.lists(st.integers(0, 2**12), max_size=5).map(tuple),
        shard=st.integers(0, 99_999),
        offset=numbers,
        size=numbers,
        crc32c=st.integers(0, 2**32 - 1),
        slices=st.lists(extents, max_size=3).map(tuple),
    )
)
def test_round_trip(entry: Entry) -> None:
    assert parse_entry(format_entry(entry)) == entry
