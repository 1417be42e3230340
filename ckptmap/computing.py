"""New values, computed from the source's or drawn afresh, a piece at a time where they are large."""

from __future__ import annotations

from collections.abc import Iterator

from ckptmap.checkpoint.reader import Checkpoint
from ckptmap.checkpoint.values import encode
from ckptmap.ledger import TargetRecord
from ckptmap.mapping.ops import execute
from ckptmap.mapping.ops_classes import fill_fresh
from ckptmap.mapping.ops_rows import Rows, by_rows
from ckptmap.targets.initializers import initial_blocks, initial_value

BUDGET = 1 << 23
"""Bytes of a result that are computed at a time; a few times as much is held meanwhile."""


def computed(record: TargetRecord, checkpoint: Checkpoint, seed: int) -> Iterator[bytes]:
    """The bytes of the value that the record's operations make of its sources.

    Values larger than the budget are computed by rows, where the operations allow it; their sources are read once more
    before that, for their checksums.
    """
    rows = _rows(record, checkpoint)
    if rows is not None:
        yield from _by_rows(record, checkpoint, rows)
        return
    values = execute(record.ops, [checkpoint.read(name) for name in record.sources])
    filled = fill_fresh(record.ops, values, lambda: initial_value(record.variable, seed))
    yield encode(record.variable.dtype, filled)


def fresh(record: TargetRecord, seed: int) -> Iterator[bytes]:
    """The bytes of the value that the record's variable starts with."""
    value = record.init.value if record.init else "initializer"
    for block in initial_blocks(record.variable, seed, value):
        yield encode(record.variable.dtype, block)


def _rows(record: TargetRecord, checkpoint: Checkpoint) -> Rows | None:
    variables = [checkpoint.inventory.variables[name] for name in record.sources]
    if record.variable.nbytes + sum(variable.nbytes for variable in variables) <= 2 * BUDGET:
        return None
    return by_rows(record.ops, [(variable.shape, variable.dtype) for variable in variables])


def _by_rows(record: TargetRecord, checkpoint: Checkpoint, rows: Rows) -> Iterator[bytes]:
    for name in record.sources:
        for _ in checkpoint.chunks(name):
            pass
    variables = [checkpoint.inventory.variables[name] for name in record.sources]
    read = sum(variable.nbytes // variable.shape[rows.axis] for variable in variables)
    step = max(1, BUDGET // max(1, read, record.variable.nbytes // rows.count))
    for start in range(0, rows.count, step):
        begin, end = start + rows.offset, min(start + step, rows.count) + rows.offset
        parts = [checkpoint.rows(name, rows.axis, begin, end) for name in record.sources]
        yield encode(record.variable.dtype, execute(rows.ops, parts))
