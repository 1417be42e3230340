"""How large a number may be that sizes something, wherever it comes from: a config, an option, a label map."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from ckptmap.basics.contributions import contributions


@dataclass(frozen=True, slots=True)
class Bound:
    """The least and the largest value that is taken."""

    low: int
    high: int

    def problem(self, name: str, value: float, shown: str = "") -> str:
        """What is wrong with the value, ``shown`` as it is written; empty where nothing is."""
        if self.low <= value <= self.high:
            return ""
        return f"{name} lies between {self.low} and {self.high}, not {shown or value}"


CLASSES = Bound(1, 100_000)
"""ImageNet has 21,841 classes, the largest detector of the public zoo 2,854."""
_KERNEL = Bound(1, 1_000)
_LAYERS = Bound(0, 100)
_MULTIPLIER = Bound(0, 100)
_LENGTH = Bound(0, 65_536)
"""Channels and pixels; the widest layer of a shipped target has 4,320 channels. 0 leaves a field to its default."""
_OTHER = Bound(0, 1_000_000)
"""Whatever else a model counts: proposals, detections, points."""

_BOUNDS = {
    "num_classes": CLASSES,
    "depth_multiplier": _MULTIPLIER,
    "number_of_stages": _LAYERS,
    "num_iterations": _LAYERS,
    "scales_per_octave": _LAYERS,
}
_BOUNDS_BY_ENDING = (
    (("kernel_size", "kernel_sizes", "_kernel"), _KERNEL),
    (("_layers", "_level", "_heads"), _LAYERS),
    (("depth", "_filters", "_dim", "_dimension", "_length", "height", "width"), _LENGTH),
)


def bound_of(name: str) -> Bound:
    """The bound of a field of a config's model, or of an unknown of a target, by its name."""
    if name in _BOUNDS:
        return _BOUNDS[name]
    for pattern, (low, high) in _of_families():
        if pattern.fullmatch(name):
            return Bound(low, high)
    return next((bound for endings, bound in _BOUNDS_BY_ENDING if name.endswith(endings)), _OTHER)


@cache
def _of_families() -> tuple[tuple[re.Pattern[str], tuple[int, int]], ...]:
    return tuple((re.compile(name), bound) for family in contributions() for name, bound in family.bounds.items())
