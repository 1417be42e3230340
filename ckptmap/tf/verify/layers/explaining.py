"""The walk and the causes together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ckptmap.tf.verify.layers.causes import Case, Cause, Known, find_causes
from ckptmap.tf.verify.layers.walking import Feeds, First, Step, Walk, walk
from ckptmap.tf.verify.measuring import ROUNDING

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.side import Running
    from ckptmap.tf.verify.layers.pairing import Pair


_FAR = 30.0
"""How many times larger a later difference must be to count beside the first."""
_MOST = 0.1
"""Of the spread: behind a larger difference nothing can be told apart."""


@dataclass(frozen=True, slots=True)
class Larger:
    """A later place where the models part by far more than at the first one, and the proven causes."""

    first: First
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where two models part and why. ``steps``: every layer of the old graph that the new one has, then the outputs.

    ``larger``: a small difference must not hide a large one that comes after it. A first one that is near rounding and
    has no proven cause gives its place to the larger one.
    """

    steps: tuple[Step, ...]
    first: First | None
    causes: tuple[Cause, ...]
    larger: tuple[Larger, ...] = ()


def explain(
    old: Running,
    new: Running,
    pairs: Sequence[Pair],
    feeds: tuple[Feeds, Feeds],
    outputs: Sequence[tuple[str, str]],
    *,
    known: Known | None = None,
    tolerance: float = ROUNDING,
    say: Callable[[str], None] = lambda _: None,
) -> Explanation:
    """Find the first layer that differs, and why.

    Args:
        old, new: both sides, running.
        pairs: which variables became which.
        feeds: the input of each side, by tensor.
        outputs: pairs of tensors that should agree.
        known: what the conversion makes of the old values, and what else the old checkpoint holds.
        tolerance: what is no difference, in units of a tensor's spread.
        say: called with what is going on.

    Raises CkptmapError where the models have no layer in common, or cannot be run.
    """
    both = Walk(old, new, pairs, feeds, tolerance)
    steps, first = walk(both, outputs, say)
    if first is None:
        return Explanation(steps, None, ())
    say(f"looking for the cause at {first.text}")
    found = Explanation(steps, first, find_causes(Case(both, first, known or Known())))
    larger = tuple(_larger(both, found, outputs, known or Known(), say))
    near_rounding = first.relative <= _FAR * tolerance and not any(cause.proven for cause in found.causes)
    if larger and near_rounding:
        return Explanation(steps, larger[0].first, larger[0].causes, larger[1:])
    return replace(found, larger=larger)


def _larger(
    both: Walk, found: Explanation, outputs: Sequence[tuple[str, str]], known: Known, say: Callable[[str], None]
) -> Iterator[Larger]:
    """What is found when nothing counts that is as small as the difference before.

    A difference grows by itself from layer to layer, so only what has a cause of its own that is proven is told.
    """
    told = {cause.text for cause in found.causes}
    steps, first = found.steps, found.first
    while first is not None:
        tolerance = _FAR * max(first.relative, both.tolerance)
        if tolerance > _MOST or not any(step.relative is not None and step.relative > tolerance for step in steps):
            return
        both = both.with_tolerance(tolerance)
        steps, first = walk(both, outputs, say)
        causes = find_causes(Case(both, first, known)) if first is not None else ()
        causes = tuple(cause for cause in causes if cause.proven and cause.text not in told)
        if first is not None and causes:
            told |= {cause.text for cause in causes}
            yield Larger(first, causes)
