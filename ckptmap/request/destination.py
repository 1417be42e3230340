"""Where a conversion goes, as a value."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.basics.errors import TargetError
from ckptmap.basics.wording import argument
from ckptmap.mapping import Table, load_table
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


def table_for(target: Target, table: PathLike | None) -> Table:
    """The table that the user names, else the target's own.

    Raises:
        CkptmapError: it cannot be used, or there is none.
    """
    if table is not None:
        return load_table(os.fspath(table))
    if target.table is None:
        raise TargetError(
            f"{target.name} is no model that ckptmap has a table for",
            hint=f"give your own with {argument('table')}",
        )
    return load_table(target.table)
