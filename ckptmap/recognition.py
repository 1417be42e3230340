"""Which shipped model a checkpoint's names belong to."""

from __future__ import annotations

from dataclasses import dataclass

from ckptmap.checkpoint.inventory import Inventory
from ckptmap.errors import TargetError
from ckptmap.inspection.recognize import recognize
from ckptmap.mapping import Table, apply_table, list_tables, load_table
from ckptmap.mapping.slots import classify
from ckptmap.targets.model import Target

_ENOUGH = 0.5
"""Below this share of mapped weights a table is not the checkpoint's own with a few layers off: it is another's."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How many of a checkpoint's weights a table maps: ``share`` between 0 and 1."""

    table: str
    share: float


def likeness(inventory: Inventory, table: Table) -> Likeness:
    """The share of the checkpoint's weights, slots and bookkeeping aside, that ``table`` maps."""
    slots = classify(inventory.variables)
    weights = [name for name in inventory.variables if name not in slots]
    mapped = {name for assignment in apply_table(table, weights).assignments for name in assignment.sources}
    return Likeness(table.name, len(mapped) / len(weights) if weights else 0.0)


def likely_tables(inventory: Inventory) -> tuple[Likeness, ...]:
    """The shipped tables that map at least half of the weights, the best first."""
    found = (likeness(inventory, load_table(name)) for name in list_tables())
    return tuple(sorted((one for one in found if one.share >= _ENOUGH), key=lambda one: (-one.share, one.table)))


def refuse_other_architecture(inventory: Inventory, table: Table, target: Target) -> None:
    """Raise TargetError where ``table`` maps less than half of the weights, naming what the checkpoint looks like."""
    own = likeness(inventory, table)
    if own.share < _ENOUGH:
        raise TargetError(
            f"{inventory.path} is no {target.name}: table {table.name} maps {own.share:.0%} of its weights",
            hint=_looks_like(inventory),
        )


def _looks_like(inventory: Inventory) -> str:
    known = recognize(inventory, classify(inventory.variables))
    likely = likely_tables(inventory)
    if likely:
        name = known.name if known else likely[0].table
        return f"it looks like {name}: use --to {likely[0].table}"
    if known:
        return f"it looks like {known.name}, for which no table is shipped"
    return "it looks like no model that ckptmap knows"
