"""The names by which people know a checkpoint's variables, where the file has others for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from ckptmap.checkpoint.inventory import Inventory
from ckptmap.checkpoint.object_graph import VALUE_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ckptmap.checkpoint.object_paths import ObjectPaths


def part_name(label: str, name: str) -> str:
    """What a variable of one of several checkpoints is called: ``decoder:dense/kernel``."""
    return f"{label}:{name}" if label else name


def distinct(names: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """The names of each without those that another one has too, each once, in their order."""
    wanted = {owner: tuple(dict.fromkeys(name for name in own if name)) for owner, own in names.items()}
    count = Counter(name for own in wanted.values() for name in own)
    return {owner: tuple(name for name in own if count[name] == 1) for owner, own in wanted.items()}


def told_names(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What to call each variable in a message, of pairs of key and name: by the key where several have the name."""
    pairs = list(names)
    count = Counter(name for _, name in pairs)
    return {key: name if count[name] == 1 else key for key, name in pairs}


def renamed(inventory: Inventory, names: Mapping[str, tuple[str, ...]]) -> tuple[Inventory, dict[str, str]]:
    """The inventory with variables under the first of their ``names``, and the name in the file of each."""
    keys = {(names.get(key) or (key,))[0]: key for key in inventory.variables}
    variables = {name: inventory.variables[key]._replace(name=name) for name, key in sorted(keys.items())}
    others = {name: names[key][1:] for name, key in keys.items() if key in names}
    return replace(inventory, variables=variables, names=others), keys


def named(inventory: Inventory, known: ObjectPaths) -> tuple[Inventory, dict[str, str]]:
    """An object-based checkpoint by readable names, and the key of each.

    Weights go by the readable name that they were saved with, where only one has it, else by the object path. A table
    may call them by their path too, from the checkpoint on or from the one object on that holds them all, and by their
    key. What is no weight goes by its key.
    """
    paths = {key: path for key, path in known.paths.items() if _is_weight(key, path, inventory, known)}
    roots = {path.partition("/")[0] for path in paths.values()}
    alone = len(roots) == 1
    names = {
        key: (known.names.full_names[key], path, path.partition("/")[2] if alone else "", key)
        for key, path in paths.items()
    }
    rest = {key: (key,) for key in inventory.variables if key not in names}
    return renamed(inventory, distinct({**names, **rest}))


def _is_weight(key: str, path: str, inventory: Inventory, known: ObjectPaths) -> bool:
    return (
        "/" in path and key.endswith(VALUE_SUFFIX) and key in inventory.variables and key not in known.names.slot_keys
    )
