"""Variables of two object checkpoints whose paths differ: paired by the readable names that the object graphs hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from ckptmap.checkpoint.reader import Checkpoint


def same_readable_name(a: Checkpoint, b: Checkpoint) -> dict[str, str]:
    """The keys of ``a`` by those of ``b``, of the variables that have no counterpart by path and share a readable name.

    Only names that one variable alone has among those of its side say which is which. Empty where a checkpoint is none
    of objects, or its graph cannot be read.
    """
    if not (a.inventory.object_based and b.inventory.object_based):
        return {}
    only_a = a.inventory.variables.keys() - b.inventory.variables.keys()
    only_b = b.inventory.variables.keys() - a.inventory.variables.keys()
    if not only_a or not only_b:
        return {}
    ours, theirs = dict(_unique(a.readable_names(), only_a)), dict(_unique(b.readable_names(), only_b))
    return {theirs[name]: ours[name] for name in ours.keys() & theirs.keys()}


def _unique(names: Mapping[str, str], keys: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The key of each readable name that one of ``keys`` alone has."""
    found = {key: names[key] for key in keys if key in names}
    counts = Counter(found.values())
    return ((name, key) for key, name in found.items() if counts[name] == 1)
