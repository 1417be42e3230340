"""Compare two open checkpoints, pair by pair; values are read only where checksums cannot tell."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory, Variable
from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint
from ckptmap.diff.deltas import measure, same_bytes, string_delta
from ckptmap.diff.model import Delta, Diff, DiffFate, DiffRecord, Options
from ckptmap.diff.pairing import Migration, Pair, pair_by_migration, pair_by_name

PathLike = str | os.PathLike[str]
FindMigration = Callable[[Checkpoint, Checkpoint], Migration]

_CHUNK = 1 << 18
"""Bytes read at a time."""


def diff(
    a: PathLike,
    b: PathLike,
    *,
    read: bool = False,
    values: bool = True,
    tolerance: float = 0.0,
    match: Sequence[str] = (),
    mapping: PathLike | None = None,
) -> Diff:
    """Compare two checkpoints of any kinds, variable by variable.

    Args:
        a: prefix, any file, or directory of the first checkpoint.
        b: the second one.
        read: compare bytes even where the stored checksums agree.
        values: read the values that differ, to tell how far; False compares by the indexes alone where it can.
        tolerance: the largest absolute difference that passes as equal.
        match: globs of the names to compare; all where empty.
        mapping: for a TF1 checkpoint ``a`` and the TF2 checkpoint ``b`` that it became: the name of the target, or the
            report.json of the conversion.

    Raises:
        CkptmapError: a checkpoint, or the mapping, cannot be read.
    """
    options = Options(read, values, tolerance, tuple(match))
    with open_checkpoint(os.fspath(a)) as one, open_checkpoint(os.fspath(b)) as other:
        if mapping is None:
            return compare(one, other, options)
        from ckptmap.diff.migrations import find_migration

        return compare(one, other, options, find_migration(one, other, os.fspath(mapping)))


def compare(a: Checkpoint, b: Checkpoint, options: Options, migration: Migration | None = None) -> Diff:
    """The comparison of two open checkpoints; the worst first."""
    notes = tuple(_missing_data(a.inventory, b.inventory))
    if notes and not options.read:
        options = Options(False, False, options.tolerance, options.match)
    names = {**a.readable_names(), **b.readable_names()} if options.match else {}
    if migration is None:
        pairs = pair_by_name(a.inventory, b.inventory, options.match, names)
        notes = (*notes, *_graph_note(a.inventory, b.inventory))
    else:
        pairs = pair_by_migration(a.inventory, b.inventory, migration, options.match, names)
    comparison = _Comparison(
        a, b, options, _same_bytes(a.inventory, b.inventory, pairs) if options.read else frozenset()
    )
    records = sorted((comparison.record(pair) for pair in pairs), key=_badness)
    return Diff(a.inventory, b.inventory, tuple(records), options, migration.name if migration else "", notes)


def _same_bytes(a: Inventory, b: Inventory, pairs: tuple[Pair, ...]) -> frozenset[str]:
    """The names of the pairs that a look at the files shows to be equal."""
    from ckptmap.diff.disk import same_on_disk

    plain = [(pair.name, pair.a[0], pair.b) for pair in pairs if len(pair.a) == 1 and pair.b and not pair.ops]
    alike = [(name, one, other) for name, one, other in plain if _fingerprint(one) == _fingerprint(other) is not None]
    return same_on_disk(a, b, alike)


def _missing_data(*inventories: Inventory) -> Iterator[str]:
    for inventory in inventories:
        missing = [file for file in inventory.data_files if "://" not in file and not Path(file).is_file()]
        if missing:
            yield f"{missing[0]} is missing: compared by the index alone"


def _graph_note(a: Inventory, b: Inventory) -> Iterator[str]:
    one, other = a.variables.get(OBJECT_GRAPH_KEY), b.variables.get(OBJECT_GRAPH_KEY)
    if one and other and _fingerprint(one) != _fingerprint(other):
        yield "the object graphs differ: other objects, or the same in another order"


_ORDER = {fate: place for place, fate in enumerate(DiffFate)}


def _badness(record: DiffRecord) -> tuple[int, float, str]:
    """The worst first: by fate, then the largest difference, then the name."""
    delta = record.delta
    largest = (delta.max_abs or 0.0) if delta else 0.0
    return _ORDER[record.fate], float("-inf") if delta and delta.incomparable else -largest, record.name


class _Comparison:
    """Two open checkpoints and what is asked of them."""

    def __init__(self, a: Checkpoint, b: Checkpoint, options: Options, same: frozenset[str]) -> None:
        self._a = a
        self._b = b
        self._options = options
        self._same = same

    def record(self, pair: Pair) -> DiffRecord:
        """The line for one pair."""
        one_sided = _one_sided(pair)
        if one_sided is not None:
            return _line(pair, one_sided)
        if pair.b is None:
            raise AssertionError(pair)
        if pair.ops or len(pair.a) != 1:
            return self._computed(pair, pair.b)
        return self._stored(pair, pair.a[0], pair.b)

    def _stored(self, pair: Pair, a: Variable, b: Variable) -> DiffRecord:
        if a.shape != b.shape:
            return _line(pair, DiffFate.SHAPE)
        if a.dtype is not b.dtype:
            comparable = self._options.values and DType.STRING not in (a.dtype, b.dtype)
            return _line(pair, DiffFate.DTYPE, self._delta(a, b) if comparable else None)
        return self._same_type(pair, a, b)

    def _same_type(self, pair: Pair, a: Variable, b: Variable) -> DiffRecord:
        known = _fingerprint(a), _fingerprint(b)
        if None in known:
            return self._measured(pair, self._delta(a, b))
        if known[0] == known[1]:
            proven = not self._options.read or pair.name in self._same
            if proven or same_bytes(self._bytes_a(a), self._bytes_b(b)):
                return _line(pair, DiffFate.EQUAL)
            return self._measured(pair, self._delta(a, b))
        if not self._options.values and not self._options.tolerance:
            return _line(pair, DiffFate.CHANGED)
        return self._measured(pair, self._delta(a, b))

    def _measured(self, pair: Pair, delta: Delta) -> DiffRecord:
        if delta.different == 0:
            return _line(pair, DiffFate.EQUAL)
        within = self._options.tolerance > 0 and delta.within(self._options.tolerance)
        return _line(pair, DiffFate.WITHIN_TOLERANCE if within else DiffFate.CHANGED, delta)

    def _computed(self, pair: Pair, b: Variable) -> DiffRecord:
        """Across a migration whose operations change the bytes: the value is computed again and compared."""
        from ckptmap.checkpoint.values import encode
        from ckptmap.mapping.op import fill_fresh
        from ckptmap.mapping.ops import execute, infer

        shape, dtype = infer(pair.ops, [one.shape for one in pair.a], [one.dtype for one in pair.a])
        if tuple(shape) != b.shape or dtype is not b.dtype:
            return _line(pair, DiffFate.SHAPE if tuple(shape) != b.shape else DiffFate.DTYPE)
        computed = execute(pair.ops, [self._a.read(one.name) for one in pair.a])
        # new classes of a head have no counterpart: their values are not compared
        value = encode(dtype, fill_fresh(pair.ops, computed, lambda: self._b.read(b.name)))
        if dtype is DType.STRING:
            return self._measured(pair, string_delta(value, b"".join(self._bytes_b(b)), b.elements))
        return self._measured(pair, measure([value], dtype, self._bytes_b(b), b.dtype))

    def _delta(self, a: Variable, b: Variable) -> Delta:
        if a.dtype is DType.STRING:
            return string_delta(b"".join(self._bytes_a(a)), b"".join(self._bytes_b(b)), a.elements)
        return measure(self._bytes_a(a), a.dtype, self._bytes_b(b), b.dtype)

    def _bytes_a(self, variable: Variable) -> Iterable[bytes]:
        return self._a.chunks(variable.name, _CHUNK)

    def _bytes_b(self, variable: Variable) -> Iterable[bytes]:
        return self._b.chunks(variable.name, _CHUNK)


def _one_sided(pair: Pair) -> DiffFate | None:
    """The fate of a pair that lacks one side; None where both are there."""
    if pair.a and pair.b is not None:
        return None
    if pair.expected:
        return DiffFate.EXPECTED
    return DiffFate.ONLY_IN_A if pair.a else DiffFate.ONLY_IN_B


def _line(pair: Pair, fate: DiffFate, delta: Delta | None = None) -> DiffRecord:
    a = pair.a[0] if len(pair.a) == 1 else None
    sources = tuple(variable.name for variable in pair.a if variable.name != pair.name)
    reason = pair.expected if fate is DiffFate.EXPECTED else ""
    return DiffRecord(pair.name, fate, a, pair.b, delta, reason, sources, tuple(map(str, pair.ops)))


Fingerprint = tuple[tuple[tuple[int, ...], tuple[int, ...], int, int], ...]


def _fingerprint(variable: Variable) -> Fingerprint | None:
    """The stored checksums of a variable's bytes, of each part where it is cut; None where nothing states them."""
    spans = [(part.starts, part.lengths, part.span) for part in variable.slices]
    spans = spans or [((), variable.shape, variable.span)]
    stated = [(starts, lengths, span.size, span.crc32c) for starts, lengths, span in spans if span is not None]
    known = [(starts, lengths, size, crc) for starts, lengths, size, crc in stated if crc is not None]
    return tuple(sorted(known)) if len(known) == len(spans) else None
