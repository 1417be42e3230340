"""The walk and the causes together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.tf.verify.layers.causes import Case, Cause, Known, find_causes
from ckptmap.tf.verify.layers.walking import Feeds, First, Step, Walk, walk
from ckptmap.tf.verify.measuring import ROUNDING

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.side import Running
    from ckptmap.tf.verify.layers.pairing import Pair


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where two models part and why. ``steps``: every layer of the old graph that the new one has, then the outputs."""

    steps: tuple[Step, ...]
    first: First | None
    causes: tuple[Cause, ...]


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
    return Explanation(steps, first, find_causes(Case(both, first, known or Known())))
