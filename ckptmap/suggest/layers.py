"""Variables put together to layers: a scope with the roles of its leaves."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ckptmap.suggest.fresh import roles_by_value
from ckptmap.suggest.layer_values import Item, Layer
from ckptmap.suggest.words import NORM, numbered_role, role

if TYPE_CHECKING:
    from collections.abc import Iterable


_PART = re.compile(r"/part_[0-9]+$")
_GAINS = frozenset({"g"})
_GAIN_AND_OFFSET = {"g": "gamma", "b": "beta"}


def layers_of(items: Iterable[Item]) -> tuple[Layer, ...]:
    """The layers of one side, in the order of their first variables.

    A role that the name does not say can be known by the values of a template that was never trained. What normalizes
    is a layer apart from what is normalized, even in one scope. A leaf without a known role, and the second leaf of a
    role in one scope, is a layer of its own.
    """
    listed = list(items)
    gains = {scope for scope, leaf in map(_cut, listed) if leaf in _GAINS}
    scopes: dict[tuple[str, bool], dict[str, Item]] = {}
    alone: list[Layer] = []
    placed = {item.name: _placed(item, gains) for item in listed}
    told = roles_by_value(listed, placed)
    for item in listed:
        scope, found = placed[item.name]
        if item.name in told:
            scope, found, doubt = told[item.name]
            item = replace(item, doubt=doubt)  # noqa: PLW2901
        leaves = scopes.setdefault((scope, found in NORM), {}) if scope and found else None
        if leaves is None or found in leaves:
            alone.append(Layer(item.name, item.key, {"value": item}, item.place))
        else:
            leaves[found] = item
    return (*(_layer(scope, leaves) for (scope, _), leaves in scopes.items()), *alone)


def _placed(item: Item, gains: set[str]) -> tuple[str, str]:
    """The layer that a variable belongs to, and what it is in it; no role where its name does not say one.

    Beside a gain ``g``, ``b`` is an offset. ``W1`` and ``b1``, ``conv1_w`` and ``conv1_b`` belong together as well.
    """
    scope, leaf = _cut(item)
    if scope in gains and leaf in _GAIN_AND_OFFSET:
        return scope, _GAIN_AND_OFFSET[leaf]
    found = role(leaf) or role(_cut_text(item.key)[1])
    if found:
        return scope, found
    stem, found = numbered_role(leaf)
    return f"{scope}/{stem}" if scope else stem, found


def _cut(item: Item) -> tuple[str, str]:
    return _cut_text(item.name)


def _cut_text(name: str) -> tuple[str, str]:
    """Scope and leaf; a ``/`` within one part of an object path is written ``.S``. Of a partition the whole's."""
    scope, _, leaf = _PART.sub("", name.replace(".S", "/")).rpartition("/")
    return scope, leaf


def _layer(scope: str, leaves: dict[str, Item]) -> Layer:
    places = [item.place for item in leaves.values() if item.place is not None]
    first = next(iter(leaves.values()))
    key = _cut_text(first.key)[0] or scope
    return Layer(scope, key if first.key != first.name else scope, leaves, min(places) if places else None)
