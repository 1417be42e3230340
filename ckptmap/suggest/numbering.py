"""Names as templates and numbers, and rules that lead from the numbers of one name to those of another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ckptmap.suggest.words import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NUMBER = re.compile(r"(?<![0-9])(0|[1-9][0-9]{0,8})(?![0-9])")
"""A number without leading zeros: what a table can calculate with."""

_MOST = 1000
"""The largest factor that a rule may have: as many layers as a stage of a model has."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A number as ``factors`` times the old numbers, plus ``constant``."""

    factors: tuple[int, ...]
    constant: int

    def value(self, numbers: Sequence[int]) -> int:
        """The number for these old ones."""
        return self.constant + sum(factor * number for factor, number in zip(self.factors, numbers, strict=True))


@lru_cache(maxsize=65536)
def template(name: str) -> str:
    """The name with a ``#`` for each number."""
    return _NUMBER.sub("#", name)


@lru_cache(maxsize=65536)
def numbers(name: str) -> tuple[int, ...]:
    """The numbers of a name, in order."""
    return tuple(int(text) for text in _NUMBER.findall(name))


def fit_column(rows: Sequence[Sequence[int]], values: Sequence[int]) -> Fit | None:
    """The simplest sum that gives each of ``values`` from the numbers of its row; None where there is none.

    Tried in this order: a constant, one number plus a constant, a sum of two numbers with whole factors.
    """
    width = len(rows[0]) if rows else 0
    if len(set(values)) <= 1:
        return Fit((0,) * width, values[0] if values else 0)
    for at in range(width):
        shift = values[0] - rows[0][at]
        if all(value - row[at] == shift for row, value in zip(rows, values, strict=True)):
            return Fit(_unit(width, {at: 1}), shift)
    return next(filter(None, (_fit_two(rows, values, at) for at in range(width))), None)


def _unit(width: int, factors: dict[int, int]) -> tuple[int, ...]:
    return tuple(factors.get(at, 0) for at in range(width))


def _fit_two(rows: Sequence[Sequence[int]], values: Sequence[int], at: int) -> Fit | None:
    """``a·x + b·y + c`` with x the number at ``at``, and y one behind it or none."""
    width = len(rows[0])
    for other in range(at, width):
        fit = _solved(rows, values, at, other)
        if fit is not None:
            return fit
    return None


def _solved(rows: Sequence[Sequence[int]], values: Sequence[int], at: int, other: int) -> Fit | None:
    first = _slope(rows, values, at, other)
    second = _slope(rows, values, other, at) if other != at else 0
    if first is None or second is None or not 0 < abs(first) <= _MOST or abs(second) > _MOST:
        return None
    factors = _unit(len(rows[0]), {at: first} if other == at else {at: first, other: second})
    fit = Fit(factors, 0)
    fit = Fit(factors, values[0] - fit.value(rows[0]))
    return fit if all(fit.value(row) == value for row, value in zip(rows, values, strict=True)) else None


def _slope(rows: Sequence[Sequence[int]], values: Sequence[int], at: int, other: int) -> int | None:
    """By how much the value grows with the number at ``at`` while the one at ``other`` stays."""
    known: dict[int, tuple[int, int]] = {}
    for row, value in zip(rows, values, strict=True):
        same = row[other] if other != at else 0
        if same not in known:
            known[same] = (row[at], value)
        elif known[same][0] != row[at]:
            slope, rest = divmod(value - known[same][1], row[at] - known[same][0])
            return None if rest else slope
    return None


def explained(pairs: Iterable[tuple[str, str]], least: int) -> bool:
    """Whether sums over their numbers lead from each old name to its new one, in a group of one template.

    A smaller group than ``least`` is explained where all numbers are simply the same, and behind the same words.
    """
    found = list(pairs)
    if len(found) < least:
        return len(found) > 1 and all(_same_numbers(one, other) for one, other in found)
    old, new = [numbers(one) for one, _ in found], [numbers(other) for _, other in found]
    return all(fit_column(old, [row[at] for row in new]) is not None for at in range(len(new[0])))


def _same_numbers(one: str, other: str) -> bool:
    counted = [{word for word in tokens(name) if "#" in word} for name in (one, other)]
    return bool(counted[0]) and counted[0] == counted[1]
