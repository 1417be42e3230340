"""What enters each layer, on both sides, as a few numbers that padding and the order of axes do not change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.tf.verify.layers.anatomy import Anatomy
from ckptmap.tf.verify.layers.pairing import Uses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ckptmap.tf.verify.general.side import Running

    Array = np.ndarray[Any, Any]
    Print = tuple[tuple[float, ...], ...]

_NEAR = 1e-3
"""How far apart the numbers of the same values may lie; those of other layers differ by far more."""
_AT_ONCE = 24
"""Tensors that are fetched in one run: they are held at the same time."""
_MOST = 64
"""Uses of one layer that are looked at."""


class Probes:
    """Which tensors enter the layers of one side; ``layer_of`` says the layer of each variable of the side."""

    def __init__(self, running: Running, layer_of: Mapping[str, int]) -> None:
        self._running = running
        anatomy = Anatomy(running.side)
        self._entering: dict[int, list[tuple[str, ...]]] = {}
        self.place: dict[int, int] = {}
        """Where in the order of the computation each layer is first used."""
        for use in sorted(Uses(anatomy, layer_of).uses.values(), key=lambda use: use.place):
            if use.entering:
                self._entering.setdefault(use.layer, []).append(use.entering)
                self.place.setdefault(use.layer, use.place)

    def prints(self, feeds: Mapping[str, Array]) -> dict[int, Print]:
        """For each layer that can be watched, what enters it: for each use, in the order of the numbers."""
        uses = {layer: entering[:_MOST] for layer, entering in self._entering.items()}
        tensors = list(dict.fromkeys(one for entering in uses.values() for use in entering for one in use))
        known: dict[str, tuple[float, ...]] = {}
        for start in range(0, len(tensors), _AT_ONCE):
            values = self._running.run(feeds, tensors[start : start + _AT_ONCE])
            known |= {name: moments(value) for name, value in values.items()}
        return {layer: tuple(sorted(_summed(use, known) for use in entering)) for layer, entering in uses.items()}


def _summed(tensors: Sequence[str], known: Mapping[str, tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(sum(column) for column in zip(*(known[one] for one in tensors), strict=True))


def moments(value: Array) -> tuple[float, ...]:
    """The sums of the values' first four powers, and of their sizes."""
    flat = value.astype(np.float64).reshape(-1) if value.dtype.kind in "fiub" else np.zeros(0)
    square = flat * flat
    return (
        float(np.abs(flat).sum()),
        float(flat.sum()),
        float(square.sum()),
        float((square * flat).sum()),
        float((square * square).sum()),
    )


def same(one: Print, other: Print) -> bool:
    """Whether the same values enter, as often."""
    return len(one) == len(other) and all(_near(a, b) for a, b in zip(one, other, strict=True))


def _near(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    size, _, square, _, fourth = (max(a, b) for a, b in zip(one, other, strict=True))
    scales = (size, size, square, (square * fourth) ** 0.5, fourth)
    return all(abs(a - b) <= _NEAR * scale for a, b, scale in zip(one, other, scales, strict=True))
