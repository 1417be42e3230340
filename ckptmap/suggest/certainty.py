"""Which pairs are sure. A pair is sure where every other way to pair its two layers is shut out by evidence.

The evidence is: shapes that nothing else fits; words that both names have and the rival's do not; a rule of numbers
that explains a whole group; the flow of data, against an order that follows it or against the other side's. Words that
were learned from the pairs themselves are never evidence here, and a spare layer of the same shape is always a rival.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ckptmap.suggest.layer_values import Pair
from ckptmap.suggest.numbering import explained, numbers, template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ckptmap.suggest.layer_matching import Evidence
    from ckptmap.suggest.layer_values import Layer

_MARGIN = 0.15
"""By how much the words must speak against exchanging two layers' partners."""
_COVERED = 0.9
_RULE = 6
_AGREEING = 10
"""How many sure pairs, two and two, have to lie in a run as the data flows before its order is trusted."""
_SAME_GRAPH = 0.95
"""What share of the pairs must have one color before the two graphs count as the same."""
_LIKE = 3
"""How many like it must have partners before a layer without one is a gap."""
_WELL = 0.9
"""How well the shapes of a sure pair fit: no leaf of the old layer is left."""
_SPARE = "a layer of the same shape is left over"
ANSWERED = "as you answered"
"""Why a pair is sure that the user has settled."""


@dataclass(frozen=True)
class _Known:
    """What every judgment needs: the evidence, partners both ways (-1 for none), templates, which rules hold."""

    evidence: Evidence
    old: Sequence[Layer]
    new: Sequence[Layer]
    partner: NDArray[np.intp]
    owner: NDArray[np.intp]
    """For each new layer the old one that it is paired with; -1 for none."""
    group: NDArray[np.intp]
    """For each old layer the number of the group of pairs that differ in numbers only; -1 without a partner."""
    firm: NDArray[np.bool_]
    """For each group whether a rule of numbers explains it."""
    equal: NDArray[np.bool_]
    """For each group whether each pair of it has a name that is the end of the other."""
    placed: tuple[NDArray[np.intp], ...] = ()
    """For each run whose order can be trusted, the place of each new layer in it; -1 for those outside."""


def judge(
    old: Sequence[Layer], new: Sequence[Layer], evidence: Evidence, pins: Mapping[int, int] | None = None
) -> tuple[Pair, ...]:
    """The pairs, each sure or doubtful, with the reason; those of ``pins``, which the user has settled, are sure."""
    found = _judged_all(old, new, evidence)
    answered = {one: Pair(one, other, sure=True, why=ANSWERED) for one, other in (pins or {}).items()}
    return tuple(answered.get(pair.old, pair) for pair in found)


def _judged_all(old: Sequence[Layer], new: Sequence[Layer], evidence: Evidence) -> tuple[Pair, ...]:
    known = _known(old, new, evidence)
    enough = all(share >= _COVERED for share in coverage(old, new, evidence.pairs))
    found = {one: _judged(one, other, known) for one, other in evidence.pairs.items()}
    placed = _trusted(known, found)
    if placed:
        known = replace(known, placed=placed)
        found = {one: _judged(one, other, known) for one, other in evidence.pairs.items()}
    found |= _following(found, known)
    gap = broken_run(old, new, evidence)
    if enough and not gap:
        return tuple(found[one] for one in sorted(found))
    why = f"{gap} is left over among similar layers" if gap else "too much is left over to trust any pair"
    return tuple(_doubted(found[one], why) for one in sorted(found))


def broken_run(old: Sequence[Layer], new: Sequence[Layer], evidence: Evidence) -> str:
    """A layer without a partner whose like, counted by numbers, have some; empty where there is none.

    So is a norm without one whose layer has one, and an old layer whose results reach layers with partners. Such a gap
    shows two models that are not the same. What nothing else in the old graph takes the results of is none.
    """
    taken_old, taken_new = set(evidence.pairs), set(evidence.pairs.values())
    new_gaps = _gaps(new, taken_new, evidence.new_owner, evidence.new_firm)
    old_gaps = [at for at in _gaps(old, taken_old, evidence.old_owner, evidence.old_firm) if not _is_dead(at, evidence)]
    if evidence.earlier is not None:
        old_gaps += [at for at in _left(old, taken_old) if not _is_dead(at, evidence)]
    return next((layers[at].scope for layers, gaps in ((new, new_gaps), (old, old_gaps)) for at in gaps), "")


def _gaps(layers: Sequence[Layer], taken: set[int], owner: NDArray[np.intp], firm: NDArray[np.bool_]) -> list[int]:
    groups = Counter(_like(layers[at]) for at in taken)
    return [
        at
        for at in _left(layers, taken)
        if groups[_like(layers[at])] >= _LIKE or (firm[at] and int(owner[at]) in taken)
    ]


def _left(layers: Sequence[Layer], taken: set[int]) -> list[int]:
    """The layers without a partner; single variables of no known kind aside."""
    return [at for at, layer in enumerate(layers) if at not in taken and "value" not in layer.leaves]


def _like(layer: Layer) -> tuple[str, bool]:
    return template(layer.scope), layer.is_norm


def _is_dead(at: int, evidence: Evidence) -> bool:
    """Whether the results of an old layer reach no other that has a partner, as far as the graph says it."""
    if evidence.earlier is None:
        return False
    return not any(evidence.earlier[at, other] for other in evidence.pairs)


def coverage(old: Sequence[Layer], new: Sequence[Layer], pairs: dict[int, int]) -> tuple[float, float]:
    """The share of the variables of each side whose layers have a partner."""
    return _share(old, set(pairs)), _share(new, set(pairs.values()))


def _share(layers: Sequence[Layer], taken: set[int]) -> float:
    whole = sum(len(layer.leaves) for layer in layers)
    return sum(len(layers[at].leaves) for at in taken) / whole if whole else 0.0


def _doubted(pair: Pair, why: str) -> Pair:
    return replace(pair, sure=False, why=why) if pair.sure else pair


def _known(old: Sequence[Layer], new: Sequence[Layer], evidence: Evidence) -> _Known:
    partner, owner = np.full(len(old), -1), np.full(len(new), -1)
    groups: dict[tuple[str, str, tuple[str, ...]], list[int]] = defaultdict(list)
    for one, other in evidence.pairs.items():
        partner[one], owner[other] = other, one
        kind = tuple(sorted(old[one].leaves))
        groups[template(old[one].scope), template(new[other].scope), kind].append(one)
    group = np.full(len(old), -1)
    firm, equal = np.zeros(len(groups), bool), np.zeros(len(groups), bool)
    for number, members in enumerate(groups.values()):
        group[members] = number
        equal[number] = all(evidence.endings[one, int(partner[one])] > 0 for one in members)
        names = [(old[one].scope, new[int(partner[one])].scope) for one in members]
        firm[number] = explained(names, _RULE) and not _exchangeable(members, old, partner, evidence.fits)
    return _Known(evidence, old, new, partner, owner, group, firm, equal)


def _exchangeable(
    members: Sequence[int], old: Sequence[Layer], partner: NDArray[np.intp], fits: NDArray[np.float32]
) -> bool:
    """Whether two numbers of the old names could change places, and every layer would still find one of its shape.

    Five repeats of five levels are such: a rule that takes one number for the other explains them as well.
    """
    rows = [numbers(old[one].scope) for one in members]
    columns = [sorted({row[at] for row in rows}) for at in range(len(rows[0]))]
    ranks = [[column.index(row[at]) for at, column in enumerate(columns)] for row in rows]
    place = {tuple(rank): one for rank, one in zip(ranks, members, strict=True)}
    for first, column in enumerate(columns):
        for second in range(first + 1, len(columns)):
            same = all(rank[first] == rank[second] for rank in ranks)
            if len(column) > 1 and not same and _fits_exchanged(ranks, place, first, second, members, partner, fits):
                return True
    return False


def _fits_exchanged(
    ranks: Sequence[Sequence[int]],
    place: Mapping[tuple[int, ...], int],
    first: int,
    second: int,
    members: Sequence[int],
    partner: NDArray[np.intp],
    fits: NDArray[np.float32],
) -> bool:
    for rank, one in zip(ranks, members, strict=True):
        turned = list(rank)
        turned[first], turned[second] = rank[second], rank[first]
        other = place.get(tuple(turned))
        if other is None or fits[other, partner[one]] <= 0:
            return False
    return True


def _judged(one: int, other: int, known: _Known) -> Pair:
    evidence = known.evidence
    doubt = _own_doubt(known.old[one], known.new[other], float(evidence.fits[one, other]))
    if doubt:
        return Pair(one, other, why=doubt)
    rivals_new = np.flatnonzero(evidence.fits[one] > 0)
    rivals_old = np.flatnonzero(evidence.fits[:, other] > 0)
    if len(rivals_new) == len(rivals_old) == 1:
        return Pair(one, other, sure=True, why="nothing else has these shapes")
    spare_new = rivals_new[known.owner[rivals_new] < 0]
    spare_old = rivals_old[known.partner[rivals_old] < 0]
    if len(spare_new):
        return Pair(one, other, why=_SPARE, rival_new=int(spare_new[0]))
    if len(spare_old):
        return Pair(one, other, why=_SPARE, rival_old=int(spare_old[0]))
    return _against_rivals(one, other, known, rivals_old, rivals_new)


def _own_doubt(old: Layer, new: Layer, fits: float) -> str:
    """What makes a pair doubtful whatever else there is; empty for nothing."""
    if fits < _WELL**2:
        return "the old layer has a variable that the new one lacks"
    if old.cell:
        return old.cell.doubt
    return next((item.doubt for layer in (old, new) for item in layer.leaves.values() if item.doubt), "")


def _against_rivals(
    one: int, other: int, known: _Known, rivals_old: NDArray[np.intp], rivals_new: NDArray[np.intp]
) -> Pair:
    evidence = known.evidence
    is_rival = np.zeros(len(known.partner), bool)
    is_rival[rivals_old] = is_rival[known.owner[rivals_new]] = True
    is_rival[one] = False
    rivals = np.flatnonzero(is_rival)
    theirs = known.partner[rivals]
    words, ends = evidence.words, evidence.endings
    own = words[one, other] + ends[one, other] * known.equal[known.group[one]]
    others = words[rivals, theirs] + ends[rivals, theirs] * known.equal[known.group[rivals]]
    crossed, back = words[one, theirs] + ends[one, theirs], words[rivals, other] + ends[rivals, other]
    margin = own + others - crossed - back
    named = (margin >= _MARGIN) & (crossed <= own) & (back <= own)
    flows, against = _by_flow(one, other, known, rivals, theirs)
    flows |= _by_color(one, known, rivals)
    ruled = (known.group[rivals] == known.group[one]) & known.firm[known.group[one]]
    open_rivals = np.flatnonzero(against | ~(named | ruled | flows))
    if against.any():
        rival = int(rivals[np.argmax(against)])
        return Pair(one, other, False, "the data flows the other way round", rival, int(known.partner[rival]))
    if not len(open_rivals):
        return Pair(one, other, sure=True, why=_reason(named, ruled, flows))
    worst = open_rivals[np.argmin(margin[open_rivals])]
    rival = int(rivals[worst])
    why = _missing(float(margin[worst]), bool(known.group[rival] == known.group[one]))
    return Pair(one, other, False, why, rival, int(known.partner[rival]))


def _by_flow(
    one: int, other: int, known: _Known, rivals: NDArray[np.intp], theirs: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rivals the flow of data shuts out, and which it speaks for.

    Where the results of one old layer reach another, its partner has the lower number in every order in which layers
    can be made, so that the two cannot have each other's partners.
    """
    shut, against = np.zeros(len(rivals), bool), np.zeros(len(rivals), bool)
    earlier = known.evidence.earlier
    if earlier is None:
        return shut, against
    for place in known.placed:
        if place[other] >= 0:
            there = place[theirs] >= 0
            first = place[other] < place[theirs]
            shut |= there & np.where(first, earlier[one, rivals], earlier[rivals, one])
            against |= there & np.where(first, earlier[rivals, one], earlier[one, rivals])
    return shut, against


def _by_color(one: int, known: _Known, rivals: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which rivals lie elsewhere in two graphs that are the same."""
    evidence = known.evidence
    if evidence.old_color is None or evidence.new_color is None:
        return np.zeros(len(rivals), bool)
    mine = known.partner >= 0
    equal = np.zeros(len(mine), bool)
    equal[mine] = evidence.old_color[mine] == evidence.new_color[known.partner[mine]]
    if not equal[one] or equal[mine].mean() < _SAME_GRAPH:
        return np.zeros(len(rivals), bool)
    found: NDArray[np.bool_] = equal[rivals] & (evidence.old_color[rivals] != evidence.old_color[one])
    return found


def _trusted(known: _Known, found: Mapping[int, Pair]) -> tuple[NDArray[np.intp], ...]:
    """The places in the runs that the sure pairs do not contradict."""
    earlier = known.evidence.earlier
    if earlier is None:
        return ()
    sure = [(pair.old, pair.new) for pair in found.values() if pair.sure]
    places = []
    for run in known.evidence.runs:
        place = np.full(len(known.new), -1)
        place[list(run.members)] = np.arange(len(run.members))
        inside = [(one, int(place[other])) for one, other in sure if place[other] >= 0]
        agreeing, contrary = _agreement(inside, earlier)
        if not contrary and agreeing >= (0 if run.topological else _AGREEING):
            places.append(place)
    return tuple(places)


def _agreement(pairs: Sequence[tuple[int, int]], earlier: NDArray[np.bool_]) -> tuple[int, int]:
    """How many of the pairs, two and two, lie in the run as the data flows, and how many do not."""
    if not pairs:
        return 0, 0
    old = np.array([one for one, _ in pairs])
    place = np.array([at for _, at in pairs])
    before = place[:, None] < place[None, :]
    reaches = earlier[np.ix_(old, old)]
    return int((before & reaches).sum()), int((before & reaches.T).sum())


def _reason(named: NDArray[np.bool_], ruled: NDArray[np.bool_], flows: NDArray[np.bool_]) -> str:
    if named.all():
        return "the names say it"
    if ruled.all():
        return "a rule of numbers explains the whole group"
    return "the flow of data says it" if flows.all() else "names, numbers and the flow of data say it"


def _missing(margin: float, same_group: bool) -> str:
    if margin < 0:
        return "a layer of the same shape has the better name"
    if same_group:
        return "layers of the same shape differ in numbers that no rule explains"
    return "its name does not tell it from a layer of the same shape"


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
