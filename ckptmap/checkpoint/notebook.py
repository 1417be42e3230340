"""A checkpoint in the cell of a notebook: what it is, and its first variables."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from ckptmap.basics.card import card
from ckptmap.basics.text import byte_count, plural

if TYPE_CHECKING:
    from ckptmap.checkpoint.inventory import Inventory

_MOST = 10


def inventory_card(inventory: Inventory) -> str:
    """The kind, the counts and up to ten variables, as a small piece of HTML."""
    held = inventory.variables
    size = byte_count(sum(variable.nbytes for variable in held.values()))
    lines = (f"{inventory.kind.value}: {plural(len(held), 'variable')}, {size}", *inventory.notes[:_MOST])
    shown = [(one.name, one.dtype, list(one.shape)) for one in islice(held.values(), _MOST)]
    more = [(f"and {len(held) - _MOST:,} more", "", "")] if len(held) > _MOST else []
    return card(inventory.path, lines, ([("variable", "dtype", "shape"), *shown, *more],))
