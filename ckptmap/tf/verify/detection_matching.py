"""Which detection of the old model is which of the new one: by place, class and score."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ckptmap.tf.outputs import Outputs

    Array = np.ndarray[Any, Any]

SAME_OBJECT = 0.5
"""Intersection over union from which two boxes mean the same object."""
ROUNDING = 1e-4
"""Boxes (of the image's side) and scores that differ by less are the same: a hundredth of a pixel in a hundred."""


class Fate(str, enum.Enum):
    """What became of a detection."""

    EQUAL = "equal"
    MOVED = "moved"
    """The same object and class, in another box or with another score."""
    RELABELLED = "relabelled"
    """The same object, called something else."""
    LOST = "lost"
    NEW = "new"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Detection:
    """One box: corners (top, left, bottom, right) in parts of the image, its score, and its class counted from 1."""

    corners: tuple[float, float, float, float]
    score: float
    label: int


@dataclass(frozen=True, slots=True)
class Match:
    """A detection of the old model and that of the new one; one of them is None for what is lost or new."""

    fate: Fate
    old: Detection | None
    new: Detection | None

    @property
    def score(self) -> float:
        """The higher of both scores."""
        return max(one.score for one in (self.old, self.new) if one is not None)

    @property
    def label_offset(self) -> int:
        """By how much the new class is higher than the old one."""
        return self.new.label - self.old.label if self.old and self.new else 0


def detections(found: Outputs) -> tuple[Detection, ...]:
    """The detections that a model kept for its image, best first."""
    kept = int(found["num_detections"].min())
    columns = (found[f"detection_{name}"][0][:kept].tolist() for name in ("boxes", "scores", "classes"))
    return tuple(Detection(tuple(box), score, round(label) + 1) for box, score, label in zip(*columns, strict=True))


def match(old: tuple[Detection, ...], new: tuple[Detection, ...]) -> tuple[Match, ...]:
    """Every detection of both sides once, the best score first."""
    free_old, free_new = dict(enumerate(old)), dict(enumerate(new))
    found = []
    for place, other in _candidates(old, new):
        if place in free_old and other in free_new:
            found.append(_pair(free_old.pop(place), free_new.pop(other)))
    found += [Match(Fate.LOST, one, None) for one in free_old.values()]
    found += [Match(Fate.NEW, None, one) for one in free_new.values()]
    return tuple(sorted(found, key=lambda one: -one.score))


def counts(matches: Iterable[Match]) -> dict[str, int]:
    """How many detections met each fate, zeros included."""
    met = Counter(one.fate for one in matches)
    return {fate.value: met[fate] for fate in Fate}


def _candidates(old: tuple[Detection, ...], new: tuple[Detection, ...]) -> Iterator[tuple[int, int]]:
    """Pairs of places that may be the same object: those of the same class first, then by overlap and score."""
    if not old or not new:
        return
    overlap = _overlaps(np.array([one.corners for one in old]), np.array([one.corners for one in new]))
    places = [(int(row), int(column)) for row, column in zip(*np.nonzero(overlap >= SAME_OBJECT), strict=True)]

    def worth(pair: tuple[int, int]) -> tuple[bool, float, float]:
        one, other = old[pair[0]], new[pair[1]]
        return one.label == other.label, float(overlap[pair].round(4)), -abs(one.score - other.score)

    yield from sorted(places, key=worth, reverse=True)


def _overlaps(left: Array, right: Array) -> Array:
    """Intersection over union of boxes [n, 4] and [m, 4], as [n, m]."""
    high = np.minimum(left[:, None, 2:], right[None, :, 2:])
    low = np.maximum(left[:, None, :2], right[None, :, :2])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1) for boxes in (left, right)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    same = (left[:, None] == right[None]).all(axis=2)  # boxes without area overlap themselves
    return np.where(union > 0, shared / np.where(union > 0, union, 1), same)


def _pair(old: Detection, new: Detection) -> Match:
    if old.label != new.label:
        return Match(Fate.RELABELLED, old, new)
    apart = max(
        abs(one - other) for one, other in zip((*old.corners, old.score), (*new.corners, new.score), strict=True)
    )
    return Match(Fate.EQUAL if apart <= ROUNDING else Fate.MOVED, old, new)
