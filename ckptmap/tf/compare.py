"""How far two models' outputs for the same image lie apart. The one measure of tests, the matrix and ``verify``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.tf.outputs import DETECTIONS

if TYPE_CHECKING:
    from ckptmap.tf.outputs import Outputs

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One output of both models.

    ``largest`` and ``mean`` are absolute differences, ``spread`` the reference's standard deviation. Where shapes
    differ, or one side has values that are not numbers, both are infinite.
    """

    name: str
    reference_shape: tuple[int, ...]
    other_shape: tuple[int, ...]
    largest: float
    mean: float
    spread: float

    @property
    def relative(self) -> float:
        """The largest difference in units of the spread; of a constant output, absolute."""
        return self.largest / self.spread if self.spread else self.largest

    @property
    def exact(self) -> bool:
        """Equal to the last bit."""
        return self.largest == 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """All outputs of two models for one image: the reference's and the other's.

    ``only_reference`` and ``only_other`` name outputs that one of them lacks. ``same_detections``: as many, in the
    same order, with the same classes.
    """

    differences: tuple[Difference, ...]
    only_reference: tuple[str, ...]
    only_other: tuple[str, ...]
    same_detections: bool

    @property
    def raw(self) -> tuple[Difference, ...]:
        """Differences before post-processing."""
        return tuple(item for item in self.differences if item.name not in DETECTIONS)

    @property
    def detections(self) -> tuple[Difference, ...]:
        """Differences after non-maximum suppression."""
        return tuple(item for item in self.differences if item.name in DETECTIONS)

    @property
    def exact(self) -> bool:
        """Every raw output is equal to the last bit, and the detections are the same."""
        return self.within(0.0)

    def within(self, relative: float) -> bool:
        """Every raw output differs by at most ``relative`` of its spread, and the detections are the same."""
        complete = bool(self.raw) and not self.only_reference and not self.only_other
        return complete and self.same_detections and all(item.relative <= relative for item in self.raw)

    def __getitem__(self, name: str) -> Difference:
        return next(item for item in self.differences if item.name == name)


def compare(reference: Outputs, other: Outputs) -> Comparison:
    """Compare two models' outputs, as ``run_model`` and the TF1 process give them."""
    return Comparison(
        differences=tuple(_difference(name, reference[name], other[name]) for name in reference if name in other),
        only_reference=tuple(name for name in reference if name not in other),
        only_other=tuple(name for name in other if name not in reference),
        same_detections=_same_detections(reference, other),
    )


def _difference(name: str, reference: Array, other: Array) -> Difference:
    shapes = reference.shape, other.shape
    left, right = (array.astype(np.float64) for array in (reference, other))
    if left.shape != right.shape or not (np.isfinite(left).all() and np.isfinite(right).all()):
        return Difference(name, *shapes, np.inf, np.inf, float(np.std(left)) if left.size else 0.0)
    if not left.size:
        return Difference(name, *shapes, 0.0, 0.0, 0.0)
    distance = np.abs(left - right)
    return Difference(name, *shapes, float(distance.max()), float(distance.mean()), float(left.std()))


def _same_detections(reference: Outputs, other: Outputs) -> bool:
    if "num_detections" not in reference or "num_detections" not in other:
        return "num_detections" not in reference and "num_detections" not in other
    if not np.array_equal(reference["num_detections"], other["num_detections"]):
        return False
    if "detection_classes" not in reference or "detection_classes" not in other:  # a first stage alone has none
        return "detection_classes" not in reference and "detection_classes" not in other
    kept = int(reference["num_detections"].min())
    return np.array_equal(reference["detection_classes"][:, :kept], other["detection_classes"][:, :kept])
