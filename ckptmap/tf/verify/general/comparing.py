"""How far the outputs of both sides lie apart, and whether that is more than rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.tf.compare import compare

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.side import Spec

Array = np.ndarray[Any, Any]

ROUNDING = 1e-5
"""Of an output's spread, as for detectors (``ckptmap.tf.verify.measuring``). Measured: Keras 2 against Keras 3 1.2e-6
(ResNet50), 2.6e-6 (MobileNetV2); a small net with sums that cancel 7e-6; TF1 against Keras 2 equal to the last bit."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One output of both models in one run.

    ``run`` is empty for the run that is usual. Differences are infinite where shapes or texts differ or values are no
    numbers. ``top1``: the part of rows with the same largest class, None where an output has no classes.
    """

    old: Spec
    new: Spec
    run: str
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    largest: float
    mean: float
    spread: float
    relative: float
    top1: float | None

    @property
    def equal(self) -> bool:
        """Equal to the last bit."""
        return self.largest == 0

    @property
    def within(self) -> bool:
        """No more than rounding."""
        return self.relative <= ROUNDING


def joined(values: Sequence[Array]) -> Array:
    """An output of several batches as one: along its first axis, numbers as a list of them."""
    if len(values) == 1:
        return values[0]
    if len({one.shape[1:] for one in values}) > 1:
        return np.concatenate([one.reshape(-1) for one in values])
    return np.concatenate([np.atleast_1d(one) for one in values])


def measured(pair: tuple[Spec, Spec], values: tuple[Array, Array], run: str = "") -> Measure:
    """Compare an output; one without its lengths of one (``[N, 1, 1, C]``) is the same output."""
    old, new = values
    shapes = old.shape, new.shape
    if old.shape != new.shape and _squeezed(old.shape) == _squeezed(new.shape):
        new = new.reshape(old.shape)
    if old.dtype.kind not in "fiub" or new.dtype.kind not in "fiub":
        same = old.shape == new.shape and bool((old == new).all())
        distance = 0.0 if same else np.inf
        return Measure(*pair, run, shapes, distance, distance, 0.0, distance, None)
    found = compare({"": old}, {"": new})[""]
    top1 = _top1(old, new) if old.shape == new.shape else None
    return Measure(*pair, run, shapes, found.largest, found.mean, found.spread, found.relative, top1)


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


def _top1(old: Array, new: Array) -> float | None:
    """The part of rows whose largest value is at the same place, of what may be scores of classes."""
    squeezed = [length for length in old.shape if length != 1]
    if old.dtype.kind != "f" or not squeezed or old.ndim not in (2, 4) or len(squeezed) > 2 or old.shape[-1] < 2:
        return None
    return float((old.argmax(axis=-1) == new.argmax(axis=-1)).mean())
