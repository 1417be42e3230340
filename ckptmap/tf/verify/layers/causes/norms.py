"""Causes in a normalization: epsilon, and the statistics of the batch in place of the moving ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.tf.verify.layers.causes.case import Case, Cause, near
from ckptmap.tf.verify.layers.causes.numeric import normalize

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_FUSED = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
_LEAVES = {
    "gamma": ("gamma", "scale"),
    "beta": ("beta", "offset", "bias"),
    "mean": ("moving_mean",),
    "variance": ("moving_variance",),
}
_DEPTH = 12


def epsilon(case: Case) -> Iterator[Cause]:
    """Another epsilon, proven where the new layer computed with the old one agrees."""
    old, new = _epsilon(case, 0), _epsilon(case, 1)
    if not case.is_layer or old is None or new is None or np.isclose(old, new, rtol=1e-3):
        return
    made = _computed(case, old)
    proven = made is not None and near(case.values(0, case.uses[0].result)[0], _first(case, made, 0))
    evidence = "computed with the old model's the layer agrees" if proven else "the operations of both graphs"
    text = f"epsilon is {old:.6g} in the old model and {new:.6g} in the new one"
    yield Cause("epsilon", text, f"build the new layer with epsilon={old:.6g}", evidence, proven)


def training_mode(case: Case) -> Iterator[Cause]:
    """Statistics of the batch on one side, proven where the new layer computed with them agrees with that side."""
    sides = [_uses_batch(case, side) for side in (0, 1)]
    if not case.is_layer or sides[0] == sides[1] or not _values(case, 1).keys() >= {"mean", "variance"}:
        return
    at = sides.index(True)
    made = _computed(case, _epsilon(case, at) or 0.0, batch=True)
    wanted = case.values(at, case.uses[at].result)[0]
    proven = made is not None and near(wanted, _first(case, made, at))
    who = ("old", "new")[at]
    text = f"the {who} model normalizes with the statistics of the batch, as in training"
    fix = "call the new model with training=False" if at else "choose an inference graph, or feed its training flag"
    evidence = f"computed so the layer gives what the {who} one gives" if proven else "the operations of both graphs"
    yield Cause("batch norm in training mode", text, fix, evidence, proven)


def _computed(case: Case, with_epsilon: float, *, batch: bool = False) -> Array | None:
    """The new layer in NumPy, channels last; None where it is of no kind that is known."""
    values = _values(case, 1)
    entering = case.values(1, case.uses[1].entering[0])[0].astype(np.float64)
    if _is_first(case, 1) and entering.ndim == 4:
        entering = np.transpose(entering, (0, 2, 3, 1))
    size = entering.shape[-1]
    gamma, beta = values.get("gamma", np.ones(size)), values.get("beta", np.zeros(size))
    if gamma.shape != (size,) or beta.shape != (size,):
        return None
    if batch:
        axes = tuple(range(entering.ndim - 1))
        return normalize(entering, entering.mean(axes), entering.var(axes), gamma, beta, with_epsilon)
    if {"mean", "variance"} <= values.keys():
        return normalize(entering, values["mean"], values["variance"], gamma, beta, with_epsilon)
    mean, variance = entering.mean(-1, keepdims=True), entering.var(-1, keepdims=True)
    return normalize(entering, mean, variance, gamma, beta, with_epsilon)


def _values(case: Case, side: int) -> dict[str, Array]:
    """The layer's variables by what they are; names of the layer's own pairs only."""
    found = {}
    for pair in case.first.layer.pairs:
        names = (pair.old, pair.new)[side]
        for name in names:
            leaf = name.rpartition("/")[2].partition(":")[0]
            kind = next((kind for kind, leaves in _LEAVES.items() if leaf in leaves), None)
            if kind is not None:
                found[kind] = case.variable(side, name).astype(np.float64)
    return found


def _is_first(case: Case, side: int) -> bool:
    return case.mains[side].attributes.get("data_format") == "NCHW"


def _first(case: Case, made: Array, side: int) -> Array:
    return np.transpose(made, (0, 3, 1, 2)) if _is_first(case, side) and made.ndim == 4 else made


def _epsilon(case: Case, side: int) -> float | None:
    """The epsilon of a fused operation, or the constant that is added before a root is taken."""
    unit = case.mains[side]
    if unit.op in _FUSED:
        return float(unit.attributes["epsilon"])
    anatomy = case.anatomies[side]
    waiting = [(anatomy.unit_of(one), _DEPTH) for site in case.uses[side].sites for one in site.unit.inputs]
    seen: set[str] = set()
    while waiting:
        name, left = waiting.pop(0)
        found = anatomy.units.get(name)
        if found is None or name in seen or not left:
            continue
        seen.add(name)
        if found.op in _FUSED:
            return float(found.attributes["epsilon"])
        if found.op in ("Rsqrt", "Sqrt", "Pow"):
            return _added(case, side, found.inputs[0])
        waiting += [(anatomy.unit_of(one), left - 1) for one in found.inputs]
    return None


def _added(case: Case, side: int, tensor: str) -> float | None:
    anatomy = case.anatomies[side]
    unit = anatomy.units[anatomy.unit_of(tensor)]
    if unit.op not in ("Add", "AddV2"):
        return None
    values = [case.constant(side, one) for one in unit.inputs]
    return next((float(value) for value in values if value is not None and value.size == 1), None)


def _uses_batch(case: Case, side: int) -> bool:
    """Whether a layer takes the mean of what enters, over all but the channels."""
    unit = case.mains[side]
    if unit.op in _FUSED:
        return bool(unit.attributes.get("is_training", True))
    anatomy = case.anatomies[side]
    waiting = [(anatomy.unit_of(one), _DEPTH) for site in case.uses[side].sites for one in site.data]
    entering = {anatomy.unit_of(one) for one in case.uses[side].entering}
    while waiting:
        name, left = waiting.pop()
        if name in entering or name not in anatomy.data or not left:
            continue
        found = anatomy.units[name]
        if found.op in ("Mean", *_FUSED):
            return True
        waiting += [(anatomy.unit_of(one), left - 1) for one in found.inputs]
    return False
