"""Which variable of ``a`` is compared with which of ``b``: the one of the same name, or the one that it became."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from ckptmap.basics.globs import chosen
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory, Variable
from ckptmap.checkpoint.object_graph import SAVE_COUNTER, variable_key

if TYPE_CHECKING:
    from ckptmap.mapping.ops import Op

_BOOKKEEPING = {variable_key(SAVE_COUNTER): "written by tf.train.Checkpoint itself"}


@dataclass(frozen=True, slots=True)
class Pair:
    """What is compared under one name: a variable of ``a``, or several and the operations on them, with one of ``b``.

    ``expected`` says why one side lacks it where that is as it should be.
    """

    name: str
    a: tuple[Variable, ...] = ()
    b: Variable | None = None
    ops: tuple[Op, ...] = ()
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """What a migration says of one variable of the new checkpoint: what it was made of, or why of nothing."""

    key: str
    sources: tuple[str, ...] = ()
    ops: tuple[Op, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Migration:
    """The way from ``a`` to ``b``: ``links`` to the variables of ``b``, and why the others of ``a`` were ``left``."""

    name: str
    links: tuple[Link, ...]
    left: Mapping[str, str]


def pair_by_name(
    a: Inventory, b: Inventory, match: Sequence[str] = (), readable: Mapping[str, str] = MappingProxyType({})
) -> tuple[Pair, ...]:
    """A pair for every name of either side that one of the globs ``match`` chooses (all where there are none).

    They choose by ``readable`` names too, which are those of the variables by key.
    """
    names = [name for name in {**a.variables, **b.variables} if _chosen(name, match, readable)]
    return tuple(_pair_of_name(name, a, b) for name in sorted(names))


def _pair_of_name(name: str, a: Inventory, b: Inventory) -> Pair:
    in_a = a.variables.get(name)
    return Pair(name, (in_a,) if in_a else (), b.variables.get(name))


def pair_by_migration(
    a: Inventory,
    b: Inventory,
    migration: Migration,
    match: Sequence[str] = (),
    readable: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Pair, ...]:
    """A pair for every variable of either side; names are those of ``b``, and of ``a`` for what has no counterpart."""
    pairs = _migrated(a, b, migration)
    return tuple(pair for pair in pairs if any(_chosen(name, match, readable) for name in _names(pair)))


def _migrated(a: Inventory, b: Inventory, migration: Migration) -> Iterator[Pair]:
    linked: set[str] = set()
    for link in migration.links:
        sources = tuple(a.variables[name] for name in link.sources if name in a.variables)
        linked.update(link.sources)
        whole = sources if len(sources) == len(link.sources) else ()
        if whole or link.key in b.variables:
            yield Pair(link.key, whole, b.variables.get(link.key), link.ops, link.reason)
    known = {link.key for link in migration.links}
    for name, variable in b.variables.items():
        if name not in known and name != OBJECT_GRAPH_KEY:
            yield Pair(name, (), variable, expected=_BOOKKEEPING.get(name, ""))
    for name, variable in a.variables.items():
        if name not in linked:
            yield Pair(name, (variable,), None, expected=migration.left.get(name, ""))


def _names(pair: Pair) -> Iterable[str]:
    return (pair.name, *(variable.name for variable in pair.a))


def _chosen(name: str, match: Sequence[str], readable: Mapping[str, str]) -> bool:
    return name != OBJECT_GRAPH_KEY and (not match or chosen(match, name, readable.get(name)))
