"""A checkpoint as every document describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.basics.secrets import without_secrets

if TYPE_CHECKING:
    from ckptmap.checkpoint.inventory import Inventory


def described(inventory: Inventory) -> dict[str, Any]:
    """Path, format, number of variables, size of all values in bytes, and the notes on how it was found."""
    return {
        "path": without_secrets(inventory.path),
        "kind": inventory.kind.value,
        "variables": len(inventory.variables),
        "bytes": sum(variable.nbytes for variable in inventory.variables.values()),
        "notes": list(inventory.notes),
    }
