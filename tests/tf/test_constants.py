"""TensorFlow is the judge of constants: what it refuses ckptmap refuses, what ckptmap reads has TensorFlow's values."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.wire import bytes_field, number_field, varint
from ckptmap.tf.environment import TensorFlowError, prepare
from tests.checkpoint.test_frozen import READ, node

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorFlow's own dependencies
    import tensorflow as tf

DTYPES = (
    DType.FLOAT32, DType.FLOAT64, DType.HALF, DType.BFLOAT16, DType.INT8, DType.UINT16, DType.INT32, DType.INT64,
    DType.UINT32, DType.UINT64, DType.BOOL, DType.COMPLEX64, DType.COMPLEX128, DType.FLOAT8_E5M2,
)  # fmt: skip
PACKED = {
    5: np.array([1, 2], "<f4").tobytes(),
    6: np.array([1, 2], "<f8").tobytes(),
    7: varint(1) + varint(2),
    9: np.array([1, 2], "<c8").tobytes(),
    10: varint(1) + varint(2),
    11: varint(1) + varint(0),
    12: np.array([1, 2], "<c16").tobytes(),
    13: varint(0x3C00) + varint(0x4000),
    16: varint(1) + varint(2),
    17: varint(1) + varint(2),
    18: b"\x3c\x40",
}
"""Two values in each field of a TensorProto."""
SHAPES = ((), (1,), (2,), (3,), (0, 2))


def made(dtype: DType, shape: tuple[int, ...], values: bytes) -> bytes:
    dims = b"".join(bytes_field(2, number_field(1, dim)) for dim in shape)
    return number_field(1, dtype.number) + bytes_field(2, dims) + values


def by_tensorflow(tensor: bytes, dtype: DType) -> np.ndarray | None:
    """What ``Tensor::FromProto`` makes of it; None where it refuses."""
    try:
        return tf.io.parse_tensor(tensor, tf.dtypes.as_dtype(dtype.label)).numpy()
    except tf.errors.InvalidArgumentError:
        return None


def by_ckptmap(folder: Path, tensor: bytes, dtype: DType) -> np.ndarray | None:
    path = folder / "graph.pb"
    path.write_bytes(node("v", "Const", tensor=tensor, dtype=dtype.number) + READ)
    try:
        with open_checkpoint(path) as checkpoint:
            return checkpoint.read("v")
    except CheckpointError:
        return None


def same_bytes(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and one.tobytes() == other.tobytes()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_constant_has_tensorflows_values_or_is_refused(tmp_path: Path, dtype: DType) -> None:
    fields = [bytes_field(number, packed) for number, packed in PACKED.items()]
    contents = [bytes_field(4, bytes(size)) for size in range(3 * (dtype.itemsize or 1) + 1)]
    read = refused = 0
    for shape in SHAPES:
        for values in (b"", *fields, *contents):
            tensor = made(dtype, shape, values)
            expected, found = by_tensorflow(tensor, dtype), by_ckptmap(tmp_path, tensor, dtype)
            refused += expected is None
            if found is not None:
                assert expected is not None, (shape, values)
                assert same_bytes(found, expected), (shape, values)
                read += 1
    assert read >= 10  # no values, content and its own field, in five shapes; more values than elements are refused
    assert refused >= 8
