"""The first layer that differs: what enters each layer is compared, in the order of the old graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.basics.errors import CkptmapError
from ckptmap.tf.verify.layers.anatomy import LOOPS, Anatomy, loops
from ckptmap.tf.verify.layers.branches import find_dead
from ckptmap.tf.verify.layers.measure import relative
from ckptmap.tf.verify.layers.pairing import SUMS, Layer, Pair, Use, Uses, find_layers

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.side import Running

    Array = np.ndarray[Any, Any]

Feeds = Mapping[str, "Array"]
Entered = Mapping[tuple[int, int], tuple[float, tuple[str, str]]]
"""By use, how far apart what enters it is, and the tensors of both sides that are farthest apart."""
_SAME = (0.0, ("", ""))
_MENDED = 10.0
"""How many times nearer a layer's results are than what enters it, if it makes up for that."""
_AT_ONCE = 24
"""Layers whose tensors are held at a time."""


@dataclass(frozen=True, slots=True)
class Step:
    """One layer in the order of the old graph, and how far apart the sides are behind it, in units of the spread.

    ``relative`` is infinite where the shapes differ, None where nothing could be compared. ``name`` is the scope of the
    layer's old variables, or an output's name.
    """

    name: str
    op: str
    variables: tuple[str, ...]
    relative: float | None
    is_output: bool = False


@dataclass(frozen=True, slots=True)
class First:
    """Where the models part.

    ``place``: ``layer`` (its result differs), ``after`` (its result agrees, what follows before the next layer does
    not) or ``before`` (what reaches it differs and no layer lies before). ``boundary`` names the tensors of both sides
    behind it that differ; ``old`` and ``new`` are the uses of the layer.
    """

    layer: Layer
    place: str
    relative: float
    old: Use
    new: Use
    boundary: tuple[str, str]

    @property
    def text(self) -> str:
        """Where, for people."""
        said = {"layer": "", "after": "after ", "before": "before "}[self.place]
        return f"{said}{self.layer.name} ({self.old.main.op})"


class Walk:
    """Both sides on the same input, with their layers paired.

    ``reordered``: uses that add up in another order on both sides, whose results say nothing.
    """

    def __init__(
        self, old: Running, new: Running, pairs: Sequence[Pair], feeds: tuple[Feeds, Feeds], tolerance: float
    ) -> None:
        self.running = old, new
        self.feeds = feeds
        self.tolerance = tolerance
        self.reordered: frozenset[tuple[int, int]] = frozenset()
        anatomies = _anatomy(old, feeds[0]), _anatomy(new, feeds[1])
        self.layers = find_layers(*anatomies, pairs)
        old_numbers = {name: at for at, layer in enumerate(self.layers) for name in layer.old}
        new_numbers = {name: at for at, layer in enumerate(self.layers) for name in layer.new}
        self.old, self.new = Uses(anatomies[0], old_numbers), Uses(anatomies[1], new_numbers)
        if not self.old.uses.keys() & self.new.uses.keys():
            raise CkptmapError(
                "the two models have no layer in common",
                hint="the mapping pairs variables by name: are these the models of the conversion?",
            )

    def with_tolerance(self, tolerance: float) -> Walk:
        """The same, where more counts as rounding."""
        other = copy(self)
        other.tolerance, other.reordered = tolerance, frozenset()
        return other

    def both(self) -> list[tuple[Use, Use]]:
        """The uses that both sides have, in the order of the old graph."""
        found = [(use, self.new.uses[key]) for key, use in self.old.uses.items() if key in self.new.uses]
        return sorted(found, key=lambda pair: pair[0].place)

    def fetch(self, side: int, tensors: Iterable[str], more: Feeds | None = None) -> dict[str, Array]:
        """The values of tensors of the old (0) or the new side (1); ``more`` is fed besides the inputs."""
        wanted = list(dict.fromkeys(tensors))
        return self.running[side].run({**self.feeds[side], **(more or {})}, wanted) if wanted else {}


def _anatomy(running: Running, feeds: Feeds) -> Anatomy:
    """The graph as it runs on ``feeds``: without the branches that are not taken."""
    looping = loops({node.name: node for node in running.side.nodes})
    return Anatomy(running.side, find_dead(running, feeds, looping))


def walk(
    walk: Walk, outputs: Sequence[tuple[str, str]], say: Callable[[str], None]
) -> tuple[tuple[Step, ...], First | None]:
    """Compare what enters each layer, and ``outputs`` (tensors of both sides); where the models part first."""
    entered = dict(_entered(walk, say))
    reordered = _in_another_order(walk, entered, outputs)
    walk.reordered = frozenset(reordered)
    entered |= reordered
    first = _first_of_layers(walk, entered) or _first_of_outputs(walk, outputs)
    return tuple(_steps(walk, entered, outputs)), first


def _entered(walk: Walk, say: Callable[[str], None]) -> Iterator[tuple[tuple[int, int], tuple[float, tuple[str, str]]]]:
    """For each use that both sides have, how far apart the tensors that enter are, and which of them most."""
    pairs = walk.both()
    for start in range(0, len(pairs), _AT_ONCE):
        block = pairs[start : start + _AT_ONCE]
        say(f"comparing layers {start + 1} to {start + len(block)} of {len(pairs)}")
        left = walk.fetch(0, (name for old, _ in block for name in old.entering))
        right = walk.fetch(1, (name for _, new in block for name in new.entering))
        for old, new in block:
            found = list(_compared(old, new, (left, right), walk.tolerance))
            if walk.layers[old.layer].is_split:
                found = [one for one in found if np.isfinite(one[0])]
            if found:
                yield old.key, max(found, key=lambda item: item[0])


def _compared(
    old: Use, new: Use, values: tuple[Feeds, Feeds], tolerance: float
) -> Iterator[tuple[float, tuple[str, str]]]:
    """What enters on both sides, one by one; into loops, each with the nearest of its size."""
    if len(old.entering) == len(new.entering) and old.main.op not in LOOPS:
        for one, other in zip(old.entering, new.entering, strict=True):
            yield relative(values[0][one], values[1][other], tolerance), (one, other)
        return
    for one in old.entering:
        alike = [other for other in new.entering if values[1][other].size == values[0][one].size]
        found = [(relative(values[0][one], values[1][other], tolerance), (one, other)) for other in alike]
        if found:
            yield min(found, key=lambda item: item[0])


def _in_another_order(walk: Walk, entered: Entered, outputs: Sequence[tuple[str, str]]) -> Entered:
    """Of variables that are added to something: what enters differs where one side adds up in another order.

    What the sum reaches first agrees then, and how far that is apart is what is said of it.
    """
    sums = [old for old, _ in walk.both() if old.main.op in SUMS and entered.get(old.key, _SAME)[0] > walk.tolerance]
    if not sums:
        return {}
    behind: dict[tuple[int, int], float] = {}
    for old, _ in walk.both():
        for use in walk.old.before(old.entering, old):
            behind.setdefault(use.key, entered.get(old.key, _SAME)[0])
    left, right = walk.fetch(0, (one for one, _ in outputs)), walk.fetch(1, (other for _, other in outputs))
    for one, other in outputs:
        for use in walk.old.before((one,)):
            behind.setdefault(use.key, relative(left[one], right[other], walk.tolerance))
    found = {old.key: behind.get(old.key, np.inf) for old in sums}
    return {key: (apart, ("", "")) for key, apart in found.items() if apart <= walk.tolerance}


def _first_of_layers(walk: Walk, entered: Entered) -> First | None:
    for old, new in walk.both():
        apart, boundary = entered.get(old.key, _SAME)
        if apart > walk.tolerance and not _is_mended(walk, old, new, apart):
            before = [use for use in walk.old.before((boundary[0],), old) if use.key in walk.new.uses]
            if not before:
                return First(walk.layers[old.layer], "before", apart, old, new, boundary)
            return _guilty(walk, before, apart, boundary)
    return None


def _is_mended(walk: Walk, old: Use, new: Use, apart: float) -> bool:
    """Whether a layer makes up for what enters it: a scale that the conversion moved into its kernel."""
    if not old.result or not new.result or not np.isfinite(apart):
        return False
    left, right = walk.fetch(0, (old.result,))[old.result], walk.fetch(1, (new.result,))[new.result]
    return relative(left, right, walk.tolerance) <= min(walk.tolerance, apart / _MENDED)


def _first_of_outputs(walk: Walk, outputs: Sequence[tuple[str, str]]) -> First | None:
    left = walk.fetch(0, (one for one, _ in outputs))
    right = walk.fetch(1, (other for _, other in outputs))
    for one, other in outputs:
        apart = relative(left[one], right[other], walk.tolerance)
        before = [use for use in walk.old.before((one,)) if use.key in walk.new.uses]
        if apart > walk.tolerance and before:
            return _guilty(walk, before, apart, (one, other))
    return None


def _guilty(walk: Walk, before: Sequence[Use], apart: float, boundary: tuple[str, str]) -> First:
    """Which of the layers before a difference makes it; where all their results agree, what follows the last."""
    telling = [use for use in before if use.key not in walk.reordered]
    pairs = [(use, walk.new.uses[use.key]) for use in telling or before]
    left = walk.fetch(0, (old.result for old, _ in pairs if old.result))
    right = walk.fetch(1, (new.result for _, new in pairs if new.result))
    unknown: tuple[Use, Use] | None = None
    for old, new in pairs:
        if not old.result or not new.result or _is_of_parts(walk, old, left[old.result], right[new.result]):
            unknown = unknown or (old, new)
            continue
        found = relative(left[old.result], right[new.result], walk.tolerance)
        if found > walk.tolerance:
            return First(walk.layers[old.layer], "layer", found, old, new, (old.result, new.result))
    if unknown is not None:
        return First(walk.layers[unknown[0].layer], "layer", apart, *unknown, boundary)
    return First(walk.layers[pairs[-1][0].layer], "after", apart, *pairs[-1], boundary)


def _is_of_parts(walk: Walk, use: Use, left: Array, right: Array) -> bool:
    """Whether one side gives at once what the other gives in parts."""
    return walk.layers[use.layer].is_split and left.size != right.size


def _steps(walk: Walk, entered: Entered, outputs: Sequence[tuple[str, str]]) -> Iterator[Step]:
    for old, _ in walk.both():
        layer = walk.layers[old.layer]
        yield Step(layer.name, old.main.op, layer.old, entered[old.key][0] if old.key in entered else None)
    left = walk.fetch(0, (one for one, _ in outputs))
    right = walk.fetch(1, (other for _, other in outputs))
    for one, other in outputs:
        yield Step(one.removesuffix(":0"), "", (), relative(left[one], right[other], walk.tolerance), is_output=True)
