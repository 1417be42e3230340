"""Operations run on rows of a tensor at a time, so that a large one is never held whole."""

# ruff: noqa: ARG001  (the rules have one signature, few need all of it)

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.mapping.ops import Op, Reorder, Reshape, Slice, Split, Squeeze, Transpose
from ckptmap.mapping.ops_boxes import Anchors, BoxCoder
from ckptmap.mapping.ops_join import Concat, Stack, Sum
from ckptmap.mapping.ops_numeric import Add, Cast, Scale

if TYPE_CHECKING:
    from ckptmap.mapping.ops import Shape, Tensor


@dataclass(frozen=True, slots=True)
class Rows:
    """How to compute any rows ``start <= i < stop`` of a result: read ``start + offset`` … of ``axis``, run ``ops``.

    ``axis`` counts in the sources; rows are counted along the first axis of the result that is longer than 1, and
    there are ``count``. Rows one after the other are the bytes of the result in order.
    """

    axis: int
    offset: int
    count: int
    ops: tuple[Op, ...]


_Pulled = tuple[int, int, Op | None]
"""The axis before an operation, where on it the rows begin, and the operation to run on the rows alone."""


def keeps_bytes(ops: Sequence[Op]) -> bool:
    """Whether the operations give another shape to the same values in the same order."""
    return all(isinstance(op, Reshape | Squeeze) for op in ops)


def by_rows(ops: Sequence[Op], sources: Sequence[Tensor]) -> Rows | None:
    """The rows of the result of ``ops``; None where an operation needs more than one row to make one.

    Raises:
        OperationError: the operations do not fit the sources.
    """
    stages = [list(sources)]
    for op in ops:
        stages.append(op.infer(stages[-1]))
    shape = stages[-1][0][0]
    axis = first = next((at for at, length in enumerate(shape) if length != 1), -1)
    if first < 0:
        return None
    offset, kept = 0, []
    for at in range(len(ops) - 1, -1, -1):
        pulled = _pull(ops[at], axis, stages[at][0][0], stages[at + 1][0][0])
        if pulled is None:
            return None
        axis, begin, op_of_rows = pulled
        offset += begin
        kept += [op_of_rows] if op_of_rows is not None else []
    return Rows(axis, offset, shape[first], tuple(reversed(kept)))


def _pull(op: Op, axis: int, before: Shape, after: Shape) -> _Pulled | None:
    rule = _RULES.get(type(op))
    return rule(op, axis, before, after) if rule is not None else None


def _same(op: Op, axis: int, before: Shape, after: Shape) -> _Pulled:
    return axis, 0, op


def _transpose(op: Transpose, axis: int, before: Shape, after: Shape) -> _Pulled:
    return op.perm[axis], 0, op


def _reshape(op: Reshape, axis: int, before: Shape, after: Shape) -> _Pulled | None:
    if before[: axis + 1] != after[: axis + 1]:
        return None
    return axis, 0, Reshape((*after[:axis], -1, *after[axis + 1 :]))


def _squeeze(op: Squeeze, axis: int, before: Shape, after: Shape) -> _Pulled:
    gone = {at % len(before) for at in op.axes}
    return [at for at in range(len(before)) if at not in gone][axis], 0, op


def _along(op: Reorder | Anchors | BoxCoder, axis: int, before: Shape, after: Shape) -> _Pulled | None:
    return (axis, 0, op) if op.axis % len(before) != axis else None


def _slice(op: Slice, axis: int, before: Shape, after: Shape) -> _Pulled:
    return (axis, op.start, None) if op.axis % len(before) == axis else (axis, 0, op)


def _split(op: Split, axis: int, before: Shape, after: Shape) -> _Pulled:
    if op.axis % len(before) != axis:
        return axis, 0, op
    begin = sum(op.sizes[: op.take]) if op.sizes else op.take * (before[axis] // op.parts)
    return axis, begin, None


def _arithmetic(op: Add | Scale, axis: int, before: Shape, after: Shape) -> _Pulled | None:
    return (axis, 0, op) if len(op.values) == 1 or op.axis % len(before) != axis else None


def _concat(op: Concat, axis: int, before: Shape, after: Shape) -> _Pulled | None:
    return (axis, 0, op) if op.axis % len(before) != axis else None


def _stack(op: Stack, axis: int, before: Shape, after: Shape) -> _Pulled | None:
    new = op.axis % len(after)
    return None if new == axis else (axis - (axis > new), 0, Stack(new))


_RULES: dict[type[Op], Callable[..., _Pulled | None]] = {
    Transpose: _transpose,
    Reshape: _reshape,
    Squeeze: _squeeze,
    Reorder: _along,
    Anchors: _along,
    BoxCoder: _along,
    Slice: _slice,
    Split: _split,
    Add: _arithmetic,
    Scale: _arithmetic,
    Cast: _same,
    Sum: _same,
    Concat: _concat,
    Stack: _stack,
}
