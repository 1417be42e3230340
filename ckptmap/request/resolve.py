"""From what the user names (a target, a template, a pipeline.config, a table) to what a plan needs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ckptmap.basics.errors import TargetError
from ckptmap.basics.wording import argument
from ckptmap.families.detection.arguments import PIPELINE
from ckptmap.request.destination import Destination, table_for
from ckptmap.targets import load_target

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.config import PipelineConfig
    from ckptmap.families.detection.pipeline.migrate import Migration
    from ckptmap.families.verdict import Prefer
    from ckptmap.planning.choices import PlanOptions
    from ckptmap.planning.ledger import Plan
    from ckptmap.request.choices import PathLike


def find_destination(
    to: PathLike | None,
    table: PathLike | None,
    pipeline: PathLike | PipelineConfig | None,
    options: PlanOptions,
    prefer: Prefer = "exact",
) -> Destination:
    """The destination that these name; a pipeline.config says the target and its settings where nothing else does.

    ``pipeline`` is a path, or the config read already.

    Raises:
        CkptmapError: the target, table or config cannot be used, or nothing says the target.
    """
    if pipeline is None:
        if to is None:
            raise TargetError(
                "nothing says what to convert to",
                hint=f"give a target with {argument('any to')} or a pipeline.config with {argument(PIPELINE)}",
            )
        target = load_target(os.fspath(to))
        return Destination(target, table_for(target, table), options, None, prefer, own_table=table is not None)
    from ckptmap.request.config_destination import configured

    return configured(pipeline, to, table, options, prefer)


def migration(destination: Destination, plan: Plan, prefix: str | None = None) -> Migration | None:
    """The config for what ``plan`` writes, training from checkpoint ``prefix``.

    It is the one given, migrated; for an EfficientDet, which comes without one, a new one; else None.

    Raises:
        ConfigError: the config's model has no TF2 counterpart, or the file cannot be migrated.
    """
    from ckptmap.families.detection.operations import EFFICIENTDET

    if destination.config is None and not destination.target.name.startswith(EFFICIENTDET):
        return None
    from ckptmap.request.config_destination import migrated

    return migrated(destination, plan, prefix)
