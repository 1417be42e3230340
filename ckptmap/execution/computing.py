"""New values, computed from the source's or drawn afresh, a piece at a time where they are large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from math import prod
from typing import TYPE_CHECKING

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Variable
from ckptmap.checkpoint.reader import Checkpoint
from ckptmap.checkpoint.values import encode
from ckptmap.mapping.op import OperationError, fill_fresh
from ckptmap.mapping.ops import Op, execute
from ckptmap.mapping.ops_classes import FRESH
from ckptmap.mapping.ops_rows import Part, Rows, by_rows, parts
from ckptmap.mapping.ops_sized import Grow
from ckptmap.mapping.ops_vocabulary import Vocabulary
from ckptmap.planning.ledger import Fill, TargetRecord
from ckptmap.targets.initializers import initial_blocks, initial_value

if TYPE_CHECKING:
    from ckptmap.mapping.op import Array

BUDGET = 1 << 23
"""Bytes of a result that are computed at a time; a few times as much is held meanwhile."""


def computed(record: TargetRecord, checkpoint: Checkpoint, template: Checkpoint | None, seed: int) -> Iterator[bytes]:
    """The bytes of the value that the record's operations make of its sources.

    What they leave open is the variable's value in ``template``, or its initializer's. Values larger than the budget
    are computed by rows or in parts, where the operations allow it; their sources are read once more before that, for
    their checksums.

    Raises:
        CheckpointError: a value of the source or the template cannot be read.
        OperationError: a value is beyond what the new type holds.
    """
    try:
        yield from _computed(record, checkpoint, template, seed)
    except OperationError as error:
        raise OperationError(error.problem.message, where=record.variable.name, hint=error.problem.hint) from error


def _computed(record: TargetRecord, checkpoint: Checkpoint, template: Checkpoint | None, seed: int) -> Iterator[bytes]:
    pieces = _large(record, checkpoint, template, seed)
    if pieces is not None:
        for name in dict.fromkeys(record.sources):
            _check(checkpoint, name)
        yield from pieces
        return
    values = execute(record.ops, [checkpoint.read(name) for name in record.sources])
    filled = fill_fresh(record.ops, values, lambda: _own_value(record, template, seed))
    yield encode(record.variable.dtype, filled)


def _check(checkpoint: Checkpoint, name: str) -> None:
    """Read a value for its checksum alone."""
    for _ in checkpoint.chunks(name):
        pass


def _own_value(record: TargetRecord, template: Checkpoint | None, seed: int) -> Array:
    """What the record's variable holds where no source fills it: its value in the template, or its initializer's."""
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


def _own_rows(record: TargetRecord, grown: Grow, template: Checkpoint | None, seed: int) -> Iterator[bytes]:
    """The bytes of the rows that an axis has grown by, those before which are the source's."""
    variable, axis = record.variable, grown.axis % len(record.variable.shape)
    row = variable.nbytes // grown.length
    if record.fill is Fill.TEMPLATE and template is not None:
        _check(template, variable.saved)
        step = max(1, BUDGET // max(row, 1))
        for start in range(grown.old, grown.length, step):
            stop = min(start + step, grown.length)
            yield encode(variable.dtype, template.rows(variable.saved, axis, start, stop))
        return
    skipped = grown.old * row
    for block in initial_blocks(variable, seed):
        data = encode(variable.dtype, block)
        yield data[min(skipped, len(data)) :]
        skipped = max(0, skipped - len(data))


def _large(
    record: TargetRecord, checkpoint: Checkpoint, template: Checkpoint | None, seed: int
) -> Iterator[bytes] | None:
    """The bytes of a large value in pieces; None where it is small, or where one piece needs all of it."""
    variables = [checkpoint.inventory.variables[name] for name in record.sources]
    if record.variable.nbytes + sum(variable.nbytes for variable in variables) <= 2 * BUDGET:
        return None
    dtype, last = record.variable.dtype, record.ops[-1] if record.ops else None
    if isinstance(last, Vocabulary) and _is_of_rows(record, last, template):
        return _token_rows(record, last, checkpoint, template)
    if not isinstance(last, Grow):
        return _in_pieces(dtype, record.ops, record.sources, checkpoint)
    if prod(record.variable.shape[: last.axis % len(record.variable.shape)]) != 1:
        return None
    everything = Part(tuple(range(len(record.sources))), record.ops[:-1])
    return chain(_part(dtype, everything, record.sources, checkpoint), _own_rows(record, last, template, seed))


def _is_of_rows(record: TargetRecord, last: Vocabulary, template: Checkpoint | None) -> bool:
    """Whether each row of the result is one of the source or of the template."""
    leading = prod(record.variable.shape[: last.axis % len(record.variable.shape)]) == 1
    filled = FRESH not in last.tokens or (record.fill is Fill.TEMPLATE and template is not None)
    return len(record.ops) == 1 and leading and filled


def _token_rows(
    record: TargetRecord, last: Vocabulary, checkpoint: Checkpoint, template: Checkpoint | None
) -> Iterator[bytes]:
    """The rows of a large embedding in the order of its new tokens; those that lie one behind the other in one read."""
    variable, axis = record.variable, last.axis % len(record.variable.shape)
    if template is not None and FRESH in last.tokens:
        _check(template, variable.saved)
    most = max(1, BUDGET // max(variable.nbytes // len(last.tokens), 1))
    for start, stop in last.runs(most):
        row = last.tokens[start]
        if row == FRESH and template is not None:
            rows = template.rows(variable.saved, axis, start, stop)
        else:
            rows = checkpoint.rows(record.sources[0], axis, row, row + stop - start)
        yield encode(variable.dtype, rows)


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
    read = [(variables[one.source], one) for one in rows.reads]
    row = widest * sum(variable.elements // variable.shape[one.axis] for variable, one in read)
    step = max(1, BUDGET // max(row, 1))
    for start in range(0, rows.count, step):
        end = min(start + step, rows.count)
        values = [
            checkpoint.rows(variable.name, one.axis, start + one.offset, end + one.offset) for variable, one in read
        ]
        yield encode(dtype, execute(rows.ops, values))
