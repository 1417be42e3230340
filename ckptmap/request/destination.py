"""From what the user names (a target, a template, a pipeline.config, a table) to what a plan needs."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ckptmap.basics.errors import TargetError
from ckptmap.mapping import Table, load_table
from ckptmap.mapping.ops_boxes import EFFICIENTDET
from ckptmap.planning.draft import PlanChoices, PlanOptions
from ckptmap.targets import Target, load_target

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.config import PipelineConfig
    from ckptmap.families.detection.pipeline.migrate import Migration
    from ckptmap.families.detection.pipeline.verdict import Prefer
    from ckptmap.planning.ledger import Plan

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a conversion goes: the target, the table that leads there, the options, the TF1 config if one was given."""

    target: Target
    table: Table
    options: PlanOptions
    config: PipelineConfig | None = None
    prefer: Prefer = "exact"

    def migration(self, plan: Plan, prefix: str | None = None) -> Migration | None:
        """The config for what ``plan`` writes, training from checkpoint ``prefix``.

        It is the one given, migrated; for an EfficientDet, which comes without one, a new one; else None.

        Raises:
            ConfigError: the config's model has no TF2 counterpart, or the file cannot be migrated.
        """
        if self.config is None and not self.target.name.startswith(EFFICIENTDET):
            return None
        from ckptmap.request.config_destination import migration

        return migration(self, plan, prefix)


def plan_options(choices: PlanChoices) -> PlanOptions:
    """The user's choices with the label maps read; the new one says the class count where nothing else does.

    Raises:
        CkptmapError: a label map cannot be read.
    """
    paths = choices.get("label_maps")
    given = PlanOptions(**{name: value for name, value in choices.items() if name != "label_maps"})  # type: ignore[arg-type]
    if paths is None:
        return given
    from ckptmap.families.detection.label_files import read_label_map

    old, new = (read_label_map(path) for path in paths)
    return replace(given, labels=(old, new), num_classes=given.num_classes or new.num_classes)


def find_destination(
    to: PathLike | None,
    table: PathLike | None,
    pipeline: PathLike | None,
    options: PlanOptions,
    prefer: Prefer = "exact",
) -> Destination:
    """The destination that these name; a pipeline.config says the target and its settings where nothing else does.

    Raises:
        CkptmapError: the target, table or config cannot be used, or nothing says the target.
    """
    if pipeline is None:
        if to is None:
            raise TargetError("nothing says what to convert to", hint="give --to TARGET or --pipeline pipeline.config")
        target = load_target(os.fspath(to))
        if options.anchors != "api":
            from ckptmap.families.detection.pipeline.efficientdet_config import box_outputs

            options = replace(options, boxes=box_outputs(options.anchors))
        return Destination(target, table_for(target, table), options, None, prefer)
    from ckptmap.request.config_destination import configured

    return configured(os.fspath(pipeline), to, table, options, prefer)


def table_for(target: Target, table: PathLike | None) -> Table:
    """The table that the user names, else the target's own.

    Raises:
        CkptmapError: it cannot be used, or there is none.
    """
    if table is not None:
        return load_table(os.fspath(table))
    if target.table is None:
        raise TargetError(
            f"{target.name} is no model that ckptmap has a table for", hint="give your own with --table my_model.yaml"
        )
    return load_table(target.table)
