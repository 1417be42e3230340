"""Where a conversion goes, as a value."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.basics.errors import TargetError
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.inventory import OF_OTHERS, Inventory
from ckptmap.mapping import Table, load_table
from ckptmap.planning.agreement import AGREEMENT, agreement
from ckptmap.planning.choices import PlanOptions
from ckptmap.request.choices import PathLike
from ckptmap.targets import Target

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.config import PipelineConfig
    from ckptmap.families.detection.pipeline.migrate import Begun
    from ckptmap.families.verdict import Prefer


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a conversion goes: the target, the table that leads there, the options, the config if there is one.

    ``begun`` is the config with TF2's model, where it is one of TF1.
    """

    target: Target
    table: Table
    options: PlanOptions
    config: PipelineConfig | None = None
    prefer: Prefer = "exact"
    begun: Begun | None = None
    own_table: bool = False
    """Whether the user named the table."""

    def table_of(self, inventory: Inventory) -> Table:
        """The table for a source: the user's, the target's own, or what both sides call alike.

        Raises:
            TargetError: shipped tables speak of TF1 names, and the source has others; or no name agrees.
        """
        if self.table is not AGREEMENT and (self.own_table or not has_no_tf1_names(inventory)):
            return self.table
        if self.target.template is None:
            raise TargetError(
                f"{inventory.path} is a TF2 checkpoint already: its variables are object paths",
                hint=f"restore it with tf.train.Checkpoint, or give your own table with {argument('table')}",
            )
        table = agreement(inventory, self.target)
        if not table.rules:
            message = f"{self.target.name} has no table in ckptmap, and no variable with the same name as in the source"
            raise TargetError(message, hint=f"give your own with {argument('table')}")
        return table


def table_for(target: Target, table: PathLike | None) -> Table:
    """The table that the user names, else the target's own; of a template without one, ``AGREEMENT``.

    Raises:
        CkptmapError: it cannot be used.
    """
    if table is not None:
        return load_table(os.fspath(table))
    return AGREEMENT if target.table is None else load_table(target.table)


def has_no_tf1_names(inventory: Inventory) -> bool:
    """Whether the variables are called as TF2 and Keras call them: shipped tables speak of others."""
    return inventory.object_based or inventory.kind in OF_OTHERS
