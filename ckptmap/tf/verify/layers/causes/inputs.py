"""Causes before the first layer: what is done to the input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.tf.verify.layers.causes.case import Case, Cause, near

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]


def preprocessing(case: Case) -> Iterator[Cause]:
    """What reaches the first layer differs: by scale, by mean, by the order of channels, or otherwise."""
    sides = zip((case.walk.old, case.walk.new), case.first.boundary, strict=True)
    if case.first.place != "before" or not all(uses.is_first((tensor,)) for uses, tensor in sides):
        return
    old, new = (value.astype(np.float64) for value in case.boundary())
    fix = "do to the new model's input what the old graph does to its own"
    if old.shape != new.shape:
        text = f"the first layer takes {list(old.shape)} in the old model and {list(new.shape)} in the new one"
        yield Cause("preprocessing", text, fix, "what reaches the first layer", proven=old.size != new.size)
        return
    if old.ndim and old.shape[-1] == 3 and near(old, new[..., ::-1]):
        text = "the channels are in another order: RGB on one side, BGR on the other"
        yield Cause("preprocessing", text, fix, "with the channels reversed the inputs agree")
        return
    for reverse in (False, True):
        source = new[..., ::-1] if reverse else new
        for name, fitted in (("", _line(source, old)), (" for each channel", _lines(source, old))):
            if fitted is not None and near(old, fitted[0]):
                turned = ", of the reversed channels," if reverse else ""
                text = (
                    f"the old first layer takes what the new one takes{turned}{name} times {fitted[1]} plus {fitted[2]}"
                )
                yield Cause("preprocessing", text, fix, "so computed the inputs agree")
                return
    yield Cause("preprocessing", "what reaches the first layer differs", fix, "what reaches the first layer")


def _line(source: Array, wanted: Array) -> tuple[Array, str, str] | None:
    """The best line through all values; None where the source is constant."""
    spread = source.std()
    if not spread:
        return None
    slope = ((source - source.mean()) * (wanted - wanted.mean())).mean() / spread**2
    offset = wanted.mean() - slope * source.mean()
    return slope * source + offset, f"{slope:.6g}", f"{offset:.6g}"


def _lines(source: Array, wanted: Array) -> tuple[Array, str, str] | None:
    if source.ndim < 2 or source.shape[-1] > 16:
        return None
    found = [_line(source[..., at], wanted[..., at]) for at in range(source.shape[-1])]
    if any(one is None for one in found):
        return None
    lines = [one for one in found if one is not None]
    values = np.stack([one[0] for one in lines], axis=-1)
    return values, f"({', '.join(one[1] for one in lines)})", f"({', '.join(one[2] for one in lines)})"
