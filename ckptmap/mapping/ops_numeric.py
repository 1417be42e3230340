"""Operations that change values: add, scale, cast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.checkpoint.dtypes import DType
from ckptmap.mapping.ops import Op, block_of

if TYPE_CHECKING:
    from ckptmap.mapping.ops import Array, Shape, Tensor

_FLOATS = frozenset(
    {
        DType.FLOAT32,
        DType.FLOAT64,
        DType.HALF,
        DType.BFLOAT16,
        DType.FLOAT8_E5M2,
        DType.FLOAT8_E4M3FN,
        DType.COMPLEX64,
        DType.COMPLEX128,
    }
)
NOT_NUMERIC = frozenset({DType.STRING, DType.BOOL})


@dataclass(frozen=True, slots=True)
class Add(Op):
    """Add a number; with several ``values``, one to each of as many equal blocks of ``axis``."""

    values: tuple[float, ...]
    axis: int = -1
    name = "add"

    def __str__(self) -> str:
        return _arithmetic(self, self.values, self.axis)

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        return _check_arithmetic(self, self.values, self.axis, shape, dtype)

    def _run(self, array: Array) -> Array:
        return array + _operand(self, self.values, self.axis, array)


@dataclass(frozen=True, slots=True)
class Scale(Op):
    """Multiply by a number; with several ``values``, each of as many equal blocks of ``axis`` by its own."""

    values: tuple[float, ...]
    axis: int = -1
    name = "scale"

    def __str__(self) -> str:
        return _arithmetic(self, self.values, self.axis)

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        return _check_arithmetic(self, self.values, self.axis, shape, dtype)

    def _run(self, array: Array) -> Array:
        return array * _operand(self, self.values, self.axis, array)


@dataclass(frozen=True, slots=True)
class Cast(Op):
    """Convert to another number type, as NumPy's ``astype`` does: a fraction is cut off, not rounded."""

    dtype: DType
    name = "cast"

    def __str__(self) -> str:
        return f"cast {self.dtype}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        if DType.STRING in (dtype, self.dtype):
            raise self._fail(f"{dtype} cannot become {self.dtype}")
        return shape, self.dtype

    def _run(self, array: Array) -> Array:
        return array.astype(self.dtype.numpy)


def _arithmetic(op: Op, values: tuple[float, ...], axis: int) -> str:
    return f"{op.name} {values[0]:g}" if len(values) == 1 else f"{op.name} {[f'{v:g}' for v in values]} axis {axis}"


def _check_arithmetic(op: Op, values: tuple[float, ...], axis: int, shape: Shape, dtype: DType) -> Tensor:
    whole = all(value == int(value) for value in values)
    if dtype in NOT_NUMERIC or (dtype not in _FLOATS and not whole):
        raise op._fail(f"{dtype} values cannot take it", "" if dtype in NOT_NUMERIC else "put a cast before it")
    if len(values) > 1:
        block_of(op, axis, len(values), shape)
    return shape, dtype


def _operand(op: Op, values: tuple[float, ...], axis: int, array: Array) -> Array:
    """The values as an array of the variable's dtype that broadcasts along ``axis``."""
    import numpy as np

    operand: Array = np.asarray(values).astype(array.dtype)
    if len(values) == 1:
        return operand.reshape(())
    axis, size = block_of(op, axis, len(values), array.shape)
    return operand.repeat(size).reshape((-1,) + (1,) * (array.ndim - axis - 1))
