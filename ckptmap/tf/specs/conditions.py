"""Under which settings a variable exists, from builds that have it and builds that lack it, and what to build next.

A variable's ``when`` is the smallest conjunction of settings that holds in every build that has it and in no build
that lacks it. It is sure only when every value of every setting was met: with the variable where ``when`` allows the
value, without it where ``when`` does not and all else fits. What was not met is a region to build in.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ckptmap.targets.choose import Setting, Settings, holds
from ckptmap.targets.variables import Value
from ckptmap.tf.specs.inference import InferenceError, Presence

MOST_NAMED = 3
"""A conjunction names at most this many settings, and those that the builds were split by."""
MOST_SPLITS = 2
MOST_TRIED = 200

When = dict[str, tuple[Value, ...]]
Region = Mapping[str, tuple[Value, ...]]


def conditions(presence: Presence) -> list[When]:
    """Disjoint conjunctions that hold in all builds that have it and in no other, as few and short as found.

    Raises InferenceError where there are none: something else decides.
    """
    for splits in range(MOST_SPLITS + 1):
        found = _conditions(presence.settings, presence.with_it, presence.without, splits)
        if found is not None:
            return found
    raise InferenceError("something that no setting touches decides which variables there are: say what touches what")


def _conditions(
    settings: Sequence[Setting], with_it: Sequence[Settings], without: Sequence[Settings], splits: int
) -> list[When] | None:
    if not with_it:
        return []
    for count in range(MOST_NAMED + 1):
        for named in itertools.combinations(settings, count):
            when = {s.name: _values(s, with_it) for s in named}
            if not any(holds(when, other) for other in without):
                return [{s.name: when[s.name] for s in named if set(when[s.name]) != set(s.values)}]
    if not splits:
        return None
    attempts = (_split(s, settings, with_it, without, splits - 1) for s in settings if _varies(s, with_it, without))
    return min((found for found in attempts if found is not None), key=len, default=None)


def _varies(setting: Setting, *groups: Sequence[Settings]) -> bool:
    return len({one[setting.name] for group in groups for one in group}) > 1


def _split(
    by: Setting, settings: Sequence[Setting], with_it: Sequence[Settings], without: Sequence[Settings], splits: int
) -> list[When] | None:
    """The conditions for each value of one setting; values with equal conditions share one."""
    others = [s for s in settings if s.name != by.name]
    parts: dict[str, tuple[list[When], list[Value]]] = {}
    for value in by.values:
        having, lacking = ([one for one in group if one[by.name] == value] for group in (with_it, without))
        pieces = _conditions(others, having, lacking, splits)
        if pieces is None:
            return None
        parts.setdefault(repr(pieces), (pieces, []))[1].append(value)
    return [{by.name: tuple(values), **piece} for pieces, values in parts.values() for piece in pieces]


def _values(setting: Setting, group: Iterable[Settings]) -> tuple[Value, ...]:
    seen = {one[setting.name] for one in group}
    return tuple(value for value in setting.values if value in seen)


def open_regions(presence: Presence) -> Iterator[Region]:
    """Where a build is wanted before the conditions are sure.

    A value that a condition does not allow is met by any build there: without the variable, or with it by another of
    the conditions.
    """
    builds = (*presence.with_it, *presence.without)
    for when in conditions(presence):
        inside = [one for one in presence.with_it if holds(when, one)]
        for setting in presence.settings:
            allowed = when.get(setting.name, setting.values)
            rest = {name: values for name, values in when.items() if name != setting.name}
            outside = [one for one in builds if holds(rest, one)]
            met = {one[setting.name] for one in inside} | {one[setting.name] for one in outside} - set(allowed)
            yield from ({**rest, setting.name: (value,)} for value in setting.values if value not in met)


def rows_for(
    regions: Iterable[Region], settings: Sequence[Setting], allows: Callable[[Settings], bool]
) -> Iterator[dict[str, Value]]:
    """Combinations so that one lies in every region that has a combination which can be built, greedily few."""
    waiting = {repr(sorted(region.items())): dict(region) for region in regions}
    while waiting:
        region = waiting.pop(next(iter(waiting)))
        for other in sorted(waiting, key=lambda name: len(waiting[name]), reverse=True):
            region = _common(region, waiting[other], settings, allows) or region
        row = _row(region, settings, allows)
        if row is not None:
            waiting = {name: other for name, other in waiting.items() if not holds(other, row)}
            yield row


def _common(
    one: Region, other: Region, settings: Sequence[Setting], allows: Callable[[Settings], bool]
) -> dict[str, tuple[Value, ...]] | None:
    """The part of two regions that is in both, None where nothing that can be built is."""
    both = {name: one.get(name, other.get(name, ())) for name in {**one, **other}}
    for name in one.keys() & other.keys():
        both[name] = tuple(value for value in one[name] if value in other[name])
    return both if all(both.values()) and _row(both, settings, allows) else None


def _row(region: Region, settings: Sequence[Setting], allows: Callable[[Settings], bool]) -> dict[str, Value] | None:
    """The combination in the region with most defaults that can be built."""
    axes = [_defaults_first(s, region.get(s.name, s.values)) for s in settings]
    names = [s.name for s in settings]
    rows = (dict(zip(names, values, strict=True)) for values in itertools.islice(itertools.product(*axes), MOST_TRIED))
    return next((row for row in rows if allows(row)), None)


def _defaults_first(setting: Setting, values: Sequence[Value]) -> list[Value]:
    return sorted(values, key=lambda value: value != setting.default)
