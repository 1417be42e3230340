"""How far the outputs for one image lie apart, for all images together, and whether that is more than rounding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ckptmap.tf.compare import compare
from ckptmap.tf.outputs import DETECTIONS
from ckptmap.tf.verify.detection_matching import Fate, Match, detections, match

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ckptmap.tf.compare import Comparison
    from ckptmap.tf.outputs import Outputs
    from ckptmap.tf.verify.tf2_side import Level, Ran

ROUNDING = 1e-5
"""Of an output's spread. Measured on the CPU without oneDNN, TF1 and TF2 are equal to the last bit, at full size too,
and two stages within 9e-7; the zoo's exports of early 2018, whose batch norms are multiplications and additions, within
3.6e-6 (MobileNet V2) and 1.3e-6 (V1)."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One output of both models, or one level of it, over all images: the worst of each number, ``mean`` averaged."""

    name: str
    level: str
    reference_shape: tuple[int, ...]
    other_shape: tuple[int, ...]
    largest: float
    mean: float
    spread: float
    relative: float

    @property
    def within(self) -> bool:
        """No more than rounding."""
        return self.relative <= ROUNDING


@dataclass(frozen=True, slots=True)
class Finding:
    """What one image shows: the outputs of both models, how far they lie apart, and the detections side by side."""

    measures: tuple[Measure, ...]
    matches: tuple[Match, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]

    @property
    def outputs(self) -> tuple[Measure, ...]:
        """Whole outputs, without their levels."""
        return tuple(one for one in self.measures if not one.level)

    @property
    def agrees(self) -> bool:
        """Raw outputs within rounding, and every detection found again."""
        return self.raw_agrees and self.same_detections

    @property
    def raw_agrees(self) -> bool:
        """Every output before non-maximum suppression within rounding."""
        return all(one.within for one in self.outputs if one.name not in DETECTIONS)

    @property
    def same_detections(self) -> bool:
        """Every detection has its like. Masks, which belong to them, are as near as raw outputs."""
        masks = [one for one in self.outputs if one.name == "detection_masks"]
        return all(one.fate is Fate.EQUAL for one in self.matches) and all(one.within for one in masks)

    @property
    def relative(self) -> float:
        """The largest difference of any output, in units of its spread."""
        return max((one.relative for one in self.outputs), default=0.0)

    @property
    def badness(self) -> tuple[int, float]:
        """Orders images: first by detections that are not equal, then by the outputs."""
        return sum(one.fate is not Fate.EQUAL for one in self.matches), self.relative


def measure(old: Outputs, new: Ran) -> Finding:
    """Compare the outputs for one image: what both models give of them."""
    both = [name for name in old if name in new.outputs]
    found = compare({name: old[name] for name in both}, {name: new.outputs[name] for name in both})
    return Finding(
        measures=(*_measures(found, ""), *_by_level(old, new)),
        matches=match(detections(old), detections(new.outputs)),
        only_old=tuple(name for name in old if name not in both),
        only_new=tuple(name for name in new.outputs if name not in both),
    )


def together(findings: Iterable[Finding]) -> tuple[Measure, ...]:
    """The measures of all images as one list, in the order of the first image."""
    grouped: dict[tuple[str, str], list[Measure]] = {}
    for finding in findings:
        for one in finding.measures:
            grouped.setdefault((one.name, one.level), []).append(one)
    return tuple(_worst(group) for group in grouped.values())


def _worst(group: list[Measure]) -> Measure:
    worst = max(group, key=lambda one: one.relative)
    return replace(worst, largest=max(one.largest for one in group), mean=sum(one.mean for one in group) / len(group))


def _measures(found: Comparison, level: str) -> Iterator[Measure]:
    for item in found.differences:
        shapes = item.reference_shape, item.other_shape
        yield Measure(item.name, level, *shapes, item.largest, item.mean, item.spread, item.relative)


def _by_level(old: Outputs, new: Ran) -> Iterator[Measure]:
    """The same for the anchors of each feature map, of the outputs that have a row for every anchor."""
    start = 0
    for level in new.levels:
        yield from _measures(_slice(old, new, start, level), level.name)
        start += level.anchors


def _slice(old: Outputs, new: Ran, start: int, level: Level) -> Comparison:
    anchors = sum(one.anchors for one in new.levels)
    sides = (old, new.outputs)
    names = [name for name in old if all(name in side and side[name].shape[1:2] == (anchors,) for side in sides)]
    left, right = ({name: side[name][:, start : start + level.anchors] for name in names} for side in sides)
    return compare(left, right)
