"""The shipped table that leads from the model in a checkpoint to the model that a user built for it."""

from __future__ import annotations

from dataclasses import replace

from ckptmap.basics.errors import Problem
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.mapping import Table, load_table
from ckptmap.planning.agreement import AGREEMENT, agreement
from ckptmap.planning.name_matching import match, resolved
from ckptmap.request.destination import Destination, has_no_tf1_names
from ckptmap.targets import Target


def with_known_table(inventory: Inventory, destination: Destination) -> Destination:
    """The destination with the table of the model that the checkpoint shows, where nobody named one for the template.

    Of several the one that places the most variables is taken, and none where the names of both sides agree on more.
    """
    if destination.table is not AGREEMENT or has_no_tf1_names(inventory):
        return destination
    target, known = destination.target, {name: load_table(name) for name in _known_tables(inventory)}
    placed = {name: _placed(inventory, table, target) for name, table in known.items()}
    best = max(placed, key=lambda name: placed[name], default="")
    if best and placed[best] and placed[best] >= len(agreement(inventory, target).rules):
        return replace(destination, table=known[best], target=replace(target, table=best))
    return destination


def _known_tables(inventory: Inventory) -> tuple[str, ...]:
    from ckptmap.families.registry import recognize
    from ckptmap.mapping.roles import roles

    model = recognize(inventory, roles(inventory))
    return model.tables if model else ()


def _placed(inventory: Inventory, table: Table, target: Target) -> int:
    """How many of the target's variables the table fills."""
    mapping, layout = resolved(match(inventory, table).mapping, target)
    return sum(not isinstance(layout.find(one.target), Problem) for one in mapping.assignments)
