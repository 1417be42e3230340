"""How far two tensors lie apart that may be laid out otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    Array = np.ndarray[Any, Any]

_ORDERS = {2: ((1, 0),), 3: ((1, 0, 2), (0, 2, 1)), 4: ((0, 2, 3, 1), (0, 3, 1, 2))}
"""Axes in another order: steps before examples, channels before or behind places."""
_HEADS = (0, 2, 1, 3)
"""Of attention: steps before heads, as they stand where the heads are merged. Of images it would be another picture."""


def relative(left: Array, right: Array, tolerance: float) -> float:
    """The largest difference in units of the spread of ``left``; infinite where the sizes differ.

    Lengths of one count for nothing, and where the values agree in another order of the axes (channels first or last,
    steps or examples first, the heads of an attention merged) that order is taken.
    """
    if left.size != right.size:
        return float(np.inf)
    best = _apart(left.reshape(-1), right.reshape(-1))
    if best <= tolerance:
        return best
    for turned in _turned(np.squeeze(left)):
        if turned.shape == np.squeeze(right).shape or right.ndim <= 2:
            found = _apart(turned.reshape(-1), right.reshape(-1))
            if found <= tolerance and turned.shape == np.squeeze(right).shape:
                return found
    for apart in _with_heads(left, right):
        if apart <= tolerance:
            return apart
    return best


def _with_heads(left: Array, right: Array) -> Iterator[float]:
    """How far apart they are when one has heads before steps and the other has merged them."""
    if left.ndim == 4 and right.ndim < 4:
        yield _apart(left.transpose(_HEADS).reshape(-1), right.reshape(-1))
    elif right.ndim == 4 and left.ndim < 4:
        yield _apart(left.reshape(-1), right.transpose(_HEADS).reshape(-1))


def _turned(value: Array) -> Iterator[Array]:
    for order in _ORDERS.get(value.ndim, ()):
        yield np.transpose(value, order)


def _apart(left: Array, right: Array) -> float:
    if not left.size:
        return 0.0
    before, after = left.astype(np.float64), right.astype(np.float64)
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        return 0.0 if np.array_equal(before, after, equal_nan=True) else float(np.inf)
    largest = float(np.abs(before - after).max())
    spread = float(before.std())
    return largest / spread if spread else largest
