"""Hypothesis strategies for whole bundles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ml_dtypes
import numpy as np
from hypothesis import strategies as st

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.values import element_count

shapes = st.lists(st.integers(0, 5), max_size=4).map(tuple)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda name: name[0] != "\x00"
)

TYPES = tuple(one for one in DType if one not in (DType.INT2, DType.UINT2) or hasattr(ml_dtypes, one.label))
"""On Python 3.10 ml-dtypes may be one without the two: TensorFlow 2.15 wants that."""

# the bits that a value of these types has in its byte
SMALL = {DType.BOOL: 1, DType.INT2: 3, DType.UINT2: 3, DType.INT4: 15, DType.UINT4: 15}


@dataclass(frozen=True)
class Value:
    dtype: DType
    array: np.ndarray


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def same(left: np.ndarray, right: np.ndarray) -> bool:
    """Equal shape and equal bits; NaN equals the same NaN."""
    if object in (left.dtype, right.dtype):
        return left.shape == right.shape and left.tolist() == right.tolist()
    return left.shape == right.shape and left.tobytes() == right.tobytes()


@st.composite
def values(draw: st.DrawFn, dtypes: tuple[DType, ...] = TYPES) -> Value:
    dtype, shape = draw(st.sampled_from(dtypes)), draw(shapes)
    count = element_count(shape)
    if dtype.itemsize is None:
        strings = draw(st.lists(st.binary(max_size=300), min_size=count, max_size=count))
        array = np.empty(count, dtype=object)
        array[:] = strings
        return Value(dtype, array.reshape(shape))
    raw = draw(st.binary(min_size=count * dtype.itemsize, max_size=count * dtype.itemsize))
    if dtype in SMALL:
        raw = bytes(byte & SMALL[dtype] for byte in raw)
    return Value(dtype, np.frombuffer(raw, dtype=dtype.numpy).reshape(shape))


def bundles(dtypes: tuple[DType, ...] = TYPES) -> st.SearchStrategy[dict[str, Value]]:
    return st.dictionaries(names, values(dtypes), max_size=8)
