"""New values, computed from the source's or drawn afresh, a piece at a time where they are large."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Variable
from ckptmap.checkpoint.reader import Checkpoint
from ckptmap.checkpoint.values import encode
from ckptmap.mapping.ops import Op, execute
from ckptmap.mapping.ops_classes import fill_fresh
from ckptmap.mapping.ops_rows import Part, Rows, by_rows, parts
from ckptmap.planning.ledger import Fill, TargetRecord
from ckptmap.targets.initializers import initial_blocks, initial_value

if TYPE_CHECKING:
    from ckptmap.mapping.ops import Array

BUDGET = 1 << 23
"""Bytes of a result that are computed at a time; a few times as much is held meanwhile."""


def computed(record: TargetRecord, checkpoint: Checkpoint, own: Callable[[], Array]) -> Iterator[bytes]:
    """The bytes of the value that the record's operations make of its sources.

    ``own`` gives the value that the variable has where no source fills it. Values larger than the budget are computed
    by rows or in parts, where the operations allow it; their sources are read once more before that, for their
    checksums.
    """
    pieces = _large(record, checkpoint)
    if pieces is not None:
        for name in dict.fromkeys(record.sources):
            for _ in checkpoint.chunks(name):
                pass
        yield from pieces
        return
    values = execute(record.ops, [checkpoint.read(name) for name in record.sources])
    yield encode(record.variable.dtype, fill_fresh(record.ops, values, own))


def own_value(record: TargetRecord, template: Checkpoint | None, seed: int) -> Array:
    """What the record's variable holds where no source fills it: its value in the template, or its initializer's.

    Raises:
        CheckpointError: the template's value cannot be read.
    """
    if record.fill is Fill.TEMPLATE and template is not None:
        return template.read(record.variable.saved)
    return initial_value(record.variable, seed)


def fresh(record: TargetRecord, template: Checkpoint | None, seed: int) -> Iterator[bytes]:
    """The bytes of the value that the record's variable starts with, where no source fills any of it.

    Raises:
        CheckpointError: the template's value cannot be read.
    """
    if record.fill is Fill.TEMPLATE and template is not None:
        yield from template.chunks(record.variable.saved)
        return
    value = record.init.value if record.init else "initializer"
    for block in initial_blocks(record.variable, seed, value):
        yield encode(record.variable.dtype, block)


def _large(record: TargetRecord, checkpoint: Checkpoint) -> Iterator[bytes] | None:
    """The bytes of a large value in pieces; None where it is small, or where one piece needs all of it."""
    variables = [checkpoint.inventory.variables[name] for name in record.sources]
    if record.variable.nbytes + sum(variable.nbytes for variable in variables) <= 2 * BUDGET:
        return None
    return _in_pieces(record.variable.dtype, record.ops, record.sources, checkpoint)


def _in_pieces(dtype: DType, ops: Sequence[Op], names: Sequence[str], checkpoint: Checkpoint) -> Iterator[bytes] | None:
    variables = [checkpoint.inventory.variables[name] for name in names]
    tensors = [(variable.shape, variable.dtype) for variable in variables]
    if (rows := by_rows(ops, tensors)) is not None:
        return _by_rows(dtype, rows, variables, checkpoint)
    if (found := parts(ops, tensors)) is None:
        return None
    return chain.from_iterable(_part(dtype, part, [names[at] for at in part.sources], checkpoint) for part in found)


def _part(dtype: DType, part: Part, names: Sequence[str], checkpoint: Checkpoint) -> Iterator[bytes]:
    pieces = _in_pieces(dtype, part.ops, names, checkpoint)
    if pieces is not None:
        return pieces
    return iter([encode(dtype, execute(part.ops, [checkpoint.read(name) for name in names]))])


def _by_rows(dtype: DType, rows: Rows, variables: Sequence[Variable], checkpoint: Checkpoint) -> Iterator[bytes]:
    widest = max(one.itemsize or 1 for one in (dtype, *(variable.dtype for variable in variables)))
    row = widest * sum(variable.elements // variable.shape[rows.axis] for variable in variables)
    step = max(1, BUDGET // max(row, 1))
    for start in range(0, rows.count, step):
        begin, end = start + rows.offset, min(start + step, rows.count) + rows.offset
        values = [checkpoint.rows(variable.name, rows.axis, begin, end) for variable in variables]
        yield encode(dtype, execute(rows.ops, values))
