"""Operations run on rows of a tensor at a time, so that a large one is never held whole."""

# ruff: noqa: ARG001  (the rules have one signature, few need all of it)

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
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
    behind, rows = _pulled_back(ops, _stages(ops, sources))
    return rows if behind < 0 else None


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a result: what ``ops`` make of the sources with the numbers ``sources``."""

    sources: tuple[int, ...]
    ops: tuple[Op, ...]


def parts(ops: Sequence[Op], sources: Sequence[Tensor]) -> list[Part] | None:
    """Parts whose bytes one after the other are those of the result of ``ops``.

    They are found where an operation puts whole blocks of rows one behind the other: concat, stack and reorder of the
    axis that rows are counted along. None where another operation needs more than one row to make one, or none does.

    Raises:
        OperationError: the operations do not fit the sources.
    """
    stages = _stages(ops, sources)
    at, rows = _pulled_back(ops, stages)
    if at < 0 or rows is None or (blocks := _blocks(ops[at], rows.axis, stages[at], stages[at + 1][0][0])) is None:
        return None
    found, begin, everything = [], 0, tuple(range(len(sources)))
    for number, made, length in blocks:
        low, high = max(begin, rows.offset), min(begin + length, rows.offset + rows.count)
        if low < high:
            cut = () if high - low == length else (Slice(rows.axis, low - begin, high - begin),)
            chosen = everything if number is None else (number,)
            found.append(Part(chosen, (*ops[:at], *made, *cut, *rows.ops)))
        begin += length
    return found


def _stages(ops: Sequence[Op], sources: Sequence[Tensor]) -> list[list[Tensor]]:
    """The tensors before the first operation, and behind each."""
    stages = [list(sources)]
    for op in ops:
        stages.append(op.infer(stages[-1]))
    return stages


def _pulled_back(ops: Sequence[Op], stages: Sequence[Sequence[Tensor]]) -> tuple[int, Rows | None]:
    """The last operation that needs more than one row to make one (-1: none does), and the rows behind it.

    No rows where the result has only one.
    """
    shape = stages[-1][0][0]
    axis = first = next((at for at, length in enumerate(shape) if length != 1), -1)
    if first < 0:
        return len(ops) - 1, None
    offset = 0
    kept: list[Op] = []
    for at in range(len(ops) - 1, -1, -1):
        pulled = _pull(ops[at], axis, stages[at][0][0], stages[at + 1][0][0])
        if pulled is None:
            return at, Rows(axis, offset, shape[first], tuple(reversed(kept)))
        axis, begin, op_of_rows = pulled
        offset += begin
        kept += [op_of_rows] if op_of_rows is not None else []
    return -1, Rows(axis, offset, shape[first], tuple(reversed(kept)))


_Block = tuple[int | None, tuple[Op, ...], int]
"""The number of the one tensor that a block of rows is from (None: of each), how it is made of it, and its rows."""


def _blocks(op: Op, axis: int, before: Sequence[Tensor], after: Shape) -> list[_Block] | None:
    """What ``op`` puts one behind the other along ``axis`` of its result; None where it does something else."""
    shapes = [shape for shape, _ in before]
    numbers: list[int | None] = [None] if len(before) == 1 else list(range(len(before)))
    if isinstance(op, Reorder):
        size = after[axis] // len(op.order)
        return [(None, (Slice(axis, block * size, (block + 1) * size),), size) for block in op.order]
    if isinstance(op, Concat):
        return [(number, (), shape[axis]) for number, shape in zip(numbers, shapes, strict=True)]
    if isinstance(op, Stack):
        return [(number, (Reshape((*s[:axis], 1, *s[axis:])),), 1) for number, s in zip(numbers, shapes, strict=True)]
    return None


def _pull(op: Op, axis: int, before: Shape, after: Shape) -> _Pulled | None:
    rule = _RULES.get(type(op))
    return rule(op, axis, before, after) if rule is not None else None


def _same(op: Op, axis: int, before: Shape, after: Shape) -> _Pulled:
    return axis, 0, op


def _transpose(op: Transpose, axis: int, before: Shape, after: Shape) -> _Pulled:
    return op.perm[axis], 0, op


def _reshape(op: Reshape, axis: int, before: Shape, after: Shape) -> _Pulled | None:
    outside = prod(after[:axis])
    for place, length in enumerate(before):
        if length == after[axis] and prod(before[:place]) == outside:
            return place, 0, Reshape((*after[:axis], -1, *after[axis + 1 :]))
    return None


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
