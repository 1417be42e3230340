"""The doubtful choices put to the user one by one; each answer is a fact for all that is still open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ckptmap.suggest.numbering import template
from ckptmap.suggest.shapes import layers_fit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ckptmap.suggest.layer_values import Layer, Matched, Pair


class Choice(Enum):
    """What can be answered beside the name of another new layer."""

    YES = "y"
    ALIKE = "a"
    """This pair, and all other doubtful ones whose names differ from it in numbers only."""
    RIVAL = "r"
    SKIP = "s"
    STOP = "q"


@dataclass(frozen=True, slots=True)
class Question:
    """A doubtful pair as the user sees it."""

    old: str
    new: str
    shapes: str
    """The leaves of the old layer with their shapes."""
    why: str
    rival: str
    """The new layer that is the runner-up; empty for none."""
    alike: int
    """How many doubtful pairs differ from this one in numbers only, this one counted."""
    open: int
    """How many doubtful pairs there are."""
    refused: str = ""
    """Why the last answer to this question cannot be; empty for none."""


Ask = Callable[[Question], "Choice | str"]
"""Answers a question: a choice, or the name of the new layer that the old one becomes."""


def settled(matched: Matched, again: Callable[[Mapping[int, int]], Matched], ask: Ask) -> Matched:
    """The pairs after all doubtful ones have been asked; ``again`` pairs anew with what is settled.

    What an answer makes sure is not asked any more.
    """
    pins: dict[int, int] = {}
    skipped: set[int] = set()
    refused = ""
    while True:
        doubtful = [pair for pair in matched.pairs if not pair.sure and pair.old not in skipped]
        if not doubtful:
            return matched
        pair = doubtful[0]
        answer = ask(_question(pair, doubtful, matched, refused))
        refused = ""
        if answer is Choice.STOP:
            return matched
        if answer is Choice.SKIP:
            skipped.add(pair.old)
            continue
        chosen = _chosen(answer, pair, doubtful, matched)
        refused = chosen if isinstance(chosen, str) else _impossible(chosen, pins, matched)
        if not refused and not isinstance(chosen, str):
            pins |= chosen
            matched = again(pins)


def _question(pair: Pair, doubtful: Sequence[Pair], matched: Matched, refused: str) -> Question:
    old, new = matched.old[pair.old], matched.new[pair.new]
    at = _rival(pair, matched)
    rival = matched.new[at].scope if at >= 0 else ""
    count = len(_alike(pair, doubtful, matched))
    return Question(old.scope, new.scope, old.shapes, pair.why, rival, count, len(doubtful), refused)


def _rival(pair: Pair, matched: Matched) -> int:
    """The new layer that is the runner-up, if the old one can become it; else -1."""
    at = pair.rival_new
    return at if at >= 0 and _fits(matched.old[pair.old], matched.new[at]) else -1


def _alike(pair: Pair, doubtful: Sequence[Pair], matched: Matched) -> list[Pair]:
    return [one for one in doubtful if _names(one, matched) == _names(pair, matched)]


def _names(pair: Pair, matched: Matched) -> tuple[str, str, bool]:
    old, new = matched.old[pair.old], matched.new[pair.new]
    return template(old.scope), template(new.scope), old.is_norm


def _chosen(answer: Choice | str, pair: Pair, doubtful: Sequence[Pair], matched: Matched) -> dict[int, int] | str:
    """The pairs that an answer settles, or why it says none."""
    if answer is Choice.YES:
        return {pair.old: pair.new}
    if answer is Choice.ALIKE:
        return {one.old: one.new for one in _alike(pair, doubtful, matched)}
    if answer is Choice.RIVAL:
        rival = _rival(pair, matched)
        return {pair.old: rival} if rival >= 0 else "there is no runner-up among the new layers"
    return _by_name(str(answer), pair, matched.old[pair.old], matched.new)


def _by_name(name: str, pair: Pair, old: Layer, new: Sequence[Layer]) -> dict[int, int] | str:
    named = [at for at, layer in enumerate(new) if name in (layer.scope, layer.key)]
    fitting = [at for at in named if _fits(old, new[at])]
    if fitting:
        return {pair.old: fitting[0]}
    return f"{name} has other shapes" if named else f"no new layer is called {name}"


def _fits(old: Layer, new: Layer) -> bool:
    return layers_fit(old, new) > 0


def _impossible(chosen: Mapping[int, int], pins: Mapping[int, int], matched: Matched) -> str:
    """Why pairs cannot be settled beside those that are."""
    owner = {other: one for one, other in pins.items()}
    taken = next((other for one, other in chosen.items() if owner.get(other, one) != one), None)
    if taken is None:
        return ""
    return f"{matched.new[taken].scope} is settled: it comes from {matched.old[owner[taken]].scope}"
