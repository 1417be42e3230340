"""What a cause can look at: both sides at the layer where they part, its variables' values, its operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.tf.verify.layers.anatomy import LOOP
from ckptmap.tf.verify.layers.branches import SWITCHES
from ckptmap.tf.verify.layers.measure import relative

if TYPE_CHECKING:
    from ckptmap.tf.verify.layers.anatomy import Anatomy, Unit
    from ckptmap.tf.verify.layers.pairing import Use
    from ckptmap.tf.verify.layers.walking import First, Walk

    Array = np.ndarray[Any, Any]

_NOT_FETCHED = frozenset({LOOP, *SWITCHES})
"""A loop gives what its exits give, and of a switch one output has no value."""
_NEAR = 1e-4
"""How near a value computed anew in NumPy comes to TensorFlow's, in units of the spread."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for the difference: its name, what it is, what removes it, how it was found out."""

    name: str
    text: str
    fix: str
    evidence: str
    proven: bool = True


@dataclass(frozen=True, slots=True)
class Known:
    """Values that are known beside both models.

    ``expected``: by new variable, what the conversion makes of the old values. ``checkpoint``: what else the old
    checkpoint holds, by name: moving averages, or the raw weights where the averages are run. ``remake``: what the
    conversion makes of a new variable from other old values, by the names of the weights; None where it does not say.
    """

    expected: Mapping[str, Array] = field(default_factory=dict)
    checkpoint: Mapping[str, Array] = field(default_factory=dict)
    remake: Callable[[str, Mapping[str, Array]], Array | None] = lambda _name, _values: None


class Case:
    """The place where two models part, with both at hand."""

    def __init__(self, walk: Walk, first: First, known: Known) -> None:
        self.walk, self.first, self.known = walk, first, known
        self._read: tuple[dict[str, Array], dict[str, Array]] = ({}, {})

    @property
    def uses(self) -> tuple[Use, Use]:
        """The layer on both sides."""
        return self.first.old, self.first.new

    @property
    def mains(self) -> tuple[Unit, Unit]:
        """The operation that the layer is."""
        return self.first.old.main, self.first.new.main

    @property
    def is_layer(self) -> bool:
        """Whether it is the layer itself that computes something else."""
        return self.first.place == "layer"

    @property
    def anatomies(self) -> tuple[Anatomy, Anatomy]:
        """The graphs."""
        return self.walk.old.anatomy, self.walk.new.anatomy

    def values(self, side: int, *tensors: str) -> list[Array]:
        """The values of tensors of one side."""
        found = self.walk.fetch(side, tensors)
        return [found[one] for one in tensors]

    def boundary(self) -> tuple[Array, Array]:
        """The tensors that differ."""
        return self.values(0, self.first.boundary[0])[0], self.values(1, self.first.boundary[1])[0]

    def variable(self, side: int, name: str) -> Array:
        """The value that one side holds."""
        if name not in self._read[side]:
            variable = next(one for one in self.walk.running[side].side.variables if one.name == name)
            self._read[side][name] = self.values(side, variable.reads[0])[0]
        return self._read[side][name]

    def expected(self, new: str) -> Array | None:
        """What a new variable should hold: by the conversion, or where one variable became one of its shape."""
        if new in self.known.expected:
            return self.known.expected[new]
        pair = next((one for layer in self.walk.layers for one in layer.pairs if new in one.new), None)
        if pair is None or len(pair.old) != 1 or len(pair.new) != 1:
            return None
        old = self.variable(0, pair.old[0])
        return old if old.shape == self.variable(1, new).shape else None

    def cured(self, fed: Mapping[str, Array]) -> bool:
        """Whether the sides agree behind the layer when new variables are fed these values."""
        variables = {one.name: one for one in self.walk.running[1].side.variables}
        more = {read: value for name, value in fed.items() for read in variables[name].reads}
        one, other = self.first.boundary
        left = self.walk.fetch(0, (one,))[one]
        right = self.walk.fetch(1, (other,), more)[other]
        return relative(left, right, self.walk.tolerance) <= self.walk.tolerance

    def constant(self, side: int, tensor: str) -> Array | None:
        """The value of a small constant."""
        anatomy = self.anatomies[side]
        unit = anatomy.units.get(anatomy.unit_of(tensor))
        while unit is not None and unit.op in ("Identity", "Cast", "Enter", *SWITCHES):
            unit = anatomy.units.get(anatomy.unit_of(unit.inputs[0]))
        value = unit.attributes.get("value") if unit is not None and unit.op == "Const" else None
        return None if value is None else np.asarray(value)

    def between(self, side: int) -> Iterator[Unit]:
        """The operations between the layer's result and the boundary, in order."""
        anatomy, use = self.anatomies[side], self.uses[side]
        members = {site.unit.name for site in use.sites}
        end = anatomy.unit_of(self.first.boundary[side])
        behind = {end, *_before(anatomy, end, members)} - members
        reached = set(members)
        for name in sorted(behind, key=lambda one: anatomy.places[one]):
            if any(anatomy.unit_of(one) in reached for one in anatomy.units[name].inputs):
                reached.add(name)
                if anatomy.units[name].op not in _NOT_FETCHED:
                    yield anatomy.units[name]


def near(left: Array, right: Array) -> bool:
    """Whether a value computed anew is that of TensorFlow."""
    return left.size == right.size and relative(left, right, _NEAR) <= _NEAR


def _before(anatomy: Anatomy, end: str, stops: set[str]) -> Iterator[str]:
    seen: set[str] = set()
    waiting = [end]
    while waiting:
        name = waiting.pop()
        if name in seen or name in stops or name not in anatomy.data:
            continue
        seen.add(name)
        yield name
        waiting += [anatomy.unit_of(one) for one in anatomy.units[name].inputs]
