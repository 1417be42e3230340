"""The closed set of tensor operations a mapping table can ask for.

Each operation knows its shape function (no NumPy, so that a plan is checked before a tensor is read) and how to
compute its value. An operation works on every tensor of a rule until ``concat``, ``stack`` or ``add: sources`` joins
them into one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from ckptmap.checkpoint.dtypes import DType
from ckptmap.errors import CkptmapError

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, numpy.dtype[Any]]

Shape = tuple[int, ...]
Tensor = tuple[Shape, DType]

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
_NOT_NUMERIC = frozenset({DType.STRING, DType.BOOL})


class OperationError(CkptmapError):
    """An operation does not fit the shapes or dtypes it is given; ``problem`` says which."""


def infer(ops: Sequence[Op], shapes: Sequence[Shape], dtypes: Sequence[DType]) -> Tensor:
    """The (shape, dtype) that ``execute`` would give for sources of these shapes and dtypes.

    Raises OperationError, naming the operation and the shapes, where an operation does not fit.
    """
    tensors = list(zip(shapes, dtypes, strict=True))
    for op in ops:
        tensors = op.infer(tensors)
    if len(tensors) != 1:
        raise OperationError(f"{len(tensors)} variables are left for one target", hint="add concat, stack or add: sources")
    return tensors[0]


def execute(ops: Sequence[Op], arrays: Sequence[Array]) -> Array:
    """Run the operations on the values of the sources, in the order the rule lists them; gives one array."""
    import numpy

    values = list(arrays)
    for op in ops:
        values = op.run(values)
    if len(values) != 1:
        raise OperationError(f"{len(values)} variables are left for one target", hint="add concat, stack or add: sources")
    return numpy.asarray(values[0])


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
        return array.transpose(self.perm)


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
        _block(self, self.axis, len(self.order), shape)
        return shape, dtype

    def _run(self, array: Array) -> Array:
        axis, size = _block(self, self.axis, len(self.order), array.shape)
        indices = [block * size + offset for block in self.order for offset in range(size)]
        return array.take(indices, axis=axis)


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


class Join(Op):
    """An operation that makes one tensor of all."""

    __slots__ = ()
    joins = True

    def infer(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """One (shape, dtype); raises OperationError where dtypes or shapes do not go together."""
        shapes, dtypes = [shape for shape, _ in tensors], {dtype for _, dtype in tensors}
        if len(dtypes) > 1:
            raise self._fail(f"dtypes differ: {', '.join(sorted(map(str, dtypes)))}", "put a cast before it")
        return [(self._join_shapes(shapes), tensors[0][1])]

    def _join_shapes(self, shapes: Sequence[Shape]) -> Shape:
        raise NotImplementedError

    def _differ(self, shapes: Sequence[Shape]) -> OperationError:
        return self._fail(f"the shapes do not fit: {', '.join(str(list(shape)) for shape in dict.fromkeys(shapes))}")


@dataclass(frozen=True, slots=True)
class Concat(Join):
    """Join along an existing axis; all other lengths are equal."""

    axis: int
    name = "concat"

    def __str__(self) -> str:
        return f"concat axis {self.axis}"

    def _join_shapes(self, shapes: Sequence[Shape]) -> Shape:
        first = shapes[0]
        axis = self._axis(self.axis, first)
        if {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes} != {(*first[:axis], *first[axis + 1 :])} or any(
            len(shape) != len(first) for shape in shapes
        ):
            raise self._differ(shapes)
        return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """One array, the sources one after the other along the axis."""
        import numpy

        return [numpy.concatenate(arrays, axis=self.axis)]


@dataclass(frozen=True, slots=True)
class Stack(Join):
    """Join along a new axis; all shapes are equal."""

    axis: int
    name = "stack"

    def __str__(self) -> str:
        return f"stack axis {self.axis}"

    def _join_shapes(self, shapes: Sequence[Shape]) -> Shape:
        if len(set(shapes)) > 1:
            raise self._differ(shapes)
        axis = self._axis(self.axis, shapes[0], extra=1)
        return (*shapes[0][:axis], len(shapes), *shapes[0][axis:])

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """One array with one dimension more."""
        import numpy

        return [numpy.stack(arrays, axis=self.axis)]


@dataclass(frozen=True, slots=True)
class Sum(Join):
    """Add the sources to each other (``add: sources``); all shapes are equal."""

    name = "add"

    def __str__(self) -> str:
        return "add sources"

    def infer(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """One (shape, dtype); raises OperationError for strings and bools too."""
        for _, dtype in tensors:
            if dtype in _NOT_NUMERIC:
                raise self._fail(f"{dtype} values cannot be added")
        return Join.infer(self, tensors)

    def _join_shapes(self, shapes: Sequence[Shape]) -> Shape:
        if len(set(shapes)) > 1:
            raise self._differ(shapes)
        return shapes[0]

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """One array: the sources added in order."""
        total = arrays[0]
        for array in arrays[1:]:
            total = total + array
        return [total]


def _block(op: Op, axis: int, count: int, shape: Shape) -> tuple[int, int]:
    """The axis, counted from the front, and the length of one of ``count`` equal blocks of it."""
    axis = op._axis(axis, shape)
    if shape[axis] % count:
        raise op._fail(f"axis {axis} of shape {list(shape)} does not divide into {count} blocks")
    return axis, shape[axis] // count


def _arithmetic(op: Op, values: tuple[float, ...], axis: int) -> str:
    return f"{op.name} {values[0]:g}" if len(values) == 1 else f"{op.name} {[f'{v:g}' for v in values]} axis {axis}"


def _check_arithmetic(op: Op, values: tuple[float, ...], axis: int, shape: Shape, dtype: DType) -> Tensor:
    whole = all(value == int(value) for value in values)
    if dtype in _NOT_NUMERIC or (dtype not in _FLOATS and not whole):
        raise op._fail(f"{dtype} values cannot take it", "" if dtype in _NOT_NUMERIC else "put a cast before it")
    if len(values) > 1:
        _block(op, axis, len(values), shape)
    return shape, dtype


def _operand(op: Op, values: tuple[float, ...], axis: int, array: Array) -> Array:
    """The values as an array of the variable's dtype that broadcasts along ``axis``."""
    import numpy

    operand = numpy.asarray(values).astype(array.dtype)
    if len(values) == 1:
        return operand[0]
    axis, size = _block(op, axis, len(values), array.shape)
    return operand.repeat(size).reshape((-1,) + (1,) * (array.ndim - axis - 1))
