"""Which variable of ``a`` is compared with which of ``b``: the one of the same name, or the one that it became."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ckptmap.basics.globs import chosen, refuse_choosing_nothing
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory, Variable
from ckptmap.checkpoint.object_graph import SAVE_COUNTER, variable_key
from ckptmap.diff.averages import Averaged

if TYPE_CHECKING:
    from ckptmap.mapping.ops import Op

_BOOKKEEPING = {variable_key(SAVE_COUNTER): "written by tf.train.Checkpoint itself"}


_MOVED = "another object path, the same readable name"
_AVERAGE_NOTES = {"a": "moving average in a, raw value in b", "b": "raw value in a, moving average in b"}


class Pair(NamedTuple):
    """What is compared under one name: a variable of ``a``, or several and the operations on them, with one of ``b``.

    ``expected`` says why one side lacks it where that is as it should be, ``note`` what is to be known of the two.
    """

    name: str
    a: tuple[Variable, ...] = ()
    b: Variable | None = None
    ops: tuple[Op, ...] = ()
    expected: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """What a migration says of one variable of the new checkpoint: what it was made of, or why of nothing.

    ``note`` is what is to be known of how it was made.
    """

    key: str
    sources: tuple[str, ...] = ()
    ops: tuple[Op, ...] = ()
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Migration:
    """The way from ``a`` to ``b``: ``links`` to the variables of ``b``, and why the others of ``a`` were ``left``."""

    name: str
    links: tuple[Link, ...]
    left: Mapping[str, str]


def pair_by_name(
    a: Inventory,
    b: Inventory,
    match: Sequence[str] = (),
    of_averages: Averaged | None = None,
    moved: Mapping[str, str] = MappingProxyType({}),
    readable: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Pair, ...]:
    """A pair for every name of either side that one of the globs ``match`` chooses (all where there are none).

    They choose by ``readable`` names too, which are those of the variables by key. Those of ``of_averages`` are pairs
    of a moving average and the raw value of the other side; ``moved`` are keys of ``a``, by those of ``b``, that are
    pairs under another name.

    Raises:
        PatternError: a glob chooses nothing.
    """
    names = {**a.variables, **b.variables}.keys() - {OBJECT_GRAPH_KEY}
    special = dict(_average_pairs(a, b, of_averages)) if of_averages else {}
    special |= {new: Pair(new, (a.variables[old],), b.variables[new], note=_MOVED) for new, old in moved.items()}
    names -= set(moved.values())
    return _chosen([special.get(name) or _pair_of_name(name, a, b) for name in sorted(names)], match, readable)


def _average_pairs(a: Inventory, b: Inventory, found: Averaged) -> Iterator[tuple[str, Pair]]:
    """The pair of each average, and what is left of the raw value that it stands for."""
    for owner, average in found.averages.items():
        in_a, in_b = (average, owner) if found.side == "a" else (owner, average)
        yield average, Pair(average, (a.variables[in_a],), b.variables[in_b], note=_AVERAGE_NOTES[found.side])
        raw = (a if found.side == "a" else b).variables.get(owner)
        if raw is not None:
            of_a, of_b = ((raw,), None) if found.side == "a" else ((), raw)
            yield owner, Pair(owner, of_a, of_b, expected="its moving average is compared")


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
    """A pair for every variable of either side; names are those of ``b``, and of ``a`` for what has no counterpart.

    Raises:
        PatternError: a glob of ``match`` chooses nothing.
    """
    pairs = [pair for pair in _migrated(a, b, migration) if pair.name != OBJECT_GRAPH_KEY]
    return _chosen(pairs, match, readable)


def _migrated(a: Inventory, b: Inventory, migration: Migration) -> Iterator[Pair]:
    linked: set[str] = set()
    for link in migration.links:
        sources = tuple(a.variables[name] for name in link.sources if name in a.variables)
        linked.update(link.sources)
        whole = sources if len(sources) == len(link.sources) else ()
        if whole or link.key in b.variables:
            yield Pair(link.key, whole, b.variables.get(link.key), link.ops, link.reason, link.note)
    known = {link.key for link in migration.links}
    for name, variable in b.variables.items():
        if name not in known and name != OBJECT_GRAPH_KEY:
            yield Pair(name, (), variable, expected=_BOOKKEEPING.get(name, ""))
    for name, variable in a.variables.items():
        if name not in linked:
            yield Pair(name, (variable,), None, expected=migration.left.get(name, ""))


def _names(pair: Pair, readable: Mapping[str, str]) -> tuple[str, ...]:
    """All that the pair goes by: its name, those of the variables of ``a``, and their readable ones."""
    keys = dict.fromkeys((pair.name, *(variable.name for variable in pair.a)))
    return (*keys, *(readable[key] for key in keys if key in readable))


def _chosen(pairs: Sequence[Pair], match: Sequence[str], readable: Mapping[str, str]) -> tuple[Pair, ...]:
    if not match:
        return tuple(pairs)
    names = [_names(pair, readable) for pair in pairs]
    refuse_choosing_nothing("match", match, names)
    return tuple(pair for pair, own in zip(pairs, names, strict=True) if chosen(match, *own))
