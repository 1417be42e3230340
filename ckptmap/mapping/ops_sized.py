"""Operations that change a length, and those that take one from the target: one table serves models of every size."""

# ruff: noqa: ARG002, RUF012  (operations have one signature; what a class says of itself is only read)

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, prod
from typing import TYPE_CHECKING, Any

from ckptmap.mapping.arguments import NUMBER, WHOLE
from ckptmap.mapping.op import LARGEST, MOST_PARTS, Op, operation
from ckptmap.mapping.ops import Reshape, Slice, Split
from ckptmap.mapping.ops_numeric import is_storable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ckptmap.checkpoint.dtypes import DType
    from ckptmap.mapping.op import Array, Fault, Pulled, Shape, Tensor


_MOST_PADDED = 1 << 27
"""How many values there can be after padding: a table or a report of a few bytes does not take all memory."""


@operation
@dataclass(frozen=True, slots=True)
class Pad(Op):
    """Put ``before`` indices in front of an axis and ``after`` behind it, all with the number ``value``."""

    axis: int
    before: int
    after: int
    value: float
    name = "pad"
    arguments = {"axis": WHOLE, "before": WHOLE, "after": WHOLE, "value": NUMBER}
    given = ("axis", "before", "after", "value")
    needed = ("axis", "value")

    def __str__(self) -> str:
        return f"pad axis {self.axis} with {self.value:g}, {self.before} before and {self.after} after"

    @classmethod
    def from_table(cls, arguments: Mapping[str, Any]) -> Op:
        """Nothing on a side of which nothing is said."""
        return cls(**{"before": 0, "after": 0, **arguments})

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        axis = self._axis(self.axis, shape)
        if not is_storable(self.value, dtype):
            raise self._fail(f"{dtype} values cannot take it")
        padded = (*shape[:axis], self.before + shape[axis] + self.after, *shape[axis + 1 :])
        if prod(padded) > _MOST_PADDED:
            raise self._fail(f"shape {list(padded)} is too large", f"up to {_MOST_PADDED} values can be padded")
        return padded, dtype

    def _run(self, array: Array) -> Array:
        import numpy as np

        widths = [(0, 0)] * array.ndim
        widths[self.axis] = (self.before, self.after)
        return np.pad(array, widths, constant_values=np.asarray(self.value).astype(array.dtype))

    def unsound(self) -> Fault | None:
        """Some indices, and a finite number."""
        if 0 <= self.before <= LARGEST and 0 <= self.after <= LARGEST and isfinite(self.value):
            return None
        return "pad needs 0 or more indices before and after, and a finite value", ""

    def for_slots(self, power: int) -> tuple[Op, ...] | None:
        """Zeros in the new indices: nothing has been trained there."""
        return (Pad(self.axis, self.before, self.after, 0.0),)

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """The indices between; None where there are none."""
        length = before[at][0][self.axis]
        return (Slice(self.axis, self.before, self.before + length),) if length else None

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """The same rows of another axis."""
        return (axis, 0, self) if self.axis % len(before) != axis else None


@operation
@dataclass(frozen=True, slots=True)
class Grow(Op):
    """Give an axis a new ``length``: the source's values, then the target's own.

    The values behind the source's are zero here: ``op.fill_fresh`` puts the target's own in. ``old`` is the length that
    the source has.
    """

    axis: int
    old: int
    length: int
    name = "grow"
    arguments = {"axis": WHOLE, "old": WHOLE, "length": WHOLE}
    in_tables = False
    leaves_open = True

    def __str__(self) -> str:
        return f"grow axis {self.axis} from {self.old} to {self.length}"

    @property
    def kept(self) -> str:
        """How many indices of the axis come from the source."""
        return f"{self.old} of {self.length} along axis {self.axis}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        axis = self._axis(self.axis, shape)
        if shape[axis] != self.old:
            raise self._fail(f"axis {self.axis} of shape {list(shape)} has {shape[axis]} values")
        return (*shape[:axis], self.length, *shape[axis + 1 :]), dtype

    def _run(self, array: Array) -> Array:
        import numpy as np

        shape = list(array.shape)
        shape[self.axis] = self.length
        grown = np.zeros(shape, array.dtype)
        axis = self.axis % array.ndim
        grown[(slice(None),) * axis + (slice(0, self.old),)] = array
        return grown

    def fresh(self, values: Array) -> Array:
        """The indices behind the source's."""
        import numpy as np

        shape = [1] * values.ndim
        shape[self.axis] = -1
        return np.broadcast_to((np.arange(self.length) >= self.old).reshape(shape), values.shape)

    def unsound(self) -> Fault | None:
        """More indices than there are."""
        return None if 0 <= self.old < self.length <= LARGEST else ("grow needs a length above the old one", "")

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """The indices that were there; None where there were none."""
        return (Slice(self.axis, 0, self.old),) if self.old else None

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """None: what it leaves open is filled in the whole value, or behind the source's rows."""
        return None


class _FromTarget(Op):
    """An operation that takes a length from the target: another stands for it in a plan."""

    __slots__ = ()
    asks_target = True

    def infer(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Nothing is known before it is fitted; raises OperationError."""
        raise self._fail("the target's shape is not known here")

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """Nothing is known before it is fitted; raises OperationError."""
        raise self._fail("the target's shape is not known here")

    def unsound(self) -> Fault | None:
        """Any axis."""
        return None

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """None: it is fitted first."""
        return None

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """None: it is fitted first."""
        return None

    def _length(self, axis: int, before: Shape, wanted: Shape) -> int:
        """The length that the target has along ``axis``; both have as many dimensions, or there is none."""
        if len(before) != len(wanted):
            raise self._fail(f"shape {list(before)} has other dimensions than the target's {list(wanted)}")
        return wanted[self._axis(axis, before)]


@operation
@dataclass(frozen=True, slots=True)
class ReshapeToTarget(_FromTarget):
    """The same values in the shape of the target (``reshape: target``)."""

    name = "reshape"
    word = "target"

    def __str__(self) -> str:
        return "reshape target"

    def fitted(self, before: Shape, wanted: Sequence[Shape]) -> Op | None:
        """The shape that is wanted; nothing where there is it."""
        if prod(before) != prod(wanted[0]):
            raise self._fail(f"a variable of shape {list(before)} cannot have the target's {list(wanted[0])}")
        return Reshape(wanted[0]) if before != wanted[0] else None


@operation
@dataclass(frozen=True, slots=True)
class PadToTarget(_FromTarget):
    """As long along an axis as the target, which fills what is new: a vocabulary that has grown."""

    axis: int
    name = "pad"
    arguments = {"axis": WHOLE}
    given = needed = ("axis",)

    def __str__(self) -> str:
        return f"pad axis {self.axis} to the target"

    def fitted(self, before: Shape, wanted: Sequence[Shape]) -> Op | None:
        """The new length; nothing where it is the old one."""
        length, old = self._length(self.axis, before, wanted[0]), before[self.axis]
        if length < old:
            raise self._fail(f"the source has {old} values, the target {length}", "resize cuts what is over")
        return Grow(self.axis, old, length) if length > old else None


@operation
@dataclass(frozen=True, slots=True)
class ResizeToTarget(_FromTarget):
    """As long along an axis as the target: cut off behind, or filled from it."""

    axis: int
    name = "resize"
    arguments = {"axis": WHOLE}
    given = needed = ("axis",)

    def __str__(self) -> str:
        return f"resize axis {self.axis} to the target"

    def fitted(self, before: Shape, wanted: Sequence[Shape]) -> Op | None:
        """The new length; nothing where it is the old one."""
        length, old = self._length(self.axis, before, wanted[0]), before[self.axis]
        if length < old:
            return Slice(self.axis, 0, length)
        return Grow(self.axis, old, length) if length > old else None


@operation
@dataclass(frozen=True, slots=True)
class SplitForTargets(_FromTarget):
    """Cut one axis into parts as long as each target of the rule; target number ``take`` gets its part."""

    axis: int
    take: int = 0
    name = "split"
    arguments = {"axis": WHOLE, "take": WHOLE}
    given = needed = ("axis",)

    def __str__(self) -> str:
        return f"split axis {self.axis} as the targets are, part {self.take}"

    def unsound(self) -> Fault | None:
        """A part of some."""
        return None if 0 <= self.take < MOST_PARTS else ("split needs a part to take", "")

    def fitted(self, before: Shape, wanted: Sequence[Shape]) -> Op | None:
        """The lengths of the targets."""
        sizes = tuple(self._length(self.axis, before, shape) for shape in wanted)
        return Split(self.axis, len(sizes), sizes, self.take)
