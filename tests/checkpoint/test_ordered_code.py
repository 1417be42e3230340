from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.checkpoint.ordered_code import FULL, encode_number, encode_signed, encode_string, slice_key


@pytest.mark.parametrize(
    ("value", "data"), [(0, "00"), (1, "0101"), (255, "01ff"), (256, "020100"), (70000, "03011170")]
)
def test_numbers(value: int, data: str) -> None:
    assert encode_number(value).hex() == data


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (0, "80"),
        (-1, "7f"),
        (63, "bf"),
        (64, "c040"),
        (-64, "40"),
        (-65, "3fbf"),
        (300, "c12c"),
        (8191, "dfff"),
        (8192, "e02000"),
        (2**40, "fd0000000000"),
        (2**62, "ffc04000000000000000"),
    ],
)
def test_signed_numbers(value: int, data: str) -> None:
    assert encode_signed(value).hex() == data


def test_strings_escape_their_ends() -> None:
    assert encode_string(b"w") == b"w\x00\x01"
    assert encode_string(b"a\x00b\xffc") == b"a\x00\xffb\xff\x00c\x00\x01"


def test_the_keys_that_tensorflow_wrote() -> None:
    # a variable p of shape [4, 300], saved by SaveV2 as "4 300 0,1:0,300" and "4 300 1,3:-"
    assert slice_key(b"p", ((0, 1), (0, 300))).hex() == "007000010102808180c12c"
    assert slice_key(b"p", ((1, 3), (0, FULL))).hex() == "0070000101028183807f"


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_signed_numbers_keep_their_order(left: int, right: int) -> None:
    assert (encode_signed(left) < encode_signed(right)) == (left < right)


@given(st.binary(max_size=6), st.binary(max_size=6))
def test_strings_keep_their_order(left: bytes, right: bytes) -> None:
    assert (encode_string(left) < encode_string(right)) == (left < right)
