"""Variables put together to layers: a scope with the roles of its leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.suggest.model import Item, Layer
from ckptmap.suggest.words import NORM, role

if TYPE_CHECKING:
    from collections.abc import Iterable


def layers_of(items: Iterable[Item]) -> tuple[Layer, ...]:
    """The layers of one side, in the order of their first variables.

    What normalizes is a layer apart from what is normalized, even in one scope. A leaf without a known role, and the
    second leaf of a role in one scope, is a layer of its own.
    """
    scopes: dict[tuple[str, bool], dict[str, Item]] = {}
    alone: list[Layer] = []
    for item in items:
        scope, leaf = _cut(item)
        found = role(leaf) or role(item.key.rpartition("/")[2])
        leaves = scopes.setdefault((scope, found in NORM), {}) if scope and found else None
        if leaves is None or found in leaves:
            alone.append(Layer(item.name, item.key, {"value": item}, item.place))
        else:
            leaves[found] = item
    return (*(_layer(scope, leaves) for (scope, _), leaves in scopes.items()), *alone)


def _cut(item: Item) -> tuple[str, str]:
    """Scope and leaf; a ``/`` within one part of an object path is written ``.S``."""
    scope, _, leaf = item.name.replace(".S", "/").rpartition("/")
    return scope, leaf


def _layer(scope: str, leaves: dict[str, Item]) -> Layer:
    places = [item.place for item in leaves.values() if item.place is not None]
    first = next(iter(leaves.values()))
    return Layer(scope, first.key.replace(".S", "/").rpartition("/")[0], leaves, min(places) if places else None)
