"""Which pairs are sure. A pair is sure where every other way to pair its two layers is shut out by evidence.

The evidence is: shapes that nothing else fits; words that both names have and the rival's do not; a rule of numbers
that explains a whole group; an order that known pairs on either side of it fix. Words that were learned from the pairs
themselves are never evidence here, and a spare layer of the same shape is always a rival.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ckptmap.suggest.model import Pair
from ckptmap.suggest.numbering import explained, template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ckptmap.suggest.matching import Evidence
    from ckptmap.suggest.model import Layer

_MARGIN = 0.15
"""By how much the words must speak against exchanging two layers' partners."""
_COVERED = 0.9
_RULE = 6
_WELL = 0.9
"""How well the shapes of a sure pair fit: no leaf of the old layer is left."""


@dataclass(frozen=True)
class _Known:
    """What every judgement needs: the evidence, partners both ways (-1 for none), templates, which rules hold."""

    evidence: Evidence
    old: Sequence[Layer]
    new: Sequence[Layer]
    partner: NDArray[np.intp]
    group: NDArray[np.intp]
    """For each old layer the number of the group of pairs that differ in numbers only; -1 without a partner."""
    firm: NDArray[np.bool_]
    """For each group whether a rule of numbers explains it."""


def judge(old: Sequence[Layer], new: Sequence[Layer], evidence: Evidence) -> tuple[Pair, ...]:
    """The pairs, each sure or doubtful, with the reason."""
    known = _known(old, new, evidence)
    enough = all(share >= _COVERED for share in coverage(old, new, evidence.pairs))
    found = {one: _judged(one, other, known) for one, other in evidence.pairs.items()}
    found |= _following(found, known)
    if enough:
        return tuple(found[one] for one in sorted(found))
    return tuple(_doubted(found[one]) for one in sorted(found))


def coverage(old: Sequence[Layer], new: Sequence[Layer], pairs: dict[int, int]) -> tuple[float, float]:
    """The share of the variables of each side whose layers have a partner."""
    return _share(old, set(pairs)), _share(new, set(pairs.values()))


def _share(layers: Sequence[Layer], taken: set[int]) -> float:
    whole = sum(len(layer.leaves) for layer in layers)
    return sum(len(layers[at].leaves) for at in taken) / whole if whole else 0.0


def _doubted(pair: Pair) -> Pair:
    if not pair.sure:
        return pair
    return Pair(pair.old, pair.new, why="too much is left over on one side to trust any pair", rival=pair.rival)


def _known(old: Sequence[Layer], new: Sequence[Layer], evidence: Evidence) -> _Known:
    partner = np.full(len(old), -1)
    groups: dict[tuple[str, str, tuple[str, ...]], list[int]] = defaultdict(list)
    for one, other in evidence.pairs.items():
        partner[one] = other
        kind = tuple(sorted(old[one].leaves))
        groups[template(old[one].scope), template(new[other].scope), kind].append(one)
    group = np.full(len(old), -1)
    firm = np.zeros(len(groups), bool)
    for number, members in enumerate(groups.values()):
        group[members] = number
        firm[number] = explained([(old[one].scope, new[int(partner[one])].scope) for one in members], _RULE)
    return _Known(evidence, old, new, partner, group, firm)


def _judged(one: int, other: int, known: _Known) -> Pair:
    evidence = known.evidence
    if evidence.fits[one, other] < _WELL**2:
        return Pair(one, other, why="the old layer has a variable that the new one lacks")
    rivals_new = np.flatnonzero(evidence.fits[one] > 0)
    rivals_old = np.flatnonzero(evidence.fits[:, other] > 0)
    if len(rivals_new) == len(rivals_old) == 1:
        return Pair(one, other, sure=True, why="nothing else has these shapes")
    taken = set(evidence.pairs.values())
    spare_new = [int(at) for at in rivals_new if at not in taken]
    spare_old = [int(at) for at in rivals_old if known.partner[at] < 0]
    if spare_new:
        return Pair(one, other, why="a layer of the same shape is left over", rival=known.new[spare_new[0]].scope)
    if spare_old:
        return Pair(one, other, why="a layer of the same shape is left over", rival=known.old[spare_old[0]].scope)
    return _against_rivals(one, other, known, rivals_old, rivals_new)


def _against_rivals(
    one: int, other: int, known: _Known, rivals_old: NDArray[np.intp], rivals_new: NDArray[np.intp]
) -> Pair:
    evidence = known.evidence
    owner = {new: old for old, new in evidence.pairs.items()}
    rivals = np.unique(np.concatenate([rivals_old, [owner[int(at)] for at in rivals_new]]).astype(int))
    rivals = rivals[rivals != one]
    theirs = known.partner[rivals]
    words = evidence.words
    own = words[one, other]
    margin = own + words[rivals, theirs] - words[one, theirs] - words[rivals, other]
    named = (margin >= _MARGIN) & (words[one, theirs] <= own) & (words[rivals, other] <= own)
    ruled = (known.group[rivals] == known.group[one]) & known.firm[known.group[one]]
    open_rivals = np.flatnonzero(~(named | ruled))
    if not len(open_rivals):
        return Pair(one, other, sure=True, why=_reason(named, ruled))
    worst = open_rivals[np.argmin(margin[open_rivals])]
    rival = known.old[int(rivals[worst])].scope
    return Pair(
        one,
        other,
        why=_missing(float(margin[worst]), bool(known.group[rivals[worst]] == known.group[one])),
        rival=rival,
    )


def _reason(named: NDArray[np.bool_], ruled: NDArray[np.bool_]) -> str:
    if named.all():
        return "the names say it"
    return "a rule of numbers explains the whole group" if ruled.all() else "names and a rule of numbers say it"


def _missing(margin: float, same_group: bool) -> str:
    if margin < 0:
        return "a layer of the same shape has the better name"
    if same_group:
        return "layers of the same shape differ in numbers that no rule explains"
    return "a layer of the same shape is not told apart by its name"


def _following(found: dict[int, Pair], known: _Known) -> dict[int, Pair]:
    """Norms that are sure because the layers that they follow are."""
    evidence = known.evidence
    followers: dict[int, int] = defaultdict(int)
    for owner in (*evidence.old_owner,):
        followers[int(owner)] += 1
    changed = {}
    for one, pair in found.items():
        owner, others = int(evidence.old_owner[one]), int(evidence.new_owner[pair.new])
        firm = evidence.old_firm[one] and evidence.new_firm[pair.new]
        if pair.sure or owner < 0 or owner not in found or followers[owner] != 1 or not firm:
            continue
        single = int((evidence.new_owner == others).sum()) == 1
        if found[owner].sure and found[owner].new == others and single and evidence.fits[one, pair.new] >= _WELL**2:
            changed[one] = Pair(one, pair.new, sure=True, why="the layer that it normalizes is sure")
    return changed
