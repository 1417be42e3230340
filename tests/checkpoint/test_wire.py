from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.checkpoint import wire
from ckptmap.checkpoint.wire import FormatError


@pytest.mark.parametrize(
    ("value", "data"),
    [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02"), (2**64 - 1, b"\xff" * 9 + b"\x01")],
)
def test_varints(value: int, data: bytes) -> None:
    assert wire.varint(value) == data
    assert wire.read_varint(data, 0) == (value, len(data))
    assert wire.read_varint(b"\xff" + data + b"\xff", 1) == (value, len(data) + 1)


def test_negative_numbers_take_ten_bytes() -> None:
    assert wire.varint(-1) == b"\xff" * 9 + b"\x01"
    assert wire.signed(wire.read_varint(wire.varint(-5), 0)[0]) == -5


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\xff" * 9, b"\xff" * 10, b"\xff" * 9 + b"\x02", b"\x80" * 11 + b"\x00"]
)
def test_bad_varints(data: bytes) -> None:
    with pytest.raises(FormatError, match="varint"):
        wire.read_varint(data, 0)


def test_fields_of_every_wire_type() -> None:
    data = b"\x08\x96\x01" + b"\x12\x02hi" + b"\x1d\x01\x00\x00\x00" + b"\x21\x02" + b"\x00" * 7
    assert list(wire.read_fields(data)) == [(1, 150), (2, b"hi"), (3, 1), (4, 2)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x12\x05hi", "reaches past the end"),
        (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7fhi", "reaches past the end"),
        (b"\x1d\x01\x00", "reaches past the end"),
        (b"\x0b", "unknown wire type 3"),
        (b"\x08", "varint"),
    ],
)
def test_bad_fields(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        list(wire.read_fields(data))


def test_nested_values_of_a_view_are_views() -> None:
    ((_, value),) = wire.read_fields(memoryview(b"\x0a\x03abc"))
    assert isinstance(value, memoryview)
    assert value == b"abc"


def test_wrong_kinds_of_values() -> None:
    with pytest.raises(FormatError, match="a number is stored as bytes"):
        wire.as_int(b"x")
    with pytest.raises(FormatError, match="a message is stored as a number"):
        wire.as_bytes(1)


def test_text_that_is_no_utf8_survives() -> None:
    text = wire.as_text(b"a\xffb")
    assert text == "a\udcffb"
    assert wire.text_field(1, text) == b"\x0a\x03a\xffb"


def test_default_values_are_left_out_but_messages_are_not() -> None:
    assert wire.number_field(1, 0) == wire.fixed32_field(2, 0) == wire.text_field(3, "") == b""
    assert wire.bytes_field(2, b"") == b"\x12\x00"


def test_packed_and_single_numbers() -> None:
    assert wire.packed_varints(7) == [7]
    assert wire.packed_varints(b"\x01\xac\x02") == [1, 300]


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3))
def test_varint_round_trip(value: int, behind: bytes) -> None:
    data = wire.varint(value)
    assert wire.read_varint(data + behind, 0) == (value, len(data))


@given(st.binary(max_size=60))
def test_any_bytes_end_in_fields_or_a_format_error(data: bytes) -> None:
    try:
        pieces = list(wire.read_fields(data))
    except FormatError:
        return
    assert sum(len(value) for _, value in pieces if isinstance(value, bytes)) <= len(data)
