"""Operations that make one tensor of many: concat, stack, add: sources."""

# ruff: noqa: ARG002, RUF012  (operations have one signature; what a class says of itself is only read)

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.mapping.arguments import WHOLE
from ckptmap.mapping.op import Op, operation
from ckptmap.mapping.ops import Reshape, Slice
from ckptmap.mapping.ops_numeric import NOT_NUMERIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ckptmap.mapping.op import Array, Block, Fault, OperationError, Pulled, Shape, Tensor


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

    def unsound(self) -> Fault | None:
        """Any axis."""
        return None

    def _join_shapes(self, shapes: Sequence[Shape]) -> Shape:
        raise NotImplementedError

    def _differ(self, shapes: Sequence[Shape]) -> OperationError:
        return self._fail(f"the shapes do not fit: {', '.join(str(list(shape)) for shape in dict.fromkeys(shapes))}")


@operation
@dataclass(frozen=True, slots=True)
class Concat(Join):
    """Join along an existing axis; all other lengths are equal."""

    axis: int
    name = "concat"
    arguments = {"axis": WHOLE}
    alone = "axis"

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
        import numpy as np

        return [np.concatenate(arrays, axis=self.axis)]

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """The slice that the source became; None where it has no length."""
        axis = self.axis % len(before[at][0])
        start = sum(shape[axis] for shape, _ in before[:at])
        length = before[at][0][axis]
        return (Slice(axis, start, start + length),) if length else None

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """The same rows of another axis."""
        return (axis, 0, self) if self.axis % len(before) != axis else None

    def blocks(self, axis: int, before: Sequence[Tensor], after: Shape) -> list[Block] | None:
        """Each source, one after the other."""
        return [(number, (), shape[axis]) for number, (shape, _) in zip(_numbers(before), before, strict=True)]


@operation
@dataclass(frozen=True, slots=True)
class Stack(Join):
    """Join along a new axis; all shapes are equal."""

    axis: int
    name = "stack"
    arguments = {"axis": WHOLE}
    alone = "axis"

    def __str__(self) -> str:
        return f"stack axis {self.axis}"

    def _join_shapes(self, shapes: Sequence[Shape]) -> Shape:
        if len(set(shapes)) > 1:
            raise self._differ(shapes)
        axis = self._axis(self.axis, shapes[0], extra=1)
        return (*shapes[0][:axis], len(shapes), *shapes[0][axis:])

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """One array with one dimension more."""
        import numpy as np

        return [np.stack(arrays, axis=self.axis)]

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """The one index that the source became."""
        shape = before[at][0]
        return Slice(self.axis % (len(shape) + 1), at, at + 1), Reshape(shape)

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """The same rows of another axis."""
        new = self.axis % len(after)
        return None if new == axis else (axis - (axis > new), 0, Stack(new))

    def blocks(self, axis: int, before: Sequence[Tensor], after: Shape) -> list[Block] | None:
        """Each source is one row."""
        shapes = [shape for shape, _ in before]
        rows = [(Reshape((*shape[:axis], 1, *shape[axis:])),) for shape in shapes]
        return [(number, row, 1) for number, row in zip(_numbers(before), rows, strict=True)]


@operation
@dataclass(frozen=True, slots=True)
class Sum(Join):
    """Add the sources to each other (``add: sources``); all shapes are equal."""

    name = "add"
    word = "sources"

    def __str__(self) -> str:
        return "add sources"

    def infer(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """One (shape, dtype); raises OperationError for strings and bools too."""
        for _, dtype in tensors:
            if dtype in NOT_NUMERIC:
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

    def for_slots(self, power: int) -> tuple[Op, ...] | None:
        """None: what is kept of the parts does not tell what would be kept of their sum."""
        return None

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """None: a sum does not tell what was added."""
        return None

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """The same rows of each."""
        return axis, 0, self


def _numbers(before: Sequence[Tensor]) -> list[int | None]:
    """The tensors by number; None for a lone one, which may be a join of many behind it."""
    return [None] if len(before) == 1 else list(range(len(before)))
