"""Query, key and value of attention as one layer: where one side has them in one variable and the other in three.

And the parts of a partitioned variable (``X/part_0``, ``X/part_1``) as one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

from ckptmap.suggest.layer_values import Item, Layer, Shape
from ckptmap.suggest.shapes import elements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PART = "/part_"
_PART = re.compile(r"(.+)/part_(0|[1-9][0-9]{0,4})")
_WORDS = {"q": 0, "query": 0, "wq": 0, "k": 1, "key": 1, "wk": 1, "v": 2, "value": 2, "wv": 2}
_ADDED = re.compile(r"_(?:proj|projection|lin|linear|dense|layer|transform|kernel)$")
_SPLIT = "several variables are cut out of one, in the order query, key, value: a guess"
_JOINED = "several variables become one, in the order query, key, value: a guess"
_COUNT = 3


def departed(old: Sequence[Item], new: Sequence[Item]) -> list[Item]:
    """The old variables with the parts of each partitioned one put together, along the axis that a new one fits.

    A lone ``part_0`` stays: it is the whole variable.
    """
    parts: dict[str, dict[int, Item]] = defaultdict(dict)
    for item in old:
        match = _PART.fullmatch(item.name)
        if match:
            parts[match[1]][int(match[2])] = item
    shapes = {item.shape for item in new}
    whole = [
        _whole([group[at] for at in range(len(group))], shapes)
        for group in parts.values()
        if len(group) > 1 and set(group) == set(range(len(group)))
    ]
    joined = [item for item in whole if item is not None]
    taken = {name for item in joined for name in item.parts}
    return [*(item for item in old if item.name not in taken), *joined]


def _whole(parts: Sequence[Item], shapes: set[Shape]) -> Item | None:
    fitting = [(axis, shape) for axis, shape in _joined(parts) if shape in shapes]
    if not fitting:
        fitting = list(_joined(parts))[:1]
    if not fitting:
        return None
    axis, shape = fitting[0]
    first = parts[0]
    doubt = "the parts of a partitioned variable fit along several axes: a guess" if len(fitting) > 1 else ""
    names = tuple(part.name for part in parts)
    return Item(first.name, first.key, shape, first.place, names, f"{{concat: {axis}}}", doubt, pieces=tuple(parts))


def _joined(parts: Sequence[Item]) -> Iterator[tuple[int, Shape]]:
    """Axes along which the parts can lie one behind the other, with the shape of the whole."""
    first = parts[0].shape
    for axis in range(len(first)):
        rest = {(*part.shape[:axis], *part.shape[axis + 1 :]) for part in parts if len(part.shape) == len(first)}
        lengths = [part.shape[axis] for part in parts if len(part.shape) == len(first)]
        known = [length for length in lengths if length is not None]
        if len(rest) == 1 and len(known) == len(parts):
            yield axis, (*first[:axis], sum(known), *first[axis + 1 :])


def fused(layers: Sequence[Layer], others: Sequence[Layer], *, new: bool) -> tuple[Layer, ...]:
    """The layers of one side with query, key and value together where the other side has one variable of their size.

    ``new``: whether it is the new side, which is cut out of the other's; the old side is joined.
    """
    there = {_size(layer) for layer in others} - {_size(layer) for layer in layers}
    chosen: list[Layer] = []
    taken: set[int] = set()
    for scope, places in _triples(layers):
        members = [layers[at] for at in places]
        size = _size(members[0])
        if size is not None and _COUNT * size in there:
            whole = _fused(scope, members, new=new)
            if whole is not None:
                chosen.append(whole)
                taken.update(places)
    return (*(layer for at, layer in enumerate(layers) if at not in taken), *chosen)


def other_orders(layer: Layer, *, new: bool) -> tuple[Layer, ...]:
    """A layer of query, key and value with the three in every other order, and with the heads outside; else none.

    How many heads there are is known where the three have an axis for them.
    """
    three = {role: item.pieces for role, item in layer.leaves.items()}
    if any(len(pieces) != _COUNT or not _is_guess(layer.leaves[role]) for role, pieces in three.items()):
        return ()
    found = []
    for order in permutations(range(_COUNT)):
        for heads in (False, True):
            items = {r: _one(r, [three[r][at] for at in order], new=new, heads=heads) for r in three}
            leaves = {role: item for role, item in items.items() if item is not None}
            if len(leaves) == len(three) and (heads or order != tuple(range(_COUNT))):
                found.append(replace(layer, leaves=leaves))
    return tuple(found)


def _is_guess(item: Item) -> bool:
    return item.doubt.startswith((_SPLIT, _JOINED))


def _size(layer: Layer) -> int | None:
    kernel = layer.leaves.get("kernel")
    return elements(kernel.shape) if kernel is not None else None


def _triples(layers: Sequence[Layer]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Scopes with the places of their query, key and value, in this order."""
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for at, layer in enumerate(layers):
        scope, _, word = layer.scope.rpartition("/")
        which = _WORDS.get(_ADDED.sub("", word.lower().strip("_")))
        if which is not None and "kernel" in layer.leaves:
            found[scope].setdefault(which, at)
    for scope, places in found.items():
        if len(places) == _COUNT:
            yield scope, tuple(places[which] for which in range(_COUNT))


def _fused(scope: str, members: Sequence[Layer], *, new: bool) -> Layer | None:
    """The three as one layer; None where their shapes or roles are not the same."""
    first = members[0]
    if any(layer.leaves.keys() != first.leaves.keys() for layer in members):
        return None
    leaves: dict[str, Item] = {}
    for role in first.leaves:
        item = _one(role, [layer.leaves[role] for layer in members], new=new)
        if item is None:
            return None
        leaves[role] = item
    words = "_".join(layer.scope.rpartition("/")[2] for layer in members)
    key = f"{first.key.rpartition('/')[0]}/{words}".lstrip("/")
    places = [layer.place for layer in members if layer.place is not None]
    return Layer(f"{scope}/{words}".lstrip("/"), key, leaves, min(places) if places else None)


def _one(role: str, items: Sequence[Item], *, new: bool, heads: bool = False) -> Item | None:
    """The three as one: a kernel as [inputs, three times outputs], anything else as [three times outputs].

    With ``heads`` each head has its own three, one after the other; None where nothing says how many heads there are.
    """
    first = items[0]
    inputs = first.shape[:1] if role == "kernel" else ()
    width = elements(first.shape[len(inputs) :])
    if any(item.shape != first.shape for item in items) or width is None or None in inputs:
        return None
    shape, plain = (*inputs, _COUNT * width), (*inputs, width)
    by_head = _by_head(first.shape[len(inputs) :], new=new)
    if heads and not by_head:
        return None
    flat = "" if first.shape == plain else "{reshape: target}" if new else f"{{reshape: {_written(plain)}}}"
    steps = ["{split: {axis: -1, parts: 3}}", flat] if new else [flat, "{concat: -1}"]
    join = by_head if heads else ", ".join(step for step in steps if step)
    names = tuple(item.name for item in items)
    doubt = _SPLIT if new else _JOINED
    if by_head and not heads:
        doubt += f"; if each head has its own three, the operations are [{by_head}]"
    return Item(first.name, first.key, shape, first.place, names, join, doubt, pieces=tuple(items))


def _by_head(outputs: Shape, *, new: bool) -> str:
    """The operations where each head has its own three; empty where the outputs are not [heads, size of a head]."""
    if len(outputs) != 2 or None in outputs:
        return ""
    heads, size = outputs
    if new:
        return f"{{reshape: [-1, {heads}, {_COUNT}, {size}]}}, {{split: {{axis: 2, parts: 3}}}}, {{reshape: target}}"
    return f"{{reshape: [-1, {heads}, 1, {size}]}}, {{concat: 2}}, {{reshape: target}}"


def _written(shape: Shape) -> str:
    """A shape as a table writes it, its last length left open."""
    return f"[{', '.join(map(str, (*shape[:-1], -1)))}]"
