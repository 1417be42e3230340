"""The element types that a TensorFlow checkpoint can hold (tensorflow/core/framework/types.proto)."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CkptmapError

if TYPE_CHECKING:
    import numpy as np


class DType(enum.Enum):
    """A tensor's element type: the number in ``DataType``, TensorFlow's name, bytes an element (None: strings)."""

    FLOAT32 = (1, "float32", 4)
    FLOAT64 = (2, "float64", 8)
    INT32 = (3, "int32", 4)
    UINT8 = (4, "uint8", 1)
    INT16 = (5, "int16", 2)
    INT8 = (6, "int8", 1)
    STRING = (7, "string", None)
    COMPLEX64 = (8, "complex64", 8)
    INT64 = (9, "int64", 8)
    BOOL = (10, "bool", 1)
    QINT8 = (11, "qint8", 1)
    QUINT8 = (12, "quint8", 1)
    QINT32 = (13, "qint32", 4)
    BFLOAT16 = (14, "bfloat16", 2)
    QINT16 = (15, "qint16", 2)
    QUINT16 = (16, "quint16", 2)
    UINT16 = (17, "uint16", 2)
    COMPLEX128 = (18, "complex128", 16)
    HALF = (19, "float16", 2)
    UINT32 = (22, "uint32", 4)
    UINT64 = (23, "uint64", 8)
    FLOAT8_E5M2 = (24, "float8_e5m2", 1)
    FLOAT8_E4M3FN = (25, "float8_e4m3fn", 1)
    FLOAT8_E4M3FNUZ = (26, "float8_e4m3fnuz", 1)
    FLOAT8_E4M3B11FNUZ = (27, "float8_e4m3b11fnuz", 1)
    FLOAT8_E5M2FNUZ = (28, "float8_e5m2fnuz", 1)
    INT4 = (29, "int4", 1)
    UINT4 = (30, "uint4", 1)
    INT2 = (31, "int2", 1)
    UINT2 = (32, "uint2", 1)

    def __init__(self, number: int, label: str, itemsize: int | None) -> None:
        self.number = number
        self.label = label
        self.itemsize = itemsize

    def __str__(self) -> str:
        return self.label

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy dtype of the values; ``object`` (holding bytes) for strings; quantized types by their storage.

        Raises CkptmapError for int2 and uint2 under an ml-dtypes before 0.5.
        """
        import numpy as np

        if self is DType.STRING:
            return np.dtype(object)
        if self in _FROM_ML_DTYPES:
            import ml_dtypes

            if not hasattr(ml_dtypes, self.label):
                raise CkptmapError(f"this version of ml-dtypes has no {self}", hint="pip install 'ml-dtypes>=0.5'")
            narrow: np.dtype[Any] = np.dtype(getattr(ml_dtypes, self.label))
            return narrow
        return np.dtype(self.label.removeprefix("q"))


_FROM_ML_DTYPES = frozenset(d for d in DType if d.number >= DType.FLOAT8_E5M2.number or d is DType.BFLOAT16)
_BY_NUMBER = {dtype.number: dtype for dtype in DType}
_BY_LABEL = {dtype.label: dtype for dtype in DType}


def dtype_from_number(number: int) -> DType | None:
    """The type with this ``DataType`` number, None where a checkpoint cannot hold it."""
    return _BY_NUMBER.get(number)


def dtype_from_label(label: str) -> DType | None:
    """The type that TensorFlow calls ``label``, such as ``float32``."""
    return _BY_LABEL.get(label)
