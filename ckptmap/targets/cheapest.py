"""The cheapest combination of settings, when the cost is a sum over tables of a few settings each.

Settings that share no table are chosen apart from each other; where all hang together, each value of the setting that
most tables share is tried: 5000 combinations of 30 tables take a few milliseconds.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ckptmap.targets.variables import Value

Axes = Mapping[str, Sequence[Value]]


@dataclass(frozen=True, slots=True)
class CostTable:
    """The cost of each combination of the settings in ``scope``, their values in that order."""

    scope: tuple[str, ...]
    costs: Mapping[tuple[Value, ...], int]

    def given(self, name: str, value: Value) -> CostTable:
        """The table of the other settings, where setting ``name`` has ``value``."""
        if name not in self.scope:
            return self
        at = self.scope.index(name)
        kept = {values[:at] + values[at + 1 :]: cost for values, cost in self.costs.items() if values[at] == value}
        return CostTable(self.scope[:at] + self.scope[at + 1 :], kept)


@dataclass(frozen=True, slots=True)
class Combination:
    """The least cost; of the combinations that have it the one with most defaults, and all values that occur in any."""

    cost: int = 0
    chosen: Mapping[str, Value] = field(default_factory=dict)
    tied: Mapping[str, frozenset[Value]] = field(default_factory=dict)
    defaults: int = 0


def cheapest(axes: Axes, tables: Sequence[CostTable], defaults: Mapping[str, Value]) -> Combination:
    """The combination of one value from each axis that costs least in the sum of all tables."""
    fit = Combination(cost=sum(table.costs[()] for table in tables if not table.scope))
    for names in _components(axes, tables):
        part = {name: axes[name] for name in names}
        fit = _joined(fit, _cheapest_connected(part, [table for table in tables if set(table.scope) & names], defaults))
    return fit


def _cheapest_connected(axes: Axes, tables: Sequence[CostTable], defaults: Mapping[str, Value]) -> Combination:
    shares = Counter(name for table in tables for name in table.scope)
    by = max(axes, key=lambda name: shares[name])
    rest = {name: values for name, values in axes.items() if name != by}
    fits = [
        _joined(_single(by, value, defaults), cheapest(rest, [table.given(by, value) for table in tables], defaults))
        for value in axes[by]
    ]
    least = [fit for fit in fits if fit.cost == min(other.cost for other in fits)]
    best = max(least, key=lambda fit: fit.defaults)
    tied = {name: frozenset().union(*(fit.tied[name] for fit in least)) for name in axes}
    return Combination(best.cost, best.chosen, tied, best.defaults)


def _single(name: str, value: Value, defaults: Mapping[str, Value]) -> Combination:
    return Combination(0, {name: value}, {name: frozenset({value})}, int(defaults.get(name) == value))


def _joined(one: Combination, other: Combination) -> Combination:
    """Two fits of different settings as one."""
    return Combination(
        one.cost + other.cost,
        {**one.chosen, **other.chosen},
        {**one.tied, **other.tied},
        one.defaults + other.defaults,
    )


def _components(axes: Axes, tables: Sequence[CostTable]) -> list[set[str]]:
    """The settings in groups that no table joins."""
    groups: list[set[str]] = [{name} for name in axes]
    for table in tables:
        joined = [group for group in groups if group & set(table.scope)]
        if len(joined) > 1:
            groups = [group for group in groups if group not in joined] + [set(itertools.chain(*joined))]
    return groups
