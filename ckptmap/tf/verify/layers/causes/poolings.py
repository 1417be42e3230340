"""Causes in a pooling after a layer: padding, strides, size, or the largest for the mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.tf.verify.layers.causes.case import Case, Cause, near
from ckptmap.tf.verify.layers.causes.convolutions import zeros_before
from ckptmap.tf.verify.layers.causes.numeric import Pads, pool
from ckptmap.tf.verify.layers.measure import relative

if TYPE_CHECKING:
    from ckptmap.tf.verify.layers.anatomy import Unit

    Array = np.ndarray[Any, Any]

POOLS = ("MaxPool", "MaxPoolV2", "AvgPool")


@dataclass(frozen=True, slots=True)
class _Pooling:
    """One pooling. ``zeros`` are put around ``source`` by an operation before it."""

    unit: Unit
    source: str
    zeros: Pads

    @property
    def settings(self) -> dict[str, str]:
        """What it does, for people."""
        has = self.unit.attributes
        padding = str(has.get("padding"))
        if np.any(self.zeros):
            padding = f"{self.zeros} with zeros, then {padding}"
        kind = self.unit.op.removesuffix("V2")
        return {"kind": kind, "padding": padding, "strides": str(has.get("strides")), "ksize": str(has.get("ksize"))}

    @property
    def is_known(self) -> bool:
        """Whether it can be computed anew."""
        has = self.unit.attributes
        return has.get("data_format", "NHWC") == "NHWC" and has.get("padding") in ("SAME", "VALID")

    def of(self, images: Array) -> Array:
        """The same pooling of other images."""
        has = self.unit.attributes
        padded = np.pad(images, ((0, 0), *self.zeros, (0, 0)))
        largest = self.unit.op.startswith("Max")
        return pool(padded, has["ksize"][1:3], has["strides"][1:3], has["padding"], largest=largest)


def pooling(case: Case) -> Iterator[Cause]:
    """Another padding or stride of a pooling, proven by pooling the new one's input as the old one does."""
    if case.first.place != "after":
        return
    for old, new in zip(_poolings(case, 0), _poolings(case, 1), strict=False):
        one, other = old.settings, new.settings
        differing = [name for name in one if one[name] != other[name]]
        if differing and not _agree(case, old, new):
            yield _cause(case, old, new, differing)


def _poolings(case: Case, side: int) -> list[_Pooling]:
    units = [unit for unit in case.between(side) if unit.op in POOLS]
    return [_Pooling(unit, *_bare(case, side, unit)) for unit in units]


def _bare(case: Case, side: int, unit: Unit) -> tuple[str, Pads]:
    return zeros_before(case, side, unit.inputs[0], first=unit.attributes.get("data_format") == "NCHW")


def _agree(case: Case, old: _Pooling, new: _Pooling) -> bool:
    """Whether both give the same for all that: zeros around what is never negative change no largest value."""
    tolerance = case.walk.tolerance
    return relative(*_both(case, old.unit.result, new.unit.result), tolerance) <= tolerance


def _both(case: Case, one: str, other: str) -> tuple[Array, Array]:
    return case.values(0, one)[0], case.values(1, other)[0]


def _cause(case: Case, old: _Pooling, new: _Pooling, differing: Sequence[str]) -> Cause:
    wanted, images = _both(case, old.unit.result, new.source)
    proven = old.is_known and new.is_known and near(wanted, old.of(images))
    name = {"padding": "padding", "strides": "stride placement"}.get(differing[0], "pooling")
    one, other = old.settings, new.settings
    said = ", ".join(f"{what} {one[what]} against {other[what]}" for what in differing)
    evidence = "pooled as the old model does the tensors agree" if proven else "the operations of both graphs"
    fix = "pool in the new model as in the old one"
    return Cause(name, f"the pooling after the layer: {said}", fix, evidence, proven)
