"""Choose a model's settings so that its variables are those that a source maps to.

Every variable of a spec says under which settings it exists. A setting is decided by the names when another value of
it would leave more variables without a source; it is assumed when the values fit equally well and yet give another
layout (``use_dropout`` moves keys, no TF1 name shows it).
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ckptmap.basics import wording
from ckptmap.targets.cheapest import CostTable, cheapest
from ckptmap.targets.dims import Dim
from ckptmap.targets.variables import SpecVariable, Value

Settings = Mapping[str, Value]
When = Mapping[str, Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Setting:
    """A choice that changes which variables a model has, and under which object paths.

    ``meaning`` says where the configuration says it; ``default`` is what the official configurations have.
    """

    name: str
    values: tuple[Value, ...]
    default: Value
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Assumption:
    """A value that nothing in the source decides; ``hint`` says how to give another."""

    setting: str
    value: Value
    hint: str

    def __str__(self) -> str:
        return f"assumed {self.setting}={show(self.value)} ({self.hint})"


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen value of every setting, the variables that exist so, and what decided the settings."""

    settings: Settings
    variables: tuple[SpecVariable, ...]
    decided_by_names: tuple[str, ...] = ()
    assumed: tuple[Assumption, ...] = ()


def show(value: Value) -> str:
    """A setting's value as the command line writes it: ``true``, ``6``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def holds(when: When, settings: Settings) -> bool:
    """Whether every setting that ``when`` names has one of its values."""
    return all(settings[name] in values for name, values in when.items())


def choose(
    settings: Sequence[Setting],
    variables: Sequence[SpecVariable],
    matched: Iterable[SpecVariable],
    given: Settings,
    excluded: Sequence[When] = (),
) -> Choice:
    """The settings under which most of ``matched`` exist and fewest other variables do.

    ``given`` settings are kept; ``excluded`` are combinations that no model can be built with. Where several
    combinations fit equally well, the one with most defaults is chosen.
    """
    tables = _tables(settings, _weights(variables, matched), excluded)
    axes = {s.name: (given[s.name],) if s.name in given else s.values for s in settings}
    fit = cheapest(axes, tables, {s.name: s.default for s in settings})
    chosen = {s.name: fit.chosen[s.name] for s in settings}
    open_settings = [s for s in settings if s.name not in given]
    decided = tuple(s.name for s in open_settings if len(fit.tied[s.name]) == 1)
    assumed = tuple(
        _assumption(s, chosen)
        for s in open_settings
        if s.name not in decided and _moves_variables(s, chosen, variables, excluded)
    )
    present = tuple(variable for variable in variables if holds(variable.when, chosen))
    return Choice(chosen, present, decided, assumed)


def _weights(variables: Sequence[SpecVariable], matched: Iterable[SpecVariable]) -> dict[_WhenKey, int]:
    """What having the variables of each ``when`` costs: 1 for each without a source, -1 for each with one."""
    with_source = {id(variable) for variable in matched}
    weights: dict[_WhenKey, int] = defaultdict(int)
    for variable in variables:
        weights[_when_key(variable.when)] += -1 if id(variable) in with_source else 1
    return weights


_PROHIBITIVE = 10**9
_WhenKey = tuple[tuple[str, tuple[Value, ...]], ...]


def _when_key(when: When) -> _WhenKey:
    return tuple((name, tuple(values)) for name, values in sorted(when.items()))


def _allowed(settings: Settings, excluded: Sequence[When]) -> bool:
    return not any(holds(when, settings) for when in excluded)


def _tables(settings: Sequence[Setting], weights: Mapping[_WhenKey, int], excluded: Sequence[When]) -> list[CostTable]:
    """The weights, and a prohibitive one for what is excluded, in a table for each set of settings that they name."""
    values = {s.name: s.values for s in settings}
    by_scope: dict[tuple[str, ...], dict[tuple[Value, ...], int]] = {}
    for when, weight in (*weights.items(), *((_when_key(when), _PROHIBITIVE) for when in excluded)):
        scope = tuple(name for name, _ in when)
        empty = dict.fromkeys(itertools.product(*(values[name] for name in scope)), 0)
        costs = by_scope.setdefault(scope, empty)
        for combination in itertools.product(*(allowed for _, allowed in when)):
            costs[combination] += weight
    return [CostTable(scope, costs) for scope, costs in by_scope.items()]


def _moves_variables(
    setting: Setting, chosen: Settings, variables: Sequence[SpecVariable], excluded: Sequence[When]
) -> bool:
    """Whether another value of ``setting`` gives another layout."""
    others = [{**chosen, setting.name: value} for value in setting.values if value != chosen[setting.name]]
    concerned = [variable for variable in variables if setting.name in variable.when]
    present = _places(concerned, chosen)
    return any(_places(concerned, other) != present for other in others if _allowed(other, excluded))


def _places(variables: Sequence[SpecVariable], settings: Settings) -> set[tuple[str, str, tuple[Dim, ...]]]:
    return {(one.key, one.name, one.dims) for one in variables if holds(one.when, settings)}


def _assumption(setting: Setting, chosen: Settings) -> Assumption:
    others = "|".join(show(value) for value in setting.values if value != chosen[setting.name])
    hint = f"no name shows it; give it with {wording.setting(setting.name, others)}"
    return Assumption(setting.name, chosen[setting.name], hint)
