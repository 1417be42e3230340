"""Counted scalars of one scope, ``w``, ``w_1``, ``w_2``, as one variable: where the new model has no scalars."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from ckptmap.suggest.layer_values import Item

if TYPE_CHECKING:
    from collections.abc import Sequence

_COUNTED = re.compile(r"(.+?)(?:_([1-9][0-9]{0,3}))?")

_DOUBT = "several variables become one: their order is that of their numbers, a guess"


def stacked(old: Sequence[Item], new: Sequence[Item]) -> list[Item]:
    """The old variables with each complete count of scalars put together, if no new variable is a scalar."""
    if any(item.shape == () for item in new):
        return list(old)
    groups: dict[str, dict[int, Item]] = defaultdict(dict)
    for item in old:
        match = _COUNTED.fullmatch(item.name)
        if item.shape == () and match:
            groups[match[1]][int(match[2] or 0)] = item
    whole = {stem: group for stem, group in groups.items() if len(group) > 1 and set(group) == set(range(len(group)))}
    taken = {item.name for group in whole.values() for item in group.values()}
    return [*(item for item in old if item.name not in taken), *(_stacked(group) for group in whole.values())]


def _stacked(group: dict[int, Item]) -> Item:
    first = group[0]
    names = tuple(group[at].name for at in range(len(group)))
    return Item(first.name, first.key, (len(group),), first.place, names, "{stack: 0}", _DOUBT)
