"""The values that a new layer gets of an old one, as a drafted table makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.basics.errors import Problem
from ckptmap.checkpoint.dtypes import DType
from ckptmap.mapping import apply_table, execute, load_table
from ckptmap.planning.fitting import asks_target, fitted
from ckptmap.suggest.drafting import draft, neutral
from ckptmap.suggest.layer_values import Matched, Pair
from ckptmap.suggest.leaves import leaves_of
from ckptmap.suggest.suggestion import KINDS, loaded
from ckptmap.suggest.writing import yaml_lines
from ckptmap.targets.variables import TargetVariable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ckptmap.checkpoint.reader import Checkpoint
    from ckptmap.mapping.op import Op
    from ckptmap.mapping.table import Assignment, Kind
    from ckptmap.suggest.layer_values import Item, Layer

    Array = np.ndarray[Any, Any]
    Recipe = Mapping[str, tuple[tuple[str, ...], tuple[Op, ...]]]

_Key = tuple[str, str, str]
_NEUTRAL = {"zeros": 0.0, "ones": 1.0}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An old layer in the place of a new one."""

    old: Layer
    new: Layer


class Values:
    """What new layers get of old ones: by item of the new layer, each computed when it is asked for, and then kept."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._kinds: dict[str, Mapping[str, Kind]] = {name: load_table(name).kinds for name in KINDS}
        self._recipes: dict[_Key, Recipe] = {}
        self._made: dict[_Key, dict[str, Array]] = {}

    def of(self, candidate: Candidate) -> dict[str, Array]:
        """By name of the new layer's items, their values; those that have no source and no neutral value are not in it.

        Raises CkptmapError where the operations do not fit.
        """
        key = _key(candidate)
        if key not in self._made:
            if key not in self._recipes:
                self._learn([candidate])
            self._made[key] = self._computed(candidate, self._recipes[key])
        return self._made[key]

    def learn(self, candidates: Sequence[Candidate]) -> None:
        """Make the recipes of many at once: as of one table."""
        if not self._learn(candidates):
            for one in candidates:
                self._learn([one])

    def _learn(self, candidates: Sequence[Candidate]) -> bool:
        old, new = tuple(one.old for one in candidates), tuple(one.new for one in candidates)
        matched = Matched(old, new, tuple(Pair(at, at, sure=True) for at in range(len(old))))
        drafted = draft(matched, self._kinds, {})
        table = loaded("\n".join(yaml_lines(drafted, matched, ())) + "\n")
        if table is None:
            return self._unknown(candidates)
        result = apply_table(table, [name for layer in old for name in layer.variables])
        made = self._fitted(result.assignments, [item for layer in new for item in layer.items])
        for one in candidates:
            items = [item.name for item in one.new.items]
            self._recipes[_key(one)] = {name: made[name] for name in items if name in made}
        return True

    def _fitted(self, assignments: Sequence[Assignment], items: Sequence[Item]) -> Recipe:
        """What each item is made of; lengths that operations take from the new model put in."""
        made = {one.target: one for one in assignments}
        asking = {name: one for name, one in made.items() if asks_target(one)}
        shapes = {
            item.name: TargetVariable(item.key, item.name, DType.FLOAT32, tuple(length or 0 for length in item.shape))
            for item in items
        }
        found = {**made, **dict(fitted(asking, shapes, self._checkpoint.inventory))}
        return {name: (one.sources, one.ops) for name, one in found.items() if not isinstance(one, Problem)}

    def _unknown(self, candidates: Sequence[Candidate]) -> bool:
        if len(candidates) == 1:
            self._recipes[_key(candidates[0])] = {}
        return False

    def _computed(self, candidate: Candidate, recipe: Recipe) -> dict[str, Array]:
        found = {name: execute(ops, [self._read(one) for one in sources]) for name, (sources, ops) in recipe.items()}
        spare = leaves_of(candidate.old, candidate.new).spare_new
        for role, item in candidate.new.leaves.items():
            value = _NEUTRAL.get(neutral(role))
            for one in (item.pieces or (item,)) if item in spare and value is not None else ():
                found[one.name] = np.full([length or 0 for length in one.shape], value, np.float32)
        return found

    def _read(self, name: str) -> Array:
        return self._checkpoint.read(name)


def altered(values: Mapping[str, Array]) -> dict[str, Array]:
    """Values that are clearly others, of the same size: for whether anything depends on them."""
    return {name: _altered(value) for name, value in values.items()}


def _altered(value: Array) -> Array:
    if value.dtype.kind not in "fiu":
        return np.logical_not(value) if value.dtype.kind == "b" else value
    flat = value.reshape(-1)
    return (1.25 * flat + 0.5 * (np.abs(flat).mean() or 1.0)).reshape(value.shape).astype(value.dtype)


def _key(candidate: Candidate) -> _Key:
    kind = candidate.old.cell.kind if candidate.old.cell else ""
    orders = (item for layer in (candidate.old, candidate.new) for item in layer.leaves.values() if item.pieces)
    written = " ".join(f"{item.join} {item.parts}" for item in orders)
    old, new = (f"{layer.scope}{layer.is_norm}" for layer in (candidate.old, candidate.new))
    return old, new, f"{kind} {written}"
