"""Which of a variable's names a table means: of a TF2 checkpoint the readable one, its object path, or its key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from ckptmap.checkpoint.inventory import Inventory
from ckptmap.mapping import Table, apply_table
from ckptmap.mapping.table import MappingResult


def spoken_names(table: Table, inventory: Inventory, names: Collection[str]) -> dict[str, str]:
    """The name that ``table`` has for each of ``names``: the first that a rule takes, else the one it goes by here.

    Names that two variables could mean are none.
    """
    if not inventory.names:
        return {name: name for name in names}
    candidates = {name: (name, *inventory.names.get(name, ())) for name in names}
    every = {candidate for known in candidates.values() for candidate in known}
    taken = every.difference(apply_table(table, every).unmatched)
    return {name: next((one for one in known if one in taken), name) for name, known in candidates.items()}


def as_listed(mapping: MappingResult, spoken: Mapping[str, str]) -> MappingResult:
    """What a table makes of ``spoken`` names (by the name that each goes by here), in terms of the latter."""
    by_said = {said: name for name, said in spoken.items() if said != name}
    if not by_said:
        return mapping
    assignments = (one._replace(sources=_table_names(one.sources, by_said)) for one in mapping.assignments)
    return replace(
        mapping,
        assignments=tuple(assignments),
        drops=tuple(replace(drop, source=by_said.get(drop.source, drop.source)) for drop in mapping.drops),
        unmatched=_table_names(mapping.unmatched, by_said),
        hints={by_said.get(name, name): hint for name, hint in mapping.hints.items()},
    )


def _table_names(names: Iterable[str], by_said: Mapping[str, str]) -> tuple[str, ...]:
    return tuple([by_said.get(name, name) for name in names])
