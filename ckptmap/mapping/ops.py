"""Operations that keep values and change where they lie: transpose, reshape, squeeze, slice, split, reorder."""

# ruff: noqa: ARG002, RUF012  (operations have one signature; what a class says of itself is only read)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from ckptmap.mapping.arguments import MAYBE_WHOLE, WHOLE, WHOLES
from ckptmap.mapping.op import (
    LARGEST,
    MOST_PARTS,
    Op,
    OperationError,
    block_of,
    execute,
    infer,
    not_a_permutation,
    operation,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ckptmap.checkpoint.dtypes import DType
    from ckptmap.mapping.op import Array, Block, Fault, Pulled, Shape, Tensor

__all__ = [
    "Op",
    "OperationError",
    "Reorder",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Transpose",
    "execute",
    "infer",
]


@operation
@dataclass(frozen=True, slots=True)
class Transpose(Op):
    """Permute the dimensions: dimension ``i`` of the result is dimension ``perm[i]`` of the source."""

    perm: tuple[int, ...]
    name = "transpose"
    arguments = {"perm": WHOLES}
    alone = "perm"

    def __str__(self) -> str:
        return f"transpose {list(self.perm)}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        if len(self.perm) != len(shape):
            raise self._fail(f"names {len(self.perm)} dimensions, the variable has shape {list(shape)}")
        return tuple(shape[i] for i in self.perm), dtype

    def _run(self, array: Array) -> Array:
        result: Array = array.transpose(self.perm)
        return result

    def unsound(self) -> Fault | None:
        """Each dimension is named once."""
        return not_a_permutation("transpose", self.perm)

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """The permutation back."""
        return (Transpose(self._back),)

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """A row is a row of the axis that comes to its place."""
        return self.perm[axis], 0, self

    def wanted(self, after: Shape) -> Shape | None:
        """The lengths at the places that they come from."""
        return tuple(after[axis] for axis in self._back) if len(after) == len(self.perm) else None

    @property
    def _back(self) -> tuple[int, ...]:
        return tuple(self.perm.index(axis) for axis in range(len(self.perm)))


@operation
@dataclass(frozen=True, slots=True)
class Reshape(Op):
    """Give the same values, in row-major order, another shape; one length may be -1."""

    dims: tuple[int, ...]
    name = "reshape"
    arguments = {"dims": WHOLES}
    alone = "dims"

    def __str__(self) -> str:
        return f"reshape {list(self.dims)}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        elements, known = prod(shape), prod(length for length in self.dims if length != -1)
        if -1 not in self.dims:
            fits, dims = known == elements, self.dims
        else:
            fits = known > 0 and elements % known == 0
            dims = tuple(elements // known if length == -1 else length for length in self.dims) if fits else ()
        if not fits:
            raise self._fail(f"a variable of shape {list(shape)} has {elements} values")
        return dims, dtype

    def _run(self, array: Array) -> Array:
        return array.reshape(self.dims)

    def unsound(self) -> Fault | None:
        """One length can be open."""
        if self.dims.count(-1) <= 1 and all(-1 <= length <= LARGEST for length in self.dims):
            return None
        return f"reshape {list(self.dims)} is not a shape", "one length can be -1, the others are 0 or more"

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """The shape that there was."""
        return (Reshape(before[at][0]),)

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """An axis of the same length, with as many values before it."""
        outside = prod(after[:axis])
        for place, length in enumerate(before):
            if length == after[axis] and prod(before[:place]) == outside:
                return place, 0, Reshape((*after[:axis], -1, *after[axis + 1 :]))
        return None


@operation
@dataclass(frozen=True, slots=True)
class Squeeze(Op):
    """Remove dimensions of length 1."""

    axes: tuple[int, ...]
    name = "squeeze"
    arguments = {"axes": WHOLES}
    alone = "axes"

    def __str__(self) -> str:
        return f"squeeze {list(self.axes)}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        gone = {self._axis(axis, shape) for axis in self.axes}
        for axis in sorted(gone):
            if shape[axis] != 1:
                raise self._fail(f"dimension {axis} of shape {list(shape)} is {shape[axis]}, not 1")
        return tuple(length for axis, length in enumerate(shape) if axis not in gone), dtype

    def _run(self, array: Array) -> Array:
        return array.squeeze(self.axes)

    def unsound(self) -> Fault | None:
        """Any axes."""
        return None

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """The shape that there was."""
        return (Reshape(before[at][0]),)

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """The same rows, of an axis that lengths of 1 may come before."""
        gone = {at % len(before) for at in self.axes}
        return [at for at in range(len(before)) if at not in gone][axis], 0, self


@operation
@dataclass(frozen=True, slots=True)
class Slice(Op):
    """Keep the indices ``start <= i < stop`` of one axis, all inside it; ``stop`` None means to the end."""

    axis: int
    start: int
    stop: int | None
    name = "slice"
    arguments = {"axis": WHOLE, "start": WHOLE, "stop": MAYBE_WHOLE}
    given = ("axis", "start", "stop")
    needed = ("axis",)

    def __str__(self) -> str:
        return f"slice axis {self.axis} [{self.start}:{'' if self.stop is None else self.stop}]"

    @classmethod
    def from_table(cls, arguments: Mapping[str, Any]) -> Op:
        """From the first index to the last where nothing else is said."""
        return cls(**{"start": 0, "stop": None, **arguments})

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        axis = self._axis(self.axis, shape)
        stop = shape[axis] if self.stop is None else self.stop
        if not self.start < stop <= shape[axis]:
            raise self._fail(f"axis {self.axis} of shape {list(shape)} has {shape[axis]} values")
        return (*shape[:axis], stop - self.start, *shape[axis + 1 :]), dtype

    def _run(self, array: Array) -> Array:
        axis = self._axis(self.axis, array.shape)
        return array[(slice(None),) * axis + (slice(self.start, self.stop),)]

    def unsound(self) -> Fault | None:
        """At least one index."""
        stop = LARGEST if self.stop is None else self.stop
        return None if 0 <= self.start < stop <= LARGEST else ("slice needs 0 <= start < stop", "")

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """None: what was cut off is gone."""
        return None

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """Rows that begin later."""
        return (axis, self.start, None) if self.axis % len(before) == axis else (axis, 0, self)


@operation
@dataclass(frozen=True, slots=True)
class Split(Op):
    """Cut one axis into equal ``parts`` or into parts of the given ``sizes``; target number ``take`` gets its part."""

    axis: int
    parts: int
    sizes: tuple[int, ...] = ()
    take: int = 0
    name = "split"
    arguments = {"axis": WHOLE, "parts": WHOLE, "sizes": WHOLES, "take": WHOLE}
    given = ("axis", "parts", "sizes")
    needed = ("axis",)

    def __str__(self) -> str:
        return f"split axis {self.axis} into {list(self.sizes) or self.parts}, part {self.take}"

    @classmethod
    def from_table(cls, arguments: Mapping[str, Any]) -> Op:
        """As many parts as there are sizes, where those are given; no number of parts where both are."""
        sizes = arguments.get("sizes", ())
        both = "sizes" in arguments and "parts" in arguments
        return cls(arguments["axis"], -1 if both else arguments.get("parts", len(sizes)), sizes)

    def _bounds(self, shape: Shape) -> tuple[int, int, int]:
        axis = self._axis(self.axis, shape)
        length = shape[axis]
        if self.sizes:
            if sum(self.sizes) != length:
                raise self._fail(f"axis {self.axis} of shape {list(shape)} has {length} values, not {sum(self.sizes)}")
            return axis, sum(self.sizes[: self.take]), sum(self.sizes[: self.take + 1])
        if length % self.parts:
            raise self._fail(f"axis {self.axis} of shape {list(shape)} does not divide by {self.parts}")
        size = length // self.parts
        return axis, self.take * size, (self.take + 1) * size

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        axis, start, stop = self._bounds(shape)
        return (*shape[:axis], stop - start, *shape[axis + 1 :]), dtype

    def _run(self, array: Array) -> Array:
        axis, start, stop = self._bounds(array.shape)
        return array[(slice(None),) * axis + (slice(start, stop),)]

    def unsound(self) -> Fault | None:
        """Equal parts, or sizes, and one of them taken."""
        if self.parts < 0:
            return "split needs either `parts` (how many equal ones) or `sizes`", ""
        fits = 1 <= self.parts <= MOST_PARTS and len(self.sizes) in (0, self.parts) and 0 <= self.take < self.parts
        if fits and min(self.sizes, default=0) >= 0 and sum(self.sizes) <= LARGEST:
            return None
        return "split needs at least one part, and no size below 0", ""

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """None: one part does not tell the others. All of them together are what concat makes."""
        return None

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """Rows that begin later."""
        return (axis, 0, self) if self.axis % len(before) != axis else (axis, self._bounds(before)[1], None)


@operation
@dataclass(frozen=True, slots=True)
class Reorder(Op):
    """Cut one axis into ``len(order)`` equal blocks; block ``i`` of the result is block ``order[i]`` of the source.

    RGB to BGR is ``order`` (2, 1, 0); the gates of a recurrent cell are four blocks.
    """

    axis: int
    order: tuple[int, ...]
    name = "reorder"
    arguments = {"axis": WHOLE, "order": WHOLES}
    given = needed = ("axis", "order")

    def __str__(self) -> str:
        return f"reorder axis {self.axis} {list(self.order)}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        block_of(self, self.axis, len(self.order), shape)
        return shape, dtype

    def _run(self, array: Array) -> Array:
        axis, size = block_of(self, self.axis, len(self.order), array.shape)
        indices = [block * size + offset for block in self.order for offset in range(size)]
        return array.take(indices, axis=axis)

    def unsound(self) -> Fault | None:
        """Each block is named once."""
        return not_a_permutation("order", self.order)

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """The order back."""
        return (Reorder(self.axis, tuple(self.order.index(block) for block in range(len(self.order)))),)

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """The same rows of another axis."""
        return (axis, 0, self) if self.axis % len(before) != axis else None

    def blocks(self, axis: int, before: Sequence[Tensor], after: Shape) -> list[Block] | None:
        """The blocks in their new order."""
        size = after[axis] // len(self.order)
        return [(None, (Slice(axis, block * size, (block + 1) * size),), size) for block in self.order]

    def wanted(self, after: Shape) -> Shape | None:
        """The same."""
        return after
