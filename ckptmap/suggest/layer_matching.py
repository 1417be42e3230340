"""Old layers paired with new ones: shapes allow, names, order and learned words decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ckptmap.suggest.assigning import assign
from ckptmap.suggest.colors import colors
from ckptmap.suggest.names import Words, learned, literal, words_of
from ckptmap.suggest.natural import natural
from ckptmap.suggest.norms import natural_order, owners
from ckptmap.suggest.order import Run, key_runs, name_runs, order_evidence, other_runs
from ckptmap.suggest.shapes import compatibility
from ckptmap.suggest.structure import coherence, counted_alike, misplaced
from ckptmap.suggest.voting import votes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ckptmap.suggest.graphs import Flow
    from ckptmap.suggest.layer_values import Layer

    Matrix = NDArray[np.float32]

_ROUNDS, _QUIET = 7, 2
"""How often pairs are made anew, and from which turn on rules have a vote: the first pairs mislead them."""
_ENDING = 3.0
_GUESSED = 0.2
"""What the order of numbers in old names is worth, next to one that a graph says."""
_LEARNED, _ORDER, _OWNER, _FIT, _VOTE, _SCOPE, _COUNTED = 1.5, 0.5, 1.0, 0.3, 1.0, 1.0, 0.7
_MISPLACED = 3.0
_LOOSE_OWNER, _USED, _ALIKE = 0.3, 0.3, 4.0
"""What it counts that two norms follow layers of a pair where only their places say which they follow."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of every pair, each [old, new], and what was made of it."""

    fits: Matrix
    names: Matrix
    """Words that are the same, numbers included, 0 to 1, and 1 more for equal endings."""
    words: Matrix
    """The same without numbers: those prove nothing alone."""
    endings: Matrix
    """More than 0 where one name is the end of the other."""
    order: Matrix
    """0 for the best place, less for worse ones; 0 everywhere where nothing says an order."""
    learned: Matrix
    scopes: Matrix
    """How well the scopes around two layers overlap, 0 to 1."""
    counted: Matrix
    """Whether the names of two groups of layers count the same shapes, 0 to 1."""
    votes: Matrix
    """What rules of numbers say, 0 to 1."""
    old_owner: NDArray[np.intp]
    new_owner: NDArray[np.intp]
    """The layer that each norm follows; -1 for none."""
    old_firm: NDArray[np.bool_]
    new_firm: NDArray[np.bool_]
    """Whether that is beyond doubt."""
    ordered: bool
    """Whether both sides say an order, and agree."""
    runs: tuple[Run, ...]
    """The runs of the new side, by object path and by name."""
    earlier: NDArray[np.bool_] | None
    """[old, old]: whether the results of the first reach the second, and not the other way round; None: not known."""
    pairs: dict[int, int]
    alike: Matrix | None = None
    """How far the graphs around two layers are the same, 0 to 1; None where not both are known."""
    old_color: NDArray[np.intp] | None = None
    new_color: NDArray[np.intp] | None = None
    """Layers of one color cannot be told apart by what lies around them; of two colors they can."""


def match(
    old: Sequence[Layer],
    new: Sequence[Layer],
    flow: Flow | None = None,
    new_flow: Flow | None = None,
    pins: Mapping[int, int] | None = None,
) -> Evidence:
    """The best one-to-one pairs of layers, and the evidence they rest on; the flows are those of both sides.

    ``pins`` are pairs that are settled: neither of the two can have another partner.
    """
    fits = _pinned(compatibility(old, new), pins or {})
    words = words_of(old, new)
    endings = _ENDING * _endings(old, new)
    names = literal(words) + endings
    order, ordered = _order(old, new, fits, names)
    nothing = np.broadcast_to(np.float32(0), fits.shape)
    old_owner, new_owner, old_firm, new_firm = _owners(old, new)
    evidence = Evidence(
        fits=fits,
        names=names,
        words=literal(words, numbers=False),
        endings=endings,
        order=order,
        learned=nothing,
        scopes=nothing,
        counted=counted_alike(old, new),
        votes=nothing,
        old_owner=old_owner,
        new_owner=new_owner,
        old_firm=old_firm,
        new_firm=new_firm,
        ordered=ordered,
        runs=(*key_runs(new), *name_runs(new)),
        earlier=_earlier(flow),
        pairs={},
    )
    evidence = _colored(old, new, evidence, flow, new_flow)
    merit = _merit(old, new, evidence)
    for turn in range(_ROUNDS):
        pairs = assign(_score(evidence) + merit, fits > 0)
        if pairs == evidence.pairs and turn > _QUIET:
            break
        found = pairs.items()
        evidence = replace(
            evidence,
            pairs=pairs,
            learned=_learned(words, evidence, pairs),
            scopes=coherence(old, new, found),
            votes=votes(old, new, found) if turn >= _QUIET else evidence.votes,
        )
        evidence = _colored(old, new, evidence, flow, new_flow)
    return evidence


def _pinned(fits: Matrix, pins: Mapping[int, int]) -> Matrix:
    """``fits`` with nothing beside the settled pairs in their rows and columns."""
    kept = {(one, other): fits[one, other] for one, other in pins.items()}
    fits[list(pins), :] = 0
    fits[:, list(pins.values())] = 0
    for place, value in kept.items():
        fits[place] = value
    return fits


def _colored(
    old: Sequence[Layer], new: Sequence[Layer], evidence: Evidence, flow: Flow | None, new_flow: Flow | None
) -> Evidence:
    if flow is None or new_flow is None:
        return evidence
    alike, one, other = colors(old, new, (flow, new_flow), evidence.pairs)
    return replace(evidence, alike=alike, old_color=one, new_color=other)


def _earlier(flow: Flow | None) -> NDArray[np.bool_] | None:
    if flow is None:
        return None
    size = len(flow.before)
    width = (size + 7) // 8
    packed = np.array([np.frombuffer(bits.to_bytes(width, "little"), np.uint8) for bits in flow.before])
    before = np.unpackbits(packed, axis=1, bitorder="little", count=size).astype(bool)
    found: NDArray[np.bool_] = before.T & ~before
    return found


def _merit(old: Sequence[Layer], new: Sequence[Layer], evidence: Evidence) -> Matrix:
    """What speaks for a layer to have a partner at all, whichever it is; [old, new]."""
    fits = evidence.fits > 0
    rows, columns = misplaced(old, np.asarray(fits.any(axis=1))), misplaced(new, np.asarray(fits.any(axis=0)))
    merit: Matrix = -_MISPLACED * (rows[:, None] + columns[None, :])
    if evidence.earlier is not None:
        merit += _USED * _use(evidence.earlier)
    return merit


def _use(earlier: NDArray[np.bool_]) -> Matrix:
    """How much else depends on each old layer, 0 to 1; [old, 1]. Side branches for training lead nowhere."""
    count = earlier.sum(axis=1, keepdims=True).astype(np.float32)
    share: Matrix = count / (count + 5)
    return share


def _score(evidence: Evidence) -> Matrix:
    score: Matrix = _FIT * evidence.fits + evidence.names
    for weight, matrix in (
        (_LEARNED, evidence.learned),
        (_ORDER, evidence.order),
        (_VOTE, evidence.votes),
        (_SCOPE, evidence.scopes),
        (_COUNTED, evidence.counted),
        (_ALIKE, evidence.alike),
    ):
        if matrix is not None and matrix.any():
            score += weight * matrix
    score += _OWNER * _with_owner(evidence)
    return score


def _learned(words: Words, evidence: Evidence, pairs: dict[int, int]) -> Matrix:
    found = sorted(pairs.items())
    weights = [float(1 / (evidence.fits[one] > 0).sum() ** 0.25) for one, _ in found]
    return learned(words, found, weights)


def _with_owner(evidence: Evidence) -> Matrix:
    """1 where two norms follow layers that are paired now, else 0."""
    partner = np.full(len(evidence.old_owner) + 1, -2)
    for one, other in evidence.pairs.items():
        partner[one] = other
    wanted = np.where(evidence.old_owner >= 0, partner[evidence.old_owner], -2)
    same: Matrix = ((wanted[:, None] == evidence.new_owner[None, :]) & (wanted[:, None] >= 0)).astype(np.float32)
    same *= np.where(evidence.old_firm & (wanted >= 0), 1.0, _LOOSE_OWNER).astype(np.float32)[:, None]
    return same


def _owners(
    old: Sequence[Layer], new: Sequence[Layer]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]:
    one, other = owners(old, [_old_order(old)]), owners(new, [natural_order(new)])
    return (
        np.array([owner.at for owner in one], int),
        np.array([owner.at for owner in other], int),
        np.array([owner.basis == 2 for owner in one], bool),
        np.array([owner.basis >= 1 for owner in other], bool),
    )


def _old_order(old: Sequence[Layer]) -> list[int]:
    """The order in which they were made; that of the numbers in their names where nothing says it."""
    if all(layer.place is None for layer in old):
        return sorted(range(len(old)), key=lambda at: natural(old[at].scope))
    return sorted(range(len(old)), key=lambda at: -1 if old[at].place is None else old[at].place)  # type: ignore[arg-type,return-value]


def _order(old: Sequence[Layer], new: Sequence[Layer], fits: Matrix, names: Matrix) -> tuple[Matrix, bool]:
    """The evidence of the runs that agree best with the order of the old side."""
    places = np.array(_old_order(old), int)
    known = all(layer.place is not None for layer in old)
    by_key, by_name = key_runs(new), name_runs(new)
    guessed, _ = order_evidence(fits, names, places, other_runs(new, by_key), whole=known)
    key_evidence, key_share = order_evidence(fits, names, places, by_key, whole=known)
    name_evidence, name_share = order_evidence(fits, names, places, by_name)
    weight = 1.0 if known else _GUESSED
    covered = _covered(by_key), _covered(by_name)
    if covered[1] * name_share > covered[0] * key_share:
        return weight * (name_evidence + guessed), known
    return weight * (key_evidence + guessed), known and bool(by_key)


def _covered(runs: Sequence[Run]) -> int:
    return sum(len(run.members) for run in runs)


def _endings(old: Sequence[Layer], new: Sequence[Layer]) -> Matrix:
    """1 where one name ends in the whole other, component for component, and no other name of its side does; else 0."""
    found = np.zeros((len(old), len(new)), np.float32)
    by_name: dict[str, list[int]] = {}
    for at, layer in enumerate(new):
        for ending in _all_endings(layer.scope):
            by_name.setdefault(ending, []).append(at)
    old_ends: dict[str, list[int]] = {}
    for at, layer in enumerate(old):
        for ending in _all_endings(layer.scope):
            old_ends.setdefault(ending, []).append(at)
    for at, layer in enumerate(old):
        for other in by_name.get(layer.scope, ()) if _is_telling(layer.scope) else ():
            found[at, other] = 1 / len(by_name[layer.scope])
    for at, layer in enumerate(new):
        for other in old_ends.get(layer.scope, ()) if _is_telling(layer.scope) else ():
            found[other, at] = max(found[other, at], 1 / len(old_ends[layer.scope]))
    return found


def _is_telling(name: str) -> bool:
    """Whether a name is more than a number or a letter."""
    return sum(char.isalpha() for char in name) > 1


def _all_endings(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]
