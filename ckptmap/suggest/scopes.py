"""Scopes that come over whole: every variable keeps its name, but for what lies before it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from ckptmap.suggest.words import prefixes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ckptmap.suggest.layer_values import Item, Layer

    Moves = Sequence[tuple[Item, Item, str]]

_WHOLE = 12
"""How many variables a scope must have to be worth a rule of its own."""


def whole_scopes(moves: Sequence[Moves], old: Sequence[Layer]) -> dict[int, tuple[str, str]]:
    """The pairs, by number, that lie in such a scope, with the scope and what it becomes; the outermost are taken.

    ``moves`` are those of each pair, ``old`` all layers of the old side.
    """
    below = Counter(scope for layer in old for item in layer.leaves.values() for scope in prefixes(item.name))
    whole: dict[str, str] = {}
    for scope, targets in sorted(_kept(moves).items(), key=lambda item: (len(item[0]), item[0])):
        ((target, count),) = targets.most_common(1)
        if count == below[scope] >= _WHOLE and not any(outer in whole for outer in prefixes(scope)):
            whole[scope] = target
    found = {}
    for at, own in enumerate(moves):
        outer = next((scope for scope in prefixes(own[0][0].name) if scope in whole), None)
        if outer is not None:
            found[at] = outer, whole[outer]
    return found


def _kept(moves: Sequence[Moves]) -> dict[str, Counter[str]]:
    """For each old scope what stands before the same rest in the new names, and how often."""
    kept: dict[str, Counter[str]] = defaultdict(Counter)
    for old, new, ops in (move for own in moves for move in own):
        for scope in prefixes(old.name) if not ops else ():
            rest = old.name[len(scope) :]
            if new.name.endswith(rest) and len(new.name) > len(rest):
                kept[scope][new.name[: -len(rest)]] += 1
    return kept


def grouped_by(values: Mapping[int, tuple[str, str]]) -> dict[tuple[str, str], list[int]]:
    """The numbers by their value."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, value in values.items():
        groups[value].append(at)
    return groups
