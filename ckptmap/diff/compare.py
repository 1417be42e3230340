"""Compare two open checkpoints, pair by pair; values are read only where checksums cannot tell."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ckptmap.basics.errors import CheckpointError, Problem
from ckptmap.basics.text import plural
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory, Variable
from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint
from ckptmap.checkpoint.remote import is_remote
from ckptmap.diff.advice import map_advice, nothing_in_common
from ckptmap.diff.averages import Averaged, averaged
from ckptmap.diff.comparison import Delta, Diff, DiffFate, DiffRecord, Options
from ckptmap.diff.deltas import measure, same_bytes, string_delta
from ckptmap.diff.fingerprint import fingerprint
from ckptmap.diff.pairing import Migration, Pair, pair_by_migration, pair_by_name
from ckptmap.diff.readable import same_readable_name
from ckptmap.mapping.roles import roles
from ckptmap.mapping.slots import Slot

PathLike = str | os.PathLike[str]
FindMigration = Callable[[Checkpoint, Checkpoint], Migration]

_CHUNK = 1 << 18
"""Bytes read at a time."""
_AT_ONCE = 1 << 28
"""Bytes of each side that come from a store before they are compared."""


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
    notes = (*_missing_data(a), *_missing_data(b))
    if notes and not options.read:
        options = Options(False, False, options.tolerance, options.match)
    slots_a, slots_b = roles(a.inventory), roles(b.inventory)
    names = {**a.readable_names(), **b.readable_names()} if options.match else {}
    if migration is None:
        of_averages = averaged(a.inventory, b.inventory, slots_a, slots_b)
        moved = same_readable_name(a, b)
        pairs = pair_by_name(a.inventory, b.inventory, options.match, of_averages, moved, names)
        notes = (*notes, *_graph_note(a.inventory, b.inventory), *_average_note(of_averages))
        notes = (*notes, *_name_note(a.inventory, b.inventory), *_moved_note(moved))
        advice = tuple(map_advice(a.inventory, b.inventory))
    else:
        pairs = pair_by_migration(a.inventory, b.inventory, migration, options.match, names)
        advice = ()
    comparison = _Comparison(
        a, b, options, _same_bytes(a.inventory, b.inventory, pairs) if options.read else frozenset()
    )
    slots = {**slots_b, **slots_a}
    records = sorted((_with_role(record, slots) for record in comparison.records(pairs)), key=_badness)
    return Diff(a.inventory, b.inventory, tuple(records), options, migration.name if migration else "", notes, advice)


def _with_role(record: DiffRecord, slots: Mapping[str, Slot]) -> DiffRecord:
    """The record with what its variable is, where it is no weight."""
    slot = slots.get(record.name)
    return record if slot is None else record._replace(role=slot.kind, owner=slot.owner or "")


def _same_bytes(a: Inventory, b: Inventory, pairs: tuple[Pair, ...]) -> frozenset[str]:
    """The names of the pairs that a look at the files shows to be equal."""
    from ckptmap.diff.disk import same_on_disk

    plain = [(pair.name, pair.a[0], pair.b) for pair in pairs if len(pair.a) == 1 and pair.b and not pair.ops]
    alike = [(name, one, other) for name, one, other in plain if fingerprint(one) == fingerprint(other) is not None]
    return same_on_disk(a, b, alike)


def _missing_data(checkpoint: Checkpoint) -> Iterator[str]:
    """What is wrong with the data files, a Git-LFS pointer in place of one too: no value can be read then."""
    try:
        checkpoint.refuse_absent_data()
    except CheckpointError as error:
        yield f"{Problem(error.problem.message, error.problem.where)}: compared by the index alone"


def _graph_note(a: Inventory, b: Inventory) -> Iterator[str]:
    one, other = a.variables.get(OBJECT_GRAPH_KEY), b.variables.get(OBJECT_GRAPH_KEY)
    if one and other and fingerprint(one) != fingerprint(other):
        yield "the object graphs differ: other objects, or the same in another order"


def _average_note(found: Averaged) -> Iterator[str]:
    if found.averages:
        other = "b" if found.side == "a" else "a"
        count = plural(len(found.averages), "moving average")
        yield f"{count} of {found.side} compared with the raw values of {other}, which has no averages"


def _moved_note(moved: Mapping[str, str]) -> Iterator[str]:
    if moved:
        yield f"{plural(len(moved), 'variable')} compared by readable name, because the object paths differ"


def _name_note(a: Inventory, b: Inventory) -> Iterator[str]:
    if nothing_in_common(a, b):
        old, new = ("b", "a") if a.object_based else ("a", "b")
        yield f"{old} has names of TF1, {new} has object paths of TF2: no variable has a counterpart by its name"


_ORDER = {fate: place for place, fate in enumerate(DiffFate)}


def _badness(record: DiffRecord) -> tuple[int, float, str]:
    """The worst first: by fate, then the largest difference, then the name."""
    delta = record.delta
    if delta is None:
        return _ORDER[record.fate], 0.0, record.name
    largest = delta.max_abs or 0.0
    return _ORDER[record.fate], float("-inf") if delta.incomparable else -largest, record.name


class _Comparison:
    """Two open checkpoints and what is asked of them."""

    def __init__(self, a: Checkpoint, b: Checkpoint, options: Options, same: frozenset[str]) -> None:
        self._a = a
        self._b = b
        self._options = options
        self._same = same

    def records(self, pairs: Iterable[Pair]) -> Iterator[DiffRecord]:
        """The lines for all pairs; what is read of a checkpoint in a store comes in large parts."""
        if not (_in_a_store(self._a.inventory) or _in_a_store(self._b.inventory)):
            yield from map(self.record, pairs)
            return
        for part in _parts(pairs):
            needed = [pair for pair in part if self._needs_values(pair)]
            self._a.fetch((one.name for pair in needed for one in pair.a), instead=True)
            self._b.fetch((pair.b.name for pair in needed if pair.b), instead=True)
            yield from map(self.record, part)

    def _needs_values(self, pair: Pair) -> bool:
        """Whether ``record`` reads the values of a pair."""
        if _one_sided(pair) is not None or pair.b is None:
            return False
        if pair.ops or len(pair.a) != 1:
            return True
        a, b, options = pair.a[0], pair.b, self._options
        if a.shape != b.shape:
            return False
        if a.dtype is not b.dtype:
            return options.values and DType.STRING not in (a.dtype, b.dtype)
        known = fingerprint(a), fingerprint(b)
        if None in known:
            return True
        return options.read if known[0] == known[1] else bool(options.values or options.tolerance)

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
        known = fingerprint(a), fingerprint(b)
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


def _in_a_store(inventory: Inventory) -> bool:
    return any(map(is_remote, inventory.data_files))


def _parts(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    """The pairs in their order, those together whose values are at most ``_AT_ONCE`` bytes; at least one."""
    part: list[Pair] = []
    size = 0
    for pair in pairs:
        own = max(sum(one.nbytes for one in pair.a), pair.b.nbytes if pair.b else 0)
        if part and size + own > _AT_ONCE:
            yield part
            part, size = [], 0
        part.append(pair)
        size += own
    if part:
        yield part


def _one_sided(pair: Pair) -> DiffFate | None:
    """The fate of a pair that lacks one side; None where both are there."""
    if pair.a and pair.b is not None:
        return None
    if pair.expected:
        return DiffFate.EXPECTED
    return DiffFate.ONLY_IN_A if pair.a else DiffFate.ONLY_IN_B


def _line(pair: Pair, fate: DiffFate, delta: Delta | None = None) -> DiffRecord:
    if len(pair.a) == 1 and pair.a[0].name == pair.name and not pair.ops and fate is not DiffFate.EXPECTED:
        return DiffRecord(pair.name, fate, pair.a[0], pair.b, delta, pair.note)  # as nearly all are
    a = pair.a[0] if len(pair.a) == 1 else None
    sources = tuple([variable.name for variable in pair.a if variable.name != pair.name])
    reason = pair.expected if fate is DiffFate.EXPECTED else pair.note
    return DiffRecord(pair.name, fate, a, pair.b, delta, reason, sources, tuple(map(str, pair.ops)) if pair.ops else ())
