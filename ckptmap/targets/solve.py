"""Solve the unknowns of a target's dimensions from shapes that a source offers, and say where they disagree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ckptmap.basics.errors import Problem
from ckptmap.basics.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ckptmap.targets.dims import Dim, Factor


@dataclass(frozen=True, slots=True)
class Evidence:
    """One length that a dimension has to have; ``where`` names the variable that shows it."""

    where: str
    dim: Dim
    value: int
    place: str = ""
    """Which part of the variable shows it: ``dimension 3``, ``its name``."""

    def __str__(self) -> str:
        return f"{self.value} = {self.dim} in {self.place} of {self.where}"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A length that a model's settings decide: a class count, a channel count, an anchor count.

    ``default`` is what is assumed where shapes leave it open (a box code of 4), None: it has to be given.
    """

    name: str
    meaning: str = ""
    default: int | None = None

    @property
    def how_to_give(self) -> str:
        """The argument that gives it."""
        return number(self.name)


@dataclass(frozen=True, slots=True)
class Solution:
    """Values of unknowns; ``assumed`` names those that are defaults; ``problems`` are the contradictions."""

    values: Mapping[str, int] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _State:
    values: dict[str, int]
    shown_by: dict[str, str]
    problems: list[Problem] = field(default_factory=list)


def solve(
    evidence: Iterable[Evidence], given: Mapping[str, int] | None = None, defaults: Mapping[str, int] | None = None
) -> Solution:
    """Values for all unknowns that ``given`` and the evidence decide, then ``defaults`` where they stay open.

    Given values come first and are never overruled. Evidence that contradicts a value becomes a Problem that names
    both places and both values. An unknown that nothing decides is absent from the solution.
    """
    state = _State(dict(given or {}), dict.fromkeys(given or {}, "given"))
    assumed = []
    waiting = _propagate(list(evidence), state)
    for name, value in (defaults or {}).items():
        if name not in state.values:
            state.values[name], state.shown_by[name] = value, "the default"
            assumed.append(name)
            waiting = _propagate(waiting, state)
    return Solution(state.values, tuple(assumed), tuple(state.problems))


def _propagate(evidence: list[Evidence], state: _State) -> list[Evidence]:
    """Settle all evidence with at most one open factor, until nothing moves; the rest is returned."""
    moved = True
    while moved:
        waiting = [item for item in evidence if not _settle(item, state)]
        moved, evidence = len(waiting) < len(evidence), waiting
    return evidence


def _settle(item: Evidence, state: _State) -> bool:
    open_factors = item.dim.open_factors(state.values)
    if len(open_factors) > 1:
        return False
    if not open_factors:
        _check(item, state)
    elif (solved := item.dim.solved_for(open_factors[0], item.value, state.values)) is None:
        state.problems.append(_impossible(item, open_factors[0], state))
    else:
        state.values[open_factors[0].unknown] = solved
        state.shown_by[open_factors[0].unknown] = str(item)
    return True


def _check(item: Evidence, state: _State) -> None:
    expected = item.dim.value(state.values)
    if expected == item.value:
        return
    message = f"{item.place} is {item.value}, the target's is {expected}"
    if item.dim.factors:
        message += f" = {item.dim}, where {_known(item.dim, state)}"
    state.problems.append(Problem(message, item.where))


def _impossible(item: Evidence, factor: Factor, state: _State) -> Problem:
    known = _known(item.dim, state)
    because = f", where {known}" if known else ""
    return Problem(f"{item.place} is {item.value}, no {factor.unknown} makes {item.dim} that{because}", item.where)


def _known(dim: Dim, state: _State) -> str:
    known = (name for name in dict.fromkeys(dim.unknowns) if name in state.values)
    return "; ".join(f"{name} is {state.values[name]} ({state.shown_by[name]})" for name in known)
