"""The variables of a spec, compressed: one entry for a layer in place of one for each of its variables.

A batch norm is four variables that differ in their last name and in how they start, and of these there are hundreds in
a deep model. Compression loses nothing: ``expand(compress(variables))`` is ``variables``, order included.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Entry = Mapping[str, Any]
"""A variable as a spec's JSON object; compressed, ``leaves`` stands in place of what its variables do not share."""

_SHARED = ("key", "name", "part", "when")
_LEAF = ("dims", "initializer")


def compress(variables: Iterable[Entry]) -> list[Entry]:
    """One entry for all variables that follow each other and belong to one layer: ``leaves`` by their last name.

    A leaf is a list: dimensions, initializer, and what else the variable has for itself.
    """
    groups = itertools.groupby(variables, _layer)
    return [entry for layer, group in groups for entry in _compressed(layer, list(group))]


def expand(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The variables of compressed entries, one after the other; entries that are variables stay as they are."""
    for entry in entries:
        if "leaves" not in entry:
            yield entry
            continue
        shared = {name: value for name, value in entry.items() if name != "leaves"}
        for leaf, (dims, initializer, *rest) in entry["leaves"].items():
            place = {"key": f"{entry['key']}/{leaf}", "name": f"{entry['name']}/{leaf}"}
            yield {**shared, **place, "dims": dims, "initializer": initializer, **(rest[0] if rest else {})}


def _layer(entry: Entry) -> tuple[str, str, str, str] | None:
    """What the variables of one layer share; None for a variable whose key and name end otherwise."""
    (key, _, leaf), (name, _, last) = (entry[field].rpartition("/") for field in ("key", "name"))
    return (key, name, entry["part"], repr(entry.get("when"))) if leaf == last and key and name else None


def _compressed(layer: tuple[str, str, str, str] | None, group: Sequence[Entry]) -> Iterator[Entry]:
    leaves = {entry["key"].rpartition("/")[2]: _leaf(entry) for entry in group}
    if layer is None or len(leaves) < len(group):
        yield from group
        return
    shared = {name: group[0][name] for name in _SHARED if name in group[0]}
    yield {**shared, "key": layer[0], "name": layer[1], "leaves": leaves}


def _leaf(entry: Entry) -> list[Any]:
    rest = {name: value for name, value in entry.items() if name not in (*_SHARED, *_LEAF)}
    return [*(entry[name] for name in _LEAF), *([rest] if rest else [])]
