"""Structure as evidence: scopes that hold the same, and names that count the same things."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from ckptmap.suggest.numbering import numbers, template
from ckptmap.suggest.words import prefixes

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from numpy.typing import NDArray

    from ckptmap.suggest.layer_values import Layer

_ALIKE = 0.3
"""From what overlap on two scopes count as the same part of the model."""
_LEAST = 3


def coherence(old: Sequence[Layer], new: Sequence[Layer], pairs: Iterable[tuple[int, int]]) -> NDArray[np.float32]:
    """For each pair of layers how well the best two scopes around them overlap by ``pairs``; [old, new], 0 to 1."""
    old_scopes = [prefixes(layer.scope) for layer in old]
    new_scopes = [_both_prefixes(layer) for layer in new]
    old_members, new_members = _members(old_scopes), _members(new_scopes)
    together = Counter((a, b) for one, other in pairs for a in old_scopes[one] for b in new_scopes[other])
    found = np.zeros((len(old), len(new)), np.float32)
    for (a, b), count in together.items():
        overlap = 2 * count / (len(old_members[a]) + len(new_members[b]))
        if overlap >= _ALIKE and count >= _LEAST:
            block = np.ix_(old_members[a], new_members[b])
            found[block] = np.maximum(found[block], overlap)
    return found


def misplaced(layers: Sequence[Layer], fitting: NDArray[np.bool_]) -> NDArray[np.float32]:
    """For each layer the largest share of the layers of a scope around it that nothing of the other side fits.

    A layer among such is more likely to be left over itself: side branches for training hold some of usual shapes.
    """
    found = np.zeros(len(layers), np.float32)
    for members in _members([prefixes(layer.scope) for layer in layers]).values():
        if len(members) >= _LEAST:
            found[members] = np.maximum(found[members], 1 - fitting[members].mean())
    return found


def _both_prefixes(layer: Layer) -> tuple[str, ...]:
    own = prefixes(layer.scope)
    return own if layer.key == layer.scope else (*own, *(f"/{scope}" for scope in prefixes(layer.key)))


def _members(scopes: Sequence[Sequence[str]]) -> dict[str, NDArray[np.intp]]:
    found: dict[str, list[int]] = defaultdict(list)
    for at, own in enumerate(scopes):
        for scope in own:
            found[scope].append(at)
    return {scope: np.array(members) for scope, members in found.items()}


def counted_alike(old: Sequence[Layer], new: Sequence[Layer]) -> NDArray[np.float32]:
    """1 for layers whose groups count the same shapes in the same way, less where several groups do; [old, new].

    A group is made of the layers whose names differ in numbers only. What numbers there are is compared by their order.
    """
    found = np.zeros((len(old), len(new)), np.float32)
    one, other = _groups(old), _groups(new)
    for key, groups in one.items():
        partners = other.get(key, ())
        for group in groups:
            for partner in partners:
                value = 1 / max(len(groups), len(partners))
                for place, at in group.items():
                    found[at, partner[place]] = value
    return found


def _groups(layers: Sequence[Layer]) -> dict[Hashable, list[dict[tuple[int, ...], int]]]:
    """The groups of layers by what they count: for each the layer at each place."""
    by_template: dict[str, list[int]] = defaultdict(list)
    for at, layer in enumerate(layers):
        by_template[f"{template(layer.scope)} {layer.is_norm}"].append(at)
    found: dict[Hashable, list[dict[tuple[int, ...], int]]] = defaultdict(list)
    for members in by_template.values():
        if len(members) >= _LEAST:
            places = _places([numbers(layers[at].scope) for at in members])
            shapes = (tuple(item.shape for _, item in sorted(layers[at].leaves.items())) for at in members)
            key = frozenset(zip(places, shapes, strict=True))
            found[key].append(dict(zip(places, members, strict=True)))
    return found


def _places(rows: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The numbers as places among those there are, without those that never change."""
    columns = []
    for at in range(len(rows[0])):
        values = sorted({row[at] for row in rows})
        if len(values) > 1:
            place = {value: number for number, value in enumerate(values)}
            columns.append([place[row[at]] for row in rows])
    return list(zip(*columns, strict=True)) if columns else [()] * len(rows)
