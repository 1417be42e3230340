from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.tensor_proto import tensor_type, tensor_values
from ckptmap.checkpoint.wire import FormatError, bytes_field, number_field, varint


def packed(field: int, *numbers: int) -> bytes:
    return bytes_field(field, b"".join(varint(number) for number in numbers))


# bytes that TensorFlow wrote into V1 slices
@pytest.mark.parametrize(
    ("dtype", "data", "values"),
    [
        (DType.FLOAT32, "2a0c000000000000803f0000c842", [0.0, 1.0, 100.0]),
        (DType.FLOAT64, "3218" + "00" * 8 + "000000000000f03f" + "0000000000005940", [0.0, 1.0, 100.0]),
        (DType.HALF, "6a06008078c0ac01", [0.0, 1.0, 100.0]),
        (DType.INT64, "5214ffffffffffffffffff01808080808" + "0e0ffffff01", [-1, -(2**40)]),
        (DType.INT32, "3a0bffffffffffffffffff0105", [-1, 5]),
        (DType.QINT8, "3a0b01feffffffffffffffff01", [1, -2]),
        (DType.BOOL, "5a03000101", [False, True, True]),
        (DType.COMPLEX64, "4a18" + "00" * 8 + "0000803f00000000" + "0000c84200000000", [0j, 1 + 0j, 100 + 0j]),
        (DType.STRING, "42026162" + "4200" + "4202ff00", [b"ab", b"", b"\xff\x00"]),
    ],
)
def test_repeated_fields(dtype: DType, data: str, values: list[object]) -> None:
    array = tensor_values(dtype, (len(values),), bytes.fromhex(data))
    assert array.tolist() == values
    assert array.dtype == dtype.numpy


def test_raw_content() -> None:
    data = number_field(1, 1) + bytes_field(4, struct.pack("<4f", 1, 2, 3, 4))
    assert tensor_values(DType.FLOAT32, (2, 2), data).tolist() == [[1, 2], [3, 4]]
    assert tensor_values(DType.BFLOAT16, (1,), bytes_field(4, b"\x80\x3f")).astype("f4").tolist() == [1.0]


def test_numbers_outside_a_packed_field() -> None:
    assert tensor_values(DType.INT32, (3,), number_field(7, 5) + number_field(7, 6) + number_field(7, 7)).tolist() == [
        5,
        6,
        7,
    ]
    unpacked = b"\x2d\x00\x00\x80\x3f\x2d\x00\x00\x00\x40"
    assert tensor_values(DType.FLOAT32, (2,), unpacked).tolist() == [1.0, 2.0]


def test_other_unsigned_types() -> None:
    assert tensor_values(DType.UINT32, (2,), packed(16, 1, 2**32 - 1)).tolist() == [1, 2**32 - 1]
    assert tensor_values(DType.UINT64, (1,), packed(17, 2**64 - 1)).tolist() == [2**64 - 1]
    assert tensor_values(DType.FLOAT8_E5M2, (2,), bytes_field(18, b"\x3c\x40")).astype("f4").tolist() == [1.0, 2.0]


def test_the_last_value_fills_the_rest() -> None:
    assert tensor_values(DType.INT32, (2, 2), packed(7, 3, 9)).tolist() == [[3, 9], [9, 9]]
    assert tensor_values(DType.FLOAT32, (3,), b"").tolist() == [0.0, 0.0, 0.0]
    assert tensor_values(DType.STRING, (2,), bytes_field(8, b"x")).tolist() == [b"x", b"x"]


def test_scalars_and_empty_tensors() -> None:
    assert tensor_values(DType.INT64, (), packed(10, 7)).item() == 7
    assert tensor_values(DType.FLOAT32, (0, 3), b"").shape == (0, 3)
    assert tensor_values(DType.STRING, (), bytes_field(8, b"x")).item() == b"x"


def test_types_and_shapes() -> None:
    shape = bytes_field(2, number_field(1, 3)) + bytes_field(2, b"")
    assert tensor_type(number_field(1, 19) + bytes_field(2, shape)) == (DType.HALF, (3, 0))
    assert tensor_type(number_field(1, 20)) == (None, ())


@pytest.mark.parametrize(
    ("dtype", "shape", "data", "message"),
    [
        (DType.FLOAT32, (1,), bytes_field(4, bytes(8)), "8 bytes cannot make"),
        (DType.FLOAT32, (2**40,), b"", "a constant claims 4398046511104 bytes and holds 0"),
        (DType.STRING, (1,), bytes_field(8, b"a") * 2, "2 strings cannot make"),
        (DType.STRING, (2**40,), bytes_field(8, b"a"), "1 string cannot make"),
        (DType.INT32, (1,), bytes_field(7, b"\xff"), "varint"),
        (DType.FLOAT32, (1,), number_field(5, 1 << 32), "a number of 4 bytes is larger than they can hold"),
        (DType.COMPLEX128, (1,), bytes_field(7, b"\x01"), "a complex128 tensor has values in a field of another"),
        (DType.FLOAT32, (2,), bytes_field(4, bytes(4)), "4 bytes cannot make"),
        (DType.UINT8, (1,), bytes_field(10, b"\x01"), "a uint8 tensor has values in a field of another type"),
        (DType.FLOAT32, (2,), bytes_field(4, bytes(8)) + bytes_field(5, bytes(8)), "has its values twice"),
        (DType.STRING, (1,), bytes_field(4, b"\x01a"), "a tensor of strings has raw content"),
    ],
)
def test_lies(dtype: DType, shape: tuple[int, ...], data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        tensor_values(dtype, shape, data)


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=20))
def test_negative_numbers(numbers: list[int]) -> None:
    assert tensor_values(DType.INT32, (len(numbers),), packed(7, *numbers)).tolist() == numbers
    narrow = np.array(numbers).astype(np.int8).tolist()
    assert tensor_values(DType.INT8, (len(numbers),), packed(7, *narrow)).tolist() == narrow


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8, DType.STRING])
def test_a_v1_slice_has_all_of_its_values(dtype: DType) -> None:
    """TensorFlow does not restore one with fewer, though a constant with them is filled up."""
    data = {DType.FLOAT32: bytes_field(5, bytes(4)), DType.INT8: packed(7, 1), DType.STRING: bytes_field(8, b"a")}
    assert tensor_values(dtype, (1,), data[dtype], exact=True).shape == (1,)
    assert tensor_values(dtype, (2,), data[dtype]).shape == (2,)
    with pytest.raises(FormatError, match="cannot make"):
        tensor_values(dtype, (2,), data[dtype], exact=True)
