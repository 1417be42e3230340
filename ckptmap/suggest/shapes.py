"""Which layers can become which: by the shapes of their leaves alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ckptmap.suggest.layer_values import Layer, Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EQUAL, SQUEEZED, RESHAPED, EXTRA = 1.0, 0.98, 0.95, 0.6
"""How well two leaves fit: same shape; apart from lengths of 1; same values in another shape; a leaf too many."""
_WEIGHTS = ("kernel", "depthwise", "recurrent", "pointwise", "value")
"""The roles that a layer is known by; a kernel can be called by any of these names on the other side."""
_EXACT = ("cell", "cell_bias")
"""What cannot be reshaped: gates lie one after the other in it."""
Signature = tuple[tuple[str, Shape], ...]


def signature(layer: Layer) -> Signature:
    """The shapes of a layer by role."""
    return tuple(sorted((role, item.shape) for role, item in layer.leaves.items()))


def compatibility(old: Sequence[Layer], new: Sequence[Layer]) -> NDArray[np.float32]:
    """How well each old layer fits each new one: 0 for not at all, else up to 1; [old, new], float32."""
    old_kinds, old_at = _distinct(old)
    new_kinds, new_at = _distinct(new)
    table = np.zeros((len(old_kinds), len(new_kinds)), np.float32)
    by_size: dict[int | None, list[int]] = {}
    for at, kind in enumerate(new_kinds):
        by_size.setdefault(_size(kind), []).append(at)
    everything = range(len(new_kinds))
    for row, kind in enumerate(old_kinds):
        size = _size(kind)
        columns = everything if size is None else (*by_size.get(size, ()), *by_size.get(None, ()))
        for column in columns:
            table[row, column] = fit(dict(kind), dict(new_kinds[column]))
    return table[np.ix_(old_at, new_at)]


def _distinct(layers: Sequence[Layer]) -> tuple[list[Signature], list[int]]:
    kinds: dict[Signature, int] = {}
    places = [kinds.setdefault(signature(layer), len(kinds)) for layer in layers]
    return list(kinds), places


def _size(kind: Signature) -> int | None:
    """The number of values of the leaf that a layer is known by; None where a length is open."""
    leaves = dict(kind)
    first = next((leaves[role] for role in (*_WEIGHTS, "beta", "bias", "gamma") if role in leaves), kind[0][1])
    return elements(first)


def elements(shape: Shape) -> int | None:
    """How many values a shape holds; None where a length is open."""
    known = [length for length in shape if length is not None]
    return math.prod(known) if len(known) == len(shape) else None


def layers_fit(old: Layer, new: Layer) -> float:
    """How well an old layer fills a new one, 0 to 1."""
    return fit(*({role: item.shape for role, item in layer.leaves.items()} for layer in (old, new)))


def fit(old: dict[str, Shape], new: dict[str, Shape]) -> float:
    """How well the leaves of an old layer fill those of a new one, 0 to 1."""
    partners = role_partners(tuple(old), tuple(new))
    if partners is None:
        return 0.0
    worst = 1.0
    for one, other in partners.items():
        fits = shape_fit(old[one], new[other])
        worst = min(worst, 0.0 if one in _EXACT and fits < EQUAL else fits)
    spare_old, spare_new = len(old) - len(partners), len(new) - len(partners)
    return worst * EXTRA**spare_old * (0.9**spare_new if worst else 0)


def role_partners(old: tuple[str, ...], new: tuple[str, ...]) -> dict[str, str] | None:
    """Which role of an old layer is which of a new one; None where they are layers of different kinds."""
    partners = {role: role for role in old if role in new}
    rest_old = [role for role in old if role not in partners and role in _WEIGHTS]
    rest_new = [role for role in new if role not in partners and role in _WEIGHTS]
    if len(rest_old) == len(rest_new) == 1:
        partners[rest_old[0]] = rest_new[0]
    elif (rest_old or rest_new) and not len(old) == len(new) == 1:
        return None
    if len(old) == len(new) == 1 and not partners and "value" in (*old, *new):
        partners = {old[0]: new[0]}
    if not partners or ("mean" in old) != ("mean" in new):
        return None
    return partners


def shape_fit(old: Shape, new: Shape) -> float:
    """How well one shape becomes another: by nothing, by squeezing, by merging or cutting neighboring dimensions."""
    if old == new:
        return EQUAL
    if None in old or None in new:
        return _open_fit(old, new)
    if math.prod(_known(old)) != math.prod(_known(new)):
        return 0.0
    if _long(old) == _long(new):
        return SQUEEZED
    return RESHAPED if _merges(_long(old), _long(new)) or _merges(_long(new), _long(old)) else 0.0


def _known(shape: Shape) -> tuple[int, ...]:
    return tuple(length for length in shape if length is not None)


def _open_fit(old: Shape, new: Shape) -> float:
    alike = len(old) == len(new) and all(a is None or b is None or a == b for a, b in zip(old, new, strict=True))
    return EQUAL if alike else 0.0


def _long(shape: Shape) -> tuple[int, ...]:
    return tuple(length for length in shape if length is not None and length != 1)


def _merges(long: tuple[int, ...], short: tuple[int, ...]) -> bool:
    """Whether neighboring lengths of ``long`` multiply to those of ``short``."""
    at = 0
    for wanted in short:
        product = 1
        while at < len(long) and product < wanted:
            product *= long[at]
            at += 1
        if product != wanted:
            return False
    return at == len(long)
