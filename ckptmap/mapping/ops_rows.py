"""Operations run on rows of a tensor at a time, so that a large one is never held whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ckptmap.mapping.op import Op
from ckptmap.mapping.ops import Reshape, Slice, Squeeze
from ckptmap.mapping.ops_branches import Branch, Branches

if TYPE_CHECKING:
    from ckptmap.mapping.op import Tensor


class Read(NamedTuple):
    """Which rows of a source are read: those that begin at ``offset`` of ``axis``."""

    source: int
    axis: int
    offset: int


@dataclass(frozen=True, slots=True)
class Rows:
    """How to compute any rows ``start <= i < stop`` of a result: for each read take those rows, and run ``ops`` on all.

    Rows are counted along the first axis of the result that is longer than 1, and there are ``count``; a read takes
    ``start + offset`` to ``stop + offset`` of its source's axis. Rows one after the other are the bytes of the result
    in order.
    """

    reads: tuple[Read, ...]
    count: int
    ops: tuple[Op, ...]


def keeps_bytes(ops: Sequence[Op]) -> bool:
    """Whether the operations give another shape to the same values in the same order."""
    return not ops or all(isinstance(op, Reshape | Squeeze) for op in ops)


def by_rows(ops: Sequence[Op], sources: Sequence[Tensor]) -> Rows | None:
    """The rows of the result of ``ops``; None where an operation needs more than one row to make one.

    Raises:
        OperationError: the operations do not fit the sources.
    """
    pulled = _pulled_back(ops, _stages(ops, sources))
    return None if pulled is None or pulled.at >= 0 else Rows(tuple(pulled.reads), pulled.rows, pulled.ops)


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
    pulled = _pulled_back(ops, stages)
    if pulled is None or pulled.at < 0:
        return None
    at, (_, axis, offset) = pulled.at, pulled.reads[0]
    blocks = ops[at].blocks(axis, stages[at], stages[at + 1][0][0])
    if blocks is None:
        return None
    found, begin = [], 0
    for number, made, length in blocks:
        low, high = max(begin, offset), min(begin + length, offset + pulled.rows)
        if low < high:
            cut = () if high - low == length else (Slice(axis, low - begin, high - begin),)
            chosen, first = _chosen(ops[:at], number, len(sources))
            found.append(Part(chosen, (*first, *made, *cut, *pulled.ops)))
        begin += length
    return found


def _chosen(ops: Sequence[Op], number: int | None, count: int) -> tuple[tuple[int, ...], Sequence[Op]]:
    """The sources of the one tensor with this number that ``ops`` make (None: of the only one), and how it is made."""
    if number is None:
        return tuple(range(count)), ops
    if ops and isinstance(ops[0], Branches):
        branch = ops[0].branches[number]
        return branch.sources, (*branch.ops, *ops[1:])
    return (number,), ops


def _stages(ops: Sequence[Op], sources: Sequence[Tensor]) -> list[list[Tensor]]:
    """The tensors before the first operation, and behind each."""
    stages = [list(sources)]
    for op in ops:
        stages.append(op.infer(stages[-1]))
    return stages


class _Pulled(NamedTuple):
    """How far rows of the result are rows of what comes before.

    ``at`` is the last operation that needs more than one row to make one (-1: none does), ``ops`` make the rows of the
    result of those behind it from ``reads``; there are ``rows``.
    """

    at: int
    reads: list[Read]
    ops: tuple[Op, ...]
    rows: int = 0


def _pulled_back(ops: Sequence[Op], stages: Sequence[Sequence[Tensor]]) -> _Pulled | None:
    """The rows of a result, as far back as they can be told; None where it has only one."""
    shape = stages[-1][0][0]
    axis = next((at for at, length in enumerate(shape) if length != 1), -1)
    if axis < 0:
        return None
    return _pull_through(ops, stages, axis, 0)._replace(rows=shape[axis])


def _pull_through(ops: Sequence[Op], stages: Sequence[Sequence[Tensor]], axis: int, offset: int) -> _Pulled:
    reads = [Read(0, axis, offset)]
    kept: list[Op] = []
    for at in range(len(ops) - 1, -1, -1):
        op = ops[at]
        if isinstance(op, Branches):
            pulled = _into_branches(op, stages[at], reads) if at == 0 else None
        else:
            pulled = _before(op, stages[at], stages[at + 1], reads)
        if pulled is None:
            return _Pulled(at, reads, tuple(reversed(kept)))
        reads, op_of_rows = pulled
        kept += [op_of_rows] if op_of_rows is not None else []
    return _Pulled(-1, reads, tuple(reversed(kept)))


def _before(
    op: Op, before: Sequence[Tensor], after: Sequence[Tensor], reads: Sequence[Read]
) -> tuple[list[Read], Op | None] | None:
    """The rows before an operation, and the one operation that makes those behind it of them."""
    found, ops = [], []
    for number, (shape, _) in enumerate(before):
        behind = 0 if op.joins else number
        pulled = op.pull(reads[behind].axis, shape, after[behind][0])
        if pulled is None:
            return None
        axis, begin, op_of_rows = pulled
        found.append(Read(number, axis, reads[behind].offset + begin))
        ops.append(op_of_rows)
    return (found, ops[0]) if all(one == ops[0] for one in ops) else None


def _into_branches(
    op: Branches, sources: Sequence[Tensor], reads: Sequence[Read]
) -> tuple[list[Read], Op | None] | None:
    """The rows of the sources of each branch, and the branches that make the rows of their results."""
    found: list[Read] = []
    branches = []
    for branch, read in zip(op.branches, reads, strict=True):
        stages = _stages(branch.ops, [sources[at] for at in branch.sources])
        inner = _pull_through(branch.ops, stages, read.axis, read.offset)
        if inner.at >= 0:
            return None
        branches.append(Branch(tuple(range(len(found), len(found) + len(inner.reads))), inner.ops))
        found += [_of_rule(one, branch.sources) for one in inner.reads]
    return found, Branches(tuple(branches))


def _of_rule(read: Read, sources: Sequence[int]) -> Read:
    """A read of a branch's source as one of the rule's."""
    return read._replace(source=sources[read.source])
