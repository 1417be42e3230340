"""Causes behind a layer: what is done to its result before the next one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.tf.verify.layers.causes.case import Case, Cause, near
from ckptmap.tf.verify.layers.causes.numeric import ACTIVATIONS
from ckptmap.tf.verify.layers.causes.poolings import POOLS
from ckptmap.tf.verify.layers.measure import relative

if TYPE_CHECKING:
    from ckptmap.tf.verify.layers.pairing import Use

    Array = np.ndarray[Any, Any]

_GATHERS = ("Gather", "GatherV2", "ResourceGather", "GatherNd")
_AFFINE = frozenset({"Mul", "Add", "AddV2", "Sub", "RealDiv"})
_MOST_TENSORS = 48
_EXACT = 2e-6
_EVIDENCE = "each side's tensors, computed anew from what enters"


def crossed(case: Case) -> Iterator[Cause]:
    """Layers that the mapping gave each other's place: the same value enters the layers of two different pairs."""
    if case.first.place == "layer":
        return
    next_to = _followers if case.first.place == "after" else _beginning
    old, new = next_to(case, 0), next_to(case, 1)
    if not old or not new or {use.layer for use in old} & {use.layer for use in new}:
        return
    left = case.values(0, *(use.entering[0] for use in old))
    right = case.values(1, *(use.entering[0] for use in new))
    for one, before in zip(old, left, strict=True):
        for other, after in zip(new, right, strict=True):
            if relative(before, after, case.walk.tolerance) <= case.walk.tolerance:
                names = [case.walk.layers[use.layer].name for use in (one, other)]
                where = f"after {case.first.layer.name}" if case.first.place == "after" else "first"
                text = f"{where} comes {names[0]} in the old model, in the new one what {names[1]} became"
                fix = f"mend the rules for {names[0]} and {names[1]}: each has the other's place"
                yield Cause("swapped layers", text, fix, "what enters both is the same")
                return


def _followers(case: Case, side: int) -> list[Use]:
    """The layers that take what this one gives, with no other between."""
    uses, own = (case.walk.old, case.walk.new)[side], case.uses[side]
    later = [use for use in uses.uses.values() if use is not own and use.entering]
    return [use for use in later if own in uses.before(use.entering, use)]


def _beginning(case: Case, side: int) -> list[Use]:
    """The layers that no other comes before."""
    uses = (case.walk.old, case.walk.new)[side]
    return [use for use in uses.uses.values() if use.entering and uses.is_first(use.entering)]


def activation(case: Case) -> Iterator[Cause]:
    """Another activation: each side's is told by what it makes of the layer's result, which agrees."""
    if case.first.place != "after":
        return
    old, new = _activation(case, 0), _activation(case, 1)
    if old and new and old != new:
        text = f"the old model applies {old}, the new one {new}"
        yield Cause("activation", text, f"build the new layer with {old}; the weights stay", _EVIDENCE)


def _activation(case: Case, side: int) -> str:
    """The name of what is applied to the layer's result, ``none`` where nothing is, empty where it is not known."""
    result = case.values(side, case.uses[side].result)[0]
    behind = [unit for unit in case.between(side) if unit.op not in POOLS][:_MOST_TENSORS]
    found = case.walk.fetch(side, [unit.result for unit in behind])
    alike = [unit for unit in behind if found[unit.result].shape == result.shape]
    tensors = [found[unit.result] for unit in alike if np.issubdtype(found[unit.result].dtype, np.floating)]
    if all(near(one, result) for one in tensors):
        return "none"
    sources = [result, *(found[unit.result] for unit in alike if unit.op in _AFFINE)]
    return next((name for source in sources if (name := _applied(source, tensors))), "")


def _applied(source: Array, tensors: Sequence[Array]) -> str:
    """The activation that makes the last one of ``tensors`` that any makes of ``source``; empty where none does.

    What comes before the last may be a part of it: a gate by which ``source`` is multiplied next.
    """
    with np.errstate(over="ignore"):
        made = {label: function(source.astype(np.float64)) for label, function in ACTIVATIONS.items()}
    for one in reversed(tensors):
        if not near(one, source):
            apart = {label: relative(value, one, 0.0) for label, value in made.items()}
            best = min(apart, key=lambda label: apart[label])
            if apart[best] < _EXACT:
                return best
    return ""


def embedding_scale(case: Case) -> Iterator[Cause]:
    """What comes out of an embedding is multiplied on one side."""
    if case.first.place != "after" or case.mains[0].op not in _GATHERS:
        return
    results = [case.values(side, case.uses[side].result)[0] for side in (0, 1)]
    factors = [_factor(case, side, results[side]) for side in (0, 1)]
    if factors[0] is None or factors[1] is None or math.isclose(factors[0], factors[1], rel_tol=1e-4):
        return
    width = results[0].shape[-1]
    root = next((one for one in factors if math.isclose(one or 0, math.sqrt(width), rel_tol=1e-4)), None)
    said = f" ({root:.4g} is the root of the width {width})" if root else ""
    text = f"the old model multiplies what it looks up by {factors[0]:.6g}, the new one by {factors[1]:.6g}{said}"
    yield Cause("embedding scale", text, "scale in the new model as the old one does", _EVIDENCE)


def _factor(case: Case, side: int, result: Array) -> float | None:
    """The number that the result is multiplied by right behind the layer; None where it is not known."""
    units = list(case.between(side))[:_MOST_TENSORS]
    found = case.walk.fetch(side, [unit.result for unit in units])
    best = 1.0
    for unit in units:
        value = found[unit.result]
        if unit.op in ("Mul", "RealDiv") and value.size == result.size and result.any():
            flat = result.reshape(-1).astype(np.float64)
            factor = float((flat * value.reshape(-1)).sum() / np.square(flat).sum())
            if factor and near(value, (factor * flat).reshape(value.shape)):
                best = factor
    return best


def data_format(case: Case) -> Iterator[Cause]:
    """The same values in another order: flattened with channels first on one side, last on the other."""
    if case.first.place != "after":
        return
    left, right = case.boundary()
    same = (
        left.size == right.size
        and not near(left, right.reshape(left.shape))
        and near(np.sort(left.reshape(-1)), np.sort(right.reshape(-1)))
    )
    if same and left.size > 1:
        text = "the same values reach the next layer in another order: channels first on one side, last on the other"
        fix = "permute the rows of the next layer's kernel, or transpose before flattening"
        yield Cause("data format", text, fix, "sorted, the tensors of both sides agree")
