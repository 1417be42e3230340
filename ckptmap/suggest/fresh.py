"""Roles of leaves whose names say none, by what a template that was never trained holds in them.

A fresh gain or moving variance is 1 everywhere; a fresh offset, moving mean or bias is 0.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.object_graph import variable_key
from ckptmap.suggest.natural import natural
from ckptmap.suggest.words import NORM, role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ckptmap.checkpoint.reader import Checkpoint
    from ckptmap.suggest.layer_values import Item

_LONGEST = 1 << 16
_MOST = 2_000
"""Values that are read: a draft reads indexes otherwise."""
_GUESS = "a guess: a fresh template does not show which is the gain and which the variance, or the offset and the mean"


def with_values(items: Iterable[Item], checkpoint: Checkpoint) -> tuple[Item, ...]:
    """The new variables, with ``fresh`` for the vectors of 1 or 0 whose names do not say what they hold."""
    listed = list(items)
    unknown = [item for item in listed if not _known(item) and _is_vector(item)][:_MOST]
    stored = _by_path(checkpoint.inventory.variables) if unknown else {}
    found = {item.key: _fresh(checkpoint, stored.get(item.key, item.name)) for item in unknown}
    return tuple(replace(item, fresh=found.get(item.key, "")) for item in listed)


def _known(item: Item) -> bool:
    return bool(role(item.name.rpartition("/")[2]) or role(item.key.rpartition("/")[2]))


def _is_vector(item: Item) -> bool:
    return len(item.shape) == 1 and 1 < (item.shape[0] or 0) <= _LONGEST


def _by_path(names: Iterable[str]) -> dict[str, str]:
    """Names in the file by the object path below the root."""
    paths = {name.removesuffix(variable_key("")): name for name in names}
    return {**{path.partition("/")[2]: name for path, name in paths.items()}, **paths}


def _fresh(checkpoint: Checkpoint, name: str) -> str:
    try:
        value = checkpoint.read(name)
    except CkptmapError:
        return ""
    if value.dtype.kind != "f" or not (value == value.flat[0]).all():
        return ""
    return {0.0: "zeros", 1.0: "ones"}.get(float(value.flat[0]), "")


def roles_by_value(items: Iterable[Item], placed: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str, str]]:
    """For leaves without a role, by name, their scope, the role that their values say, and what is doubtful of it.

    ``placed``: the scope and the role of each variable by name, as names say it.
    """
    scopes: dict[str, list[Item]] = defaultdict(list)
    roles: dict[str, dict[str, Item]] = defaultdict(dict)
    for item in items:
        scope, found = placed[item.name]
        if found:
            roles[scope][found] = item
        elif item.fresh:
            scopes[item.name.rpartition("/")[0]].append(item)
    result: dict[str, tuple[str, str, str]] = {}
    for scope, unknown in scopes.items():
        for item, found, doubt in _told(unknown, roles[scope]) if scope else ():
            result[item.name] = scope, found, doubt
    return result


def _told(unknown: Sequence[Item], known: Mapping[str, Item]) -> list[tuple[Item, str, str]]:
    """The roles of a scope's unknown leaves; none where several ways are open, but for the four of a batch norm."""
    ones, zeros = ([item for item in unknown if item.fresh == value] for value in ("ones", "zeros"))
    if len({item.shape for item in unknown}) != 1 or known.keys() & NORM:
        return []
    kernel = known.get("kernel")
    if kernel is not None:
        fits = len(unknown) == len(zeros) == 1 and kernel.shape[-1:] == zeros[0].shape and "bias" not in known
        return [(zeros[0], "bias", "")] if fits else []
    if known:
        return []
    if len(ones) == len(zeros) == 1:
        return [(ones[0], "gamma", ""), (zeros[0], "beta", "")]
    if len(ones) == len(zeros) == 2:
        by_name = [sorted(group, key=lambda item: natural(item.name)) for group in (ones, zeros)]
        pairs = zip((*by_name[0], *by_name[1]), ("gamma", "variance", "beta", "mean"), strict=True)
        return [(item, found, _GUESS) for item, found in pairs]
    return []
