from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.crc import unmask
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.values import checksum, decode, encode, join_strings, split_strings
from ckptmap.checkpoint.wire import FormatError, varint
from tests.checkpoint.strategies import Value, same, values

# written by TensorFlow's SaveV2: [b"ab", b"", b"\x00\xff"]; its index says 0x8e929875 for it
STRINGS = bytes.fromhex("020002a0d8fc1f616200ff")


def test_strings_that_tensorflow_wrote() -> None:
    assert split_strings(STRINGS, 3) == ([b"ab", b"", b"\x00\xff"], unmask(0x8E929875))
    assert join_strings([b"ab", b"", b"\x00\xff"]) == STRINGS


def test_numbers_are_little_endian() -> None:
    array = np.array([[1.5, -2.0]], dtype=">f4")
    assert encode(DType.FLOAT32, array).hex() == "0000c03f000000c0"
    assert decode(DType.FLOAT32, (1, 2), bytes.fromhex("0000c03f000000c0")).tolist() == [[1.5, -2.0]]
    assert decode(DType.BFLOAT16, (), b"\x80\x3f").astype("float32") == 1.0
    assert decode(DType.FLOAT8_E4M3FN, (1,), b"\x38").astype("float32").tolist() == [1.0]


def test_strided_arrays_are_written_row_by_row() -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert encode(DType.UINT8, array.T).hex() == "000301040205"
    assert encode(DType.UINT8, array[:, ::-1]).hex() == "020100050403"


def test_quantized_types_by_their_storage() -> None:
    assert decode(DType.QINT8, (2,), b"\x01\xff").tolist() == [1, -1]
    assert decode(DType.QUINT16, (1,), b"\x01\xff").tolist() == [65281]


@pytest.mark.parametrize(
    ("raw", "count", "message"),
    [
        (b"", 0, "too few"),
        (STRINGS, 8, "too few"),
        (STRINGS, 2, "do not add up"),
        (STRINGS[:-1], 3, "do not add up"),
        (b"\x02\x00\x02\xa0\xd8\xfc\x1e\x61\x62\x00\xff", 3, "checksum over the lengths"),
        (varint(2**63) + b"\x00" * 8, 1, "do not add up"),
        (b"\xff" * 30, 1, "varint"),
    ],
)
def test_damaged_strings(raw: bytes, count: int, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        split_strings(raw, count)


def test_bytes_that_do_not_fill_the_shape() -> None:
    with pytest.raises(FormatError, match=r"7 bytes cannot make a float32 tensor of shape \[2\]"):
        decode(DType.FLOAT32, (2,), bytes(7))


def test_a_type_that_an_older_ml_dtypes_lacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("ml_dtypes.int2", raising=False)
    with pytest.raises(CkptmapError, match=r"this version of ml-dtypes has no int2 \(pip install 'ml-dtypes>=0\.5'\)"):
        decode(DType.INT2, (1,), b"\x01")


def test_shapes_that_numpy_cannot_hold() -> None:
    with pytest.raises(FormatError, match="65 dimensions"):
        decode(DType.FLOAT32, (1,) * 65, bytes(4))
    with pytest.raises(FormatError, match="NumPy cannot hold"):
        decode(DType.FLOAT32, (0, 2**62, 2), b"")


@given(values())
def test_round_trip(value: Value) -> None:
    raw = encode(value.dtype, value.array)
    assert same(decode(value.dtype, value.array.shape, raw), value.array)
    assert same(decode(value.dtype, value.array.shape, memoryview(raw)), value.array)
    assert checksum(value.dtype, value.array.shape, raw) == checksum(value.dtype, value.array.shape, bytearray(raw))
