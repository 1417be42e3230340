"""Two graphs compared by what lies around each layer: colors after Weisfeiler and Lehman.

A layer begins with the color of its size. In each round it gets a new one from its own and those of its neighbors
before and behind it. Two layers with the same color after many rounds lie in neighborhoods that cannot be told apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ckptmap.suggest.shapes import elements

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from numpy.typing import NDArray

    from ckptmap.suggest.graphs import Flow
    from ckptmap.suggest.layer_values import Layer

_ROUNDS = 24


def colors(
    old: Sequence[Layer], new: Sequence[Layer], flows: tuple[Flow, Flow], pairs: Mapping[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.intp]]:
    """For each pair the share of the rounds in which both have the same color, [old, new], and the last colors.

    Where there are ``pairs``, layers without a partner are looked past: side branches for training have none.
    """
    known: dict[Hashable, int] = {}
    one = [known.setdefault(_size(layer), len(known)) for layer in old]
    other = [known.setdefault(_size(layer), len(known)) for layer in new]
    around = _around(flows[0], set(pairs)), _around(flows[1], set(pairs.values()))
    alike = np.zeros((len(old), len(new)), np.float32)
    for _ in range(_ROUNDS):
        alike += np.array(one)[:, None] == np.array(other)[None, :]
        one, other = _round(one, around[0], known), _round(other, around[1], known)
    return (alike / _ROUNDS).astype(np.float32), np.array(one), np.array(other)


def _size(layer: Layer) -> Hashable:
    """What stays the same in a reshape: the number of values of what the layer is known by."""
    main = next((layer.leaves[role] for role in ("kernel", "depthwise", "beta", "gamma") if role in layer.leaves), None)
    return layer.is_norm, elements((main or next(iter(layer.leaves.values()))).shape)


def _around(flow: Flow, kept: set[int]) -> tuple[list[list[int]], list[list[int]]]:
    """The neighbors before and behind each layer, those of ``kept`` alone if there are any."""
    before: list[list[int]] = [[] for _ in flow.direct]
    behind: list[list[int]] = [[] for _ in flow.direct]
    for at, bits in enumerate(flow.direct):
        for source in range(bits.bit_length()):
            if bits >> source & 1 and source != at and (not kept or {source, at} <= kept):
                before[at].append(source)
                behind[source].append(at)
    return before, behind


def _round(
    color: Sequence[int], around: tuple[list[list[int]], list[list[int]]], known: dict[Hashable, int]
) -> list[int]:
    before, behind = ([tuple(sorted(color[one] for one in near)) for near in side] for side in around)
    return [known.setdefault((own, before[at], behind[at]), len(known)) for at, own in enumerate(color)]
