"""Operations that change values: add, scale, sum, fill, cast."""

# ruff: noqa: ARG002, RUF012  (operations have one signature; what a class says of itself is only read)

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from ckptmap.basics.text import counted
from ckptmap.checkpoint.dtypes import DType
from ckptmap.mapping.arguments import DTYPE, NUMBER, NUMBERS, WHOLE
from ckptmap.mapping.op import Op, block_of, operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ckptmap.mapping.op import Array, Fault, Pulled, Shape, Tensor

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
LOSSLESS = frozenset(
    {
        (DType.HALF, DType.FLOAT32),
        (DType.HALF, DType.FLOAT64),
        (DType.BFLOAT16, DType.FLOAT32),
        (DType.BFLOAT16, DType.FLOAT64),
        (DType.FLOAT32, DType.FLOAT64),
        (DType.INT32, DType.INT64),
        (DType.INT16, DType.INT32),
        (DType.INT16, DType.INT64),
    }
)
"""From one dtype to another that holds all its values."""
NOT_NUMERIC = frozenset({DType.STRING, DType.BOOL})


@dataclass(frozen=True, slots=True)
class _Arithmetic(Op):
    """What is computed with a number; with several ``values``, each has one of as many equal blocks of ``axis``."""

    values: tuple[float, ...]
    axis: int = -1
    arguments = {"values": NUMBERS, "axis": WHOLE}
    alone = "values"
    given = needed = ("values", "axis")

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{self.name} {self.values[0]:g}"
        return f"{self.name} {[f'{value:g}' for value in self.values]} axis {self.axis}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        return _check_arithmetic(self, self.values, self.axis, shape, dtype)

    def unsound(self) -> Fault | None:
        """At least one finite number."""
        if not self.values:
            return f"{self.name} has no values", "one number for each index of the axis"
        return None if all(map(isfinite, self.values)) else (f"{self.name} needs finite numbers", "")

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """The same rows; of an axis with a number for each block, none."""
        return (axis, 0, self) if len(self.values) == 1 or self.axis % len(before) != axis else None

    def wanted(self, after: Shape) -> Shape | None:
        """The same."""
        return after

    def _operand(self, array: Array) -> Array:
        """The values as an array of the variable's dtype that broadcasts along ``axis``."""
        import numpy as np

        operand: Array = np.asarray(self.values).astype(array.dtype)
        if len(self.values) == 1:
            return operand.reshape(())
        axis, size = block_of(self, self.axis, len(self.values), array.shape)
        return operand.repeat(size).reshape((-1,) + (1,) * (array.ndim - axis - 1))


@operation
@dataclass(frozen=True, slots=True)
class Add(_Arithmetic):
    """Add a number; with several ``values``, one to each of as many equal blocks of ``axis``."""

    name = "add"

    def _run(self, array: Array) -> Array:
        return array + self._operand(array)

    def for_slots(self, power: int) -> tuple[Op, ...] | None:
        """Nothing: gradients do not change with what is added."""
        return ()

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """The numbers taken away again; a fraction may lose its last bit."""
        return (Add(tuple(-value for value in self.values), self.axis),)


@operation
@dataclass(frozen=True, slots=True)
class Scale(_Arithmetic):
    """Multiply by a number; with several ``values``, each of as many equal blocks of ``axis`` by its own."""

    name = "scale"

    def _run(self, array: Array) -> Array:
        return array * self._operand(array)

    def for_slots(self, power: int) -> tuple[Op, ...] | None:
        """The factors to that power; None where one is 0, for gradients are divided by it."""
        if power >= 0 or all(self.values):
            return (Scale(tuple(value**power for value in self.values), self.axis),) if power else ()
        return None

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """The reciprocals, for fractions; None for whole numbers, and where a factor is 0."""
        if before[at][1] not in _FLOATS or not all(self.values):
            return None
        return (Scale(tuple(1 / value for value in self.values), self.axis),)


@operation
@dataclass(frozen=True, slots=True)
class Cast(Op):
    """Convert to another number type, as NumPy's ``astype`` does: a fraction is cut off, not rounded.

    A number that is finite and would become infinite is refused: nothing computes the same with it.
    """

    dtype: DType
    name = "cast"
    arguments = {"dtype": DTYPE}
    alone = "dtype"

    def __str__(self) -> str:
        return f"cast {self.dtype}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        if DType.STRING in (dtype, self.dtype):
            raise self._fail(f"{dtype} cannot become {self.dtype}")
        return shape, self.dtype

    def _run(self, array: Array) -> Array:
        import numpy as np

        if self.dtype not in _FLOATS:
            return array.astype(self.dtype.numpy)
        with np.errstate(over="ignore", invalid="ignore"):  # a signalling NaN becomes a quiet one
            made: Array = array.astype(self.dtype.numpy)
        lost = ~np.isfinite(made) & np.isfinite(array)
        if lost.any():
            largest = float(abs(array[lost]).max())
            raise self._fail(
                f"{counted(int(lost.sum()), 'value', 'is', 'are')} larger than it holds, up to {largest:g}"
            )
        return made

    def unsound(self) -> Fault | None:
        """Any dtype."""
        return None

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """The dtype that there was, where this one holds all its values."""
        dtype = before[at][1]
        return (Cast(dtype),) if dtype is self.dtype or (dtype, self.dtype) in LOSSLESS else None

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """The same rows."""
        return axis, 0, self

    def wanted(self, after: Shape) -> Shape | None:
        """The same."""
        return after


@operation
@dataclass(frozen=True, slots=True)
class SumOver(Op):
    """Add the values along an axis to each other; the axis goes. The two biases of a cuDNN gate are one of Keras."""

    axis: int
    name = "sum"
    arguments = {"axis": WHOLE}
    alone = "axis"

    def __str__(self) -> str:
        return f"sum axis {self.axis}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        axis = self._axis(self.axis, shape)
        if dtype in NOT_NUMERIC:
            raise self._fail(f"{dtype} values cannot be added")
        return (*shape[:axis], *shape[axis + 1 :]), dtype

    def _run(self, array: Array) -> Array:
        total: Array = array.sum(axis=self.axis, dtype=array.dtype)
        return total

    def unsound(self) -> Fault | None:
        """Any axis."""
        return None

    def for_slots(self, power: int) -> tuple[Op, ...] | None:
        """None: what is kept of the parts does not tell what would be kept of their sum."""
        return None

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """None: a sum does not tell what was added."""
        return None

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """The same rows, of an axis that the one that goes may come before."""
        gone = self.axis % len(before)
        return axis + (axis >= gone), 0, SumOver(gone)


@operation
@dataclass(frozen=True, slots=True)
class Fill(Op):
    """Put a number in the place of every value: a part of a join that no source has, as long as one that it has."""

    value: float
    name = "fill"
    arguments = {"value": NUMBER}
    alone = "value"

    def __str__(self) -> str:
        return f"fill {self.value:g}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        return _check_arithmetic(self, (self.value,), -1, shape, dtype)

    def _run(self, array: Array) -> Array:
        import numpy as np

        return np.full(array.shape, self.value, array.dtype)

    def unsound(self) -> Fault | None:
        """A finite number."""
        return None if isfinite(self.value) else ("fill needs a finite number", "")

    def for_slots(self, power: int) -> tuple[Op, ...] | None:
        """Zeros: nothing has been trained there."""
        return (Fill(0.0),)

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """None: the values are gone."""
        return None

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """The same rows."""
        return axis, 0, self

    def wanted(self, after: Shape) -> Shape | None:
        """The same."""
        return after


def is_storable(value: float, dtype: DType) -> bool:
    """Whether a variable of this dtype can hold the number: fractions only where it holds fractions."""
    return dtype not in NOT_NUMERIC and (dtype in _FLOATS or value == int(value))


def _check_arithmetic(op: Op, values: tuple[float, ...], axis: int, shape: Shape, dtype: DType) -> Tensor:
    if not all(is_storable(value, dtype) for value in values):
        raise op._fail(f"{dtype} values cannot take it", "" if dtype in NOT_NUMERIC else "put a cast before it")
    if len(values) > 1:
        block_of(op, axis, len(values), shape)
    return shape, dtype
