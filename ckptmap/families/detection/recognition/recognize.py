"""Which model a checkpoint holds: recognized by names and shapes alone, the path plays no part."""

from __future__ import annotations

from collections.abc import Collection

from ckptmap.checkpoint.inventory import Inventory
from ckptmap.families.detection.recognition.architecture import Architecture
from ckptmap.families.detection.recognition.tf1 import recognize_tf1
from ckptmap.families.detection.recognition.tf2 import recognize_tf2


def recognize(inventory: Inventory, aside: Collection[str] = ()) -> Architecture | None:
    """The model that the checkpoint holds; None where it is none that ckptmap knows.

    ``aside`` are the variables that are no weights: slots, moving averages, bookkeeping.
    """
    shapes = {name: variable.shape for name, variable in inventory.variables.items() if name not in aside}
    return recognize_tf2(shapes) if inventory.object_based else recognize_tf1(shapes)
