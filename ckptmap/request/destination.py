"""From what the user names (a target, a template, a pipeline.config, a table) to what a plan needs."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ckptmap.basics.bounds import CLASSES
from ckptmap.basics.errors import CkptmapError, TargetError
from ckptmap.basics.wording import argument
from ckptmap.mapping import Table, load_table
from ckptmap.mapping.ops_boxes import EFFICIENTDET
from ckptmap.planning.draft import PlanChoices, PlanOptions
from ckptmap.targets import Target, load_target

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.config import PipelineConfig
    from ckptmap.families.detection.pipeline.migrate import Begun, Migration
    from ckptmap.families.detection.pipeline.verdict import Prefer
    from ckptmap.planning.ledger import Plan

PathLike = str | os.PathLike[str]
_OLD_AND_NEW = 2


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
    if given.num_classes is not None:
        refuse_classes(given.num_classes)
    if paths is None:
        return given
    from ckptmap.families.detection.label_files import read_label_map

    old, new = (read_label_map(path) for path in _both(paths))
    if given.num_classes is None:
        refuse_classes(new.num_classes, new.path)
    return replace(given, labels=(old, new), num_classes=given.num_classes or new.num_classes)


def _both(paths: object) -> tuple[PathLike, PathLike]:
    if isinstance(paths, (list, tuple)) and len(paths) == _OLD_AND_NEW:
        return paths[0], paths[1]
    raise CkptmapError("label maps are two files", hint="that of the old classes, then that of the new ones")


def refuse_classes(count: int, where: str = "") -> None:
    """Raises CkptmapError for a class count that no model can have; ``where`` says it."""
    if problem := CLASSES.problem("num_classes", count):
        raise CkptmapError(problem, where=where)


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
                hint=f"give a target with {argument('any to')} or a pipeline.config with {argument('pipeline')}",
            )
        target = load_target(os.fspath(to))
        if options.anchors != "api":
            from ckptmap.families.detection.pipeline.efficientdet_config import box_outputs

            options = replace(options, boxes=box_outputs(options.anchors))
        return Destination(target, table_for(target, table), options, None, prefer)
    from ckptmap.request.config_destination import configured

    return configured(pipeline, to, table, options, prefer)


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
