"""The closed set of tensor operations a mapping table can ask for.

Each operation knows its shape function (no NumPy, so that a plan is checked before a tensor is read) and how to
compute its value. An operation works on every tensor of a rule until ``concat``, ``stack`` or ``add: sources`` joins
them into one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.dtypes import DType

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

Shape = tuple[int, ...]
Tensor = tuple[Shape, DType]

_MOST_DIMENSIONS = 32
"""What NumPy 1 can hold."""
_MOST_ELEMENTS = 1 << 58
"""2^63 bytes of the largest dtype; NumPy leaves lengths of 0 out of the product."""


class OperationError(CkptmapError):
    """An operation does not fit the shapes or dtypes it is given; ``problem`` says which."""


def infer(ops: Sequence[Op], shapes: Sequence[Shape], dtypes: Sequence[DType]) -> Tensor:
    """The (shape, dtype) that ``execute`` would give for sources of these shapes and dtypes.

    Raises OperationError, naming the operation and the shapes, where an operation does not fit.
    """
    tensors = list(zip(shapes, dtypes, strict=True))
    for op in ops:
        tensors = op.infer(tensors)
        for shape, _ in tensors:
            if len(shape) > _MOST_DIMENSIONS or prod(length or 1 for length in shape) > _MOST_ELEMENTS:
                raise OperationError(f"{op}: NumPy cannot hold a tensor of shape {list(shape)}")
    if len(tensors) != 1:
        raise OperationError(
            f"{len(tensors)} variables are left for one target", hint="add concat, stack or add: sources"
        )
    return tensors[0]


def execute(ops: Sequence[Op], arrays: Sequence[Array]) -> Array:
    """Run the operations on the values of the sources, in the order the rule lists them; gives one array."""
    import numpy as np

    values = list(arrays)
    for op in ops:
        values = op.run(values)
    if len(values) != 1:
        raise OperationError(
            f"{len(values)} variables are left for one target", hint="add concat, stack or add: sources"
        )
    return np.asarray(values[0])


class Op:
    """One operation: ``infer`` maps shapes and dtypes, ``run`` maps values, both on all tensors of the rule."""

    __slots__ = ()
    name = ""
    joins = False
    """True when many tensors become one."""

    def infer(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Shape and dtype of each tensor after the operation; raises OperationError."""
        return [self._infer(shape, dtype) for shape, dtype in tensors]

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """The value of each tensor after the operation."""
        return [self._run(array) for array in arrays]

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        raise NotImplementedError

    def _run(self, array: Array) -> Array:
        raise NotImplementedError

    def _fail(self, message: str, hint: str = "") -> OperationError:
        return OperationError(f"{self}: {message}", hint=hint)

    def _axis(self, axis: int, shape: Shape, *, extra: int = 0) -> int:
        rank = len(shape) + extra
        if not -rank <= axis < rank:
            raise self._fail(f"there is no axis {axis} in shape {list(shape)}")
        return axis % rank


@dataclass(frozen=True, slots=True)
class Transpose(Op):
    """Permute the dimensions: dimension ``i`` of the result is dimension ``perm[i]`` of the source."""

    perm: tuple[int, ...]
    name = "transpose"

    def __str__(self) -> str:
        return f"transpose {list(self.perm)}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        if len(self.perm) != len(shape):
            raise self._fail(f"names {len(self.perm)} dimensions, the variable has shape {list(shape)}")
        return tuple(shape[i] for i in self.perm), dtype

    def _run(self, array: Array) -> Array:
        result: Array = array.transpose(self.perm)
        return result


@dataclass(frozen=True, slots=True)
class Reshape(Op):
    """Give the same values, in row-major order, another shape; one length may be -1."""

    dims: tuple[int, ...]
    name = "reshape"

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


@dataclass(frozen=True, slots=True)
class Squeeze(Op):
    """Remove dimensions of length 1."""

    axes: tuple[int, ...]
    name = "squeeze"

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


@dataclass(frozen=True, slots=True)
class Slice(Op):
    """Keep the indices ``start <= i < stop`` of one axis, all inside it; ``stop`` None means to the end."""

    axis: int
    start: int
    stop: int | None
    name = "slice"

    def __str__(self) -> str:
        return f"slice axis {self.axis} [{self.start}:{'' if self.stop is None else self.stop}]"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        axis = self._axis(self.axis, shape)
        stop = shape[axis] if self.stop is None else self.stop
        if not self.start < stop <= shape[axis]:
            raise self._fail(f"axis {self.axis} of shape {list(shape)} has {shape[axis]} values")
        return (*shape[:axis], stop - self.start, *shape[axis + 1 :]), dtype

    def _run(self, array: Array) -> Array:
        axis = self._axis(self.axis, array.shape)
        return array[(slice(None),) * axis + (slice(self.start, self.stop),)]


@dataclass(frozen=True, slots=True)
class Split(Op):
    """Cut one axis into equal ``parts`` or into parts of the given ``sizes``; target number ``take`` gets its part."""

    axis: int
    parts: int
    sizes: tuple[int, ...] = ()
    take: int = 0
    name = "split"

    def __str__(self) -> str:
        return f"split axis {self.axis} into {list(self.sizes) or self.parts}, part {self.take}"

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


@dataclass(frozen=True, slots=True)
class Reorder(Op):
    """Cut one axis into ``len(order)`` equal blocks; block ``i`` of the result is block ``order[i]`` of the source.

    RGB to BGR is ``order`` (2, 1, 0); the gates of a recurrent cell are four blocks.
    """

    axis: int
    order: tuple[int, ...]
    name = "reorder"

    def __str__(self) -> str:
        return f"reorder axis {self.axis} {list(self.order)}"

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        block_of(self, self.axis, len(self.order), shape)
        return shape, dtype

    def _run(self, array: Array) -> Array:
        axis, size = block_of(self, self.axis, len(self.order), array.shape)
        indices = [block * size + offset for block in self.order for offset in range(size)]
        return array.take(indices, axis=axis)


def block_of(op: Op, axis: int, count: int, shape: Shape) -> tuple[int, int]:
    """The axis, counted from the front, and the length of one of ``count`` equal blocks of it."""
    axis = op._axis(axis, shape)
    if shape[axis] % count:
        raise op._fail(f"axis {axis} of shape {list(shape)} does not divide into {count} blocks")
    return axis, shape[axis] // count
