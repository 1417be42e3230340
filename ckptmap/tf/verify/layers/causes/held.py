"""Causes in the values: what a new variable holds in place of what it should hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.tf.verify.layers.anatomy import LOOPS
from ckptmap.tf.verify.layers.causes.case import Case, Cause

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_AGAIN = "convert again, with a table that says so"
_GATES = (4, 3)
_AVERAGE = "/ExponentialMovingAverage"
_UNKNOWN = "other values"
_MOST_ADDED = 8


@dataclass(frozen=True, slots=True)
class Held:
    """A new variable that holds something else: its value, and the one that it should have."""

    name: str
    sources: tuple[str, ...]
    value: Array
    wanted: Array

    @property
    def old(self) -> str:
        """The first of the old variables that it was made of."""
        return self.sources[0]


def held(case: Case) -> Iterator[Cause]:
    """New variables of the layer that hold other values than the conversion gives them."""
    wrong = list(_wrong(case))
    if case.first.place == "before" or not wrong:
        return
    named = [(one, _named(case, one)) for one in wrong]
    fed = {one.name: one.wanted for one in wrong}
    cured = case.cured(fed)
    evidence = "with the right values fed the layer agrees" if cured else "the values of both models"
    for name, (text, fix) in {found: said for _, (found, said) in named}.items():
        group = [one for one, (found, _) in named if found == name]
        subject = ", ".join(one.name for one in group[:4])
        said = f"{subject} {'holds' if len(group) == 1 else 'hold'} {text}"
        yield Cause(name, said, fix, evidence, cured or name != _UNKNOWN)


def forget_bias(case: Case) -> Iterator[Cause]:
    """A constant that the old cell adds to a gate as it runs, and that no table put into the new bias.

    The bias is what the conversion says; it is the table that is wrong.
    """
    if case.first.place == "before" or case.mains[0].op not in LOOPS or any(_wrong(case)):
        return
    for name in _biases(case):
        value = case.variable(1, name)
        for constant in _added(case):
            for gate in range(4):
                fed = value.reshape(4, -1).copy()
                fed[gate] += constant
                if case.cured({name: fed.reshape(value.shape)}):
                    text = f"{name} is without the {constant:.3g} that the old cell adds to a gate"
                    fix = "convert again with a kind that adds it, such as lstm_cell of kinds/rnn"
                    yield Cause("forget bias", text, fix, "with it added the layer agrees")
                    return


def _biases(case: Case) -> list[str]:
    """The new variables of the layer that hold one number for each of four gates' units."""
    names = [name for pair in case.walk.layers[case.uses[0].layer].pairs for name in pair.new]
    values = {name: case.variable(1, name) for name in names}
    return [name for name, value in values.items() if value.ndim == 1 and value.size % 4 == 0]


def _added(case: Case) -> list[float]:
    """The numbers that the old graph adds to something."""
    nodes = {node.name: node for node in case.walk.running[0].side.nodes}
    found: dict[float, None] = {}
    for node in nodes.values():
        if node.op in ("Add", "AddV2"):
            for name in node.inputs:
                value = getattr(nodes.get(name), "attributes", {}).get("value")
                if isinstance(value, np.ndarray) and value.shape == () and value.dtype.kind == "f" and value:
                    found[float(value)] = None
    return list(found)[:_MOST_ADDED]


def _wrong(case: Case) -> Iterator[Held]:
    """The variables of the layer and of those with its name, such as the bias of its kernel."""
    layers = [layer for layer in case.walk.layers if layer.name == case.first.layer.name]
    for layer in layers:
        for pair in layer.pairs:
            for name in pair.new:
                wanted = case.expected(name)
                if wanted is not None and not np.array_equal(wanted, case.variable(1, name)):
                    yield Held(name, pair.old, case.variable(1, name), wanted)


def _named(case: Case, one: Held) -> tuple[str, tuple[str, str]]:
    """The cause's name, what the variable holds and what to do."""
    for look in (_of_another, _average, _zeroed, _turned, _gates, _forget, _reversed, _scaled):
        found = look(case, one)
        if found is not None:
            return found
    return _UNKNOWN, (
        "a value that the conversion does not give it",
        "is this the checkpoint that was converted?",
    )


Said = tuple[str, tuple[str, str]]


def _zeroed(_: Case, one: Held) -> Said | None:
    if one.value.any() or not one.wanted.any():
        return None
    name = "zeroed bias" if one.value.ndim == 1 or one.name.endswith("bias") else "zeroed values"
    return name, ("zeros in place of the old value", "see what the conversion reports of it: was it initialized anew?")


def _turned(_: Case, one: Held) -> Said | None:
    for order in permutations(range(one.wanted.ndim)):
        turned = np.transpose(one.wanted, order)
        if order != tuple(range(one.wanted.ndim)) and _same(turned, one.value) and not _same(one.wanted, one.value):
            return "transposed kernel", (f"the value with its axes in the order {order}", _AGAIN)
    if one.wanted.size == one.value.size and any(_same(turned, one.value) for turned in _as_matrices(one)):
        return "transposed kernel", ("the value with its axes reversed, read into another shape", _AGAIN)
    return None


def _as_matrices(one: Held) -> Iterator[Array]:
    """The wanted value with its axes reversed, and as the transposed matrix that it is of some of its axes (heads)."""
    yield one.wanted.T.reshape(one.value.shape)
    for axis in range(1, one.wanted.ndim):
        yield one.wanted.reshape(int(np.prod(one.wanted.shape[:axis])), -1).T.reshape(one.value.shape)


def _average(case: Case, one: Held) -> Said | None:
    """A checkpoint holds the raw weight under the variable's own name, and its average beside it."""
    if _holds_stored(case, one, ""):
        return "raw weights in place of moving averages", (
            f"the raw value of {one.old}",
            "convert without --ema ignore",
        )
    if _holds_stored(case, one, _AVERAGE):
        return "moving averages in place of raw weights", (f"the average of {one.old}", "convert with --ema ignore")
    return None


def _holds_stored(case: Case, one: Held, ending: str) -> bool:
    """Whether a variable holds what the conversion makes of the stored values whose names end so."""
    stored = case.known.checkpoint
    names = {name: f"{name}{ending}" for name in one.sources if f"{name}{ending}" in stored}
    made = case.known.remake(one.name, {name: stored[held] for name, held in names.items()})
    if made is None and one.old in names:
        made = stored[names[one.old]]
    return made is not None and _same(made, one.value)


def _of_another(case: Case, one: Held) -> Said | None:
    if not one.value.size or (one.value == one.value.flat[0]).all():
        return None
    for layer in case.walk.layers:
        for pair in layer.pairs:
            for name in pair.new:
                wanted = case.expected(name) if name != one.name and _shape(case, name) == one.value.shape else None
                if wanted is not None and _same(wanted, one.value):
                    return "swapped layers", (f"what {name} should hold", _AGAIN)
    return None


def _shape(case: Case, name: str) -> tuple[int, ...]:
    return next(one.shape for one in case.walk.running[1].side.variables if one.name == name)


def _gates(_: Case, one: Held) -> Said | None:
    for count in _GATES:
        if one.wanted.shape != one.value.shape or not one.value.ndim or one.value.shape[-1] % count:
            continue
        blocks = np.split(one.wanted, count, axis=-1)
        for order in permutations(range(count)):
            if order != tuple(range(count)) and _same(np.concatenate([blocks[at] for at in order], -1), one.value):
                return "gate order", (f"the gates in the order {order}", _AGAIN)
    return None


def _forget(_: Case, one: Held) -> Said | None:
    """A constant that is added to one of four gates: TF1's cells add ``forget_bias`` as they run, Keras stores it."""
    if one.wanted.shape != one.value.shape or one.value.ndim != 1 or one.value.size % 4:
        return None
    apart = np.split((one.wanted.astype(np.float64) - one.value), 4)
    off = [at for at, block in enumerate(apart) if np.abs(block).max() > 1e-6]
    if len(off) != 1 or np.ptp(apart[off[0]]) > 1e-5:
        return None
    constant = float(apart[off[0]].mean())
    return "forget bias", (f"the bias without the {constant:.3g} that the old cell adds to a gate", _AGAIN)


def _reversed(_: Case, one: Held) -> Said | None:
    if one.wanted.ndim != 4 or not _same(one.wanted[:, :, ::-1], one.value):
        return None
    return "channel order", ("the value with its input channels reversed: BGR in place of RGB", _AGAIN)


def _scaled(_: Case, one: Held) -> Said | None:
    if one.wanted.shape != one.value.shape or not one.wanted.any():
        return None
    if (one.value == one.value.flat[0]).all():
        return None  # a constant is not a multiple of anything: it was never trained
    factor = float((one.value.astype(np.float64) * one.wanted).sum() / np.square(one.wanted.astype(np.float64)).sum())
    if not factor or not np.allclose(one.value, factor * one.wanted, rtol=1e-5, atol=1e-7):
        return None
    return "scaled values", (f"the value times {factor:.6g}", _AGAIN)


def _same(left: Array, right: Array) -> bool:
    return left.shape == right.shape and bool(np.array_equal(left, right))
