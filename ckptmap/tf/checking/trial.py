"""One trial: the new model run with the values that a candidate assignment gives, next to the old model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ckptmap.tf.checking.probes import Probes, same
from ckptmap.tf.checking.values import Candidate, altered
from ckptmap.tf.verify.general.comparing import measured
from ckptmap.tf.verify.general.feeding import as_dtype
from ckptmap.tf.verify.layers.variable_matching import new_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from ckptmap.suggest.layer_values import Layer
    from ckptmap.tf.checking.probes import Print
    from ckptmap.tf.checking.values import Values
    from ckptmap.tf.verify.general.feeding import Feeds
    from ckptmap.tf.verify.general.pairing import Pairs
    from ckptmap.tf.verify.general.side import Changing, Running, Variable

    Array = np.ndarray[Any, Any]

MOST_RUNS = 600
"""Runs of the new model before what is left is said to be undecided."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both layers' lists and both models."""

    old: tuple[Layer, ...]
    new: tuple[Layer, ...]
    running: tuple[Running, Changing]
    feeds: Feeds
    outputs: Pairs


@dataclass
class Trials:
    """Runs candidate assignments (new layer to old one, by number); ``left`` counts the runs that are still allowed."""

    sides: Sides
    values: Values
    left: int = MOST_RUNS
    kinds: dict[int, Layer] = field(default_factory=dict)
    """Old layers that are tried as another kind, or in another order, than drafted."""
    orders: dict[int, Layer] = field(default_factory=dict)
    """New layers that are tried in another order than drafted."""

    def __post_init__(self) -> None:
        """Find what enters each layer, and run the old model."""
        old, new = self.sides.running
        find = new_variables(new.side)
        by_name = {one.name: one for one in new.side.variables}
        self._variables: dict[str, Variable] = {}
        for layer in self.sides.new:
            for item in layer.items:
                name = find({"key": item.key, "name": item.name})
                if name:
                    self._variables[item.name] = by_name[name]
        self.old_names = {one.name for one in old.side.variables}
        layer_of = {name: at for at, layer in enumerate(self.sides.old) for name in layer.variables}
        self._old_probes = Probes(old, {name: at for name, at in layer_of.items() if name in self.old_names})
        self.probes = Probes(
            new,
            {
                self._variables[item.name].name: at
                for at, layer in enumerate(self.sides.new)
                for item in layer.items
                if item.name in self._variables
            },
        )
        self._wanted = old.run(self.sides.feeds.of(0), [one.tensor for one, _ in self.sides.outputs])
        self._old_prints: dict[int, Print] | None = None
        self._held: dict[str, Array] = {}

    @property
    def old_prints(self) -> dict[int, Print]:
        """What enters each old layer."""
        if self._old_prints is None:
            self._old_prints = self._old_probes.prints(self.sides.feeds.of(0))
        return self._old_prints

    def reached(self, new: int) -> bool:
        """Whether an output of the new model depends on a layer, as far as its graph says."""
        return any(item.name in self._variables for item in self.sides.new[new].items)

    def idle_new(self) -> set[str]:
        """The new variables that no output depends on."""
        names = [item.name for layer in self.sides.new for item in layer.items]
        return {name for name in names if name not in self._variables}

    def agrees(self, owner: Mapping[int, int], other: int = -1) -> bool:
        """Whether the outputs agree, with the values of the new layer ``other`` altered where one is given."""
        self.left -= 1
        tensors = [one.tensor for _, one in self.sides.outputs]
        self._give(owner, other)
        found = self.sides.running[1].run(self.sides.feeds.of(1), tensors)
        return all(
            measured((old, new), (self._wanted[old.tensor], found[new.tensor])).within
            for old, new in self.sides.outputs
        )

    def prints(self, owner: Mapping[int, int]) -> dict[int, Print]:
        """What enters each new layer."""
        self.left -= 1
        self._give(owner, -1)
        return self.probes.prints(self.sides.feeds.of(1))

    def matching(self, owner: Mapping[int, int], prints: Mapping[int, Print]) -> list[tuple[int, bool]]:
        """For each new layer that can be compared, in order, whether its input is its partner's."""
        watched = [at for at in sorted(prints, key=lambda at: self.probes.place[at]) if at in owner]
        return [(at, same(self.old_prints[owner[at]], prints[at])) for at in watched if owner[at] in self.old_prints]

    def _give(self, owner: Mapping[int, int], other: int) -> None:
        """Give the new model's variables the values of an assignment: those that it has not got."""
        wanted: dict[str, Array] = {}
        for new, old in owner.items():
            given = self.values.of(self.candidate(old, new))
            wanted |= altered(given) if new == other else given
        known = {name: value for name, value in wanted.items() if name in self._variables}
        changed = {name: value for name, value in known.items() if self._held.get(name) is not value}
        if changed:
            found = {name: self._variables[name] for name in changed}
            self.sides.running[1].give({one.node: as_dtype(changed[name], one.dtype) for name, one in found.items()})
            self._held |= changed

    def candidate(self, old: int, new: int) -> Candidate:
        """An old layer in the place of a new one, as the kind and in the order that are tried."""
        return Candidate(self.kinds.get(old, self.sides.old[old]), self.orders.get(new, self.sides.new[new]))


def holder_of(owner: Mapping[int, int], old: int) -> int | None:
    """The new layer that has ``old`` for its partner; None where none has."""
    return next((at for at, one in owner.items() if one == old), None)


def swapped(owner: Mapping[int, int], new: int, old: int) -> dict[int, int]:
    """The assignment with ``old`` for ``new``; who had ``old`` gets what ``new`` had."""
    holder = holder_of(owner, old)
    found = {**owner, new: old}
    if holder is not None and holder != new:
        found[holder] = owner[new]
    return found


def permuted(owner: Mapping[int, int], places: Sequence[int], order: Sequence[int]) -> dict[int, int]:
    """The assignment with the partners of ``places`` in another order."""
    return {**owner, **{places[at]: owner[places[to]] for at, to in enumerate(order)}}
