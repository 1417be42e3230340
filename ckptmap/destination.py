"""From what the user names (a target, a template, a pipeline.config, a table) to what a plan needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ckptmap.draft import PlanChoices, PlanOptions
from ckptmap.errors import ConfigError, TargetError
from ckptmap.labels import read_label_map
from ckptmap.ledger import Plan
from ckptmap.mapping import Table, load_table
from ckptmap.pipeline.classes import Classes
from ckptmap.pipeline.config import PipelineConfig, parse_config, read_config
from ckptmap.pipeline.efficientdet import VERSIONS, is_efficientdet
from ckptmap.pipeline.efficientdet_config import adopted, box_outputs, boxes_of, target_of, written
from ckptmap.pipeline.migrate import Migration, migrated
from ckptmap.pipeline.settings import settings as target_settings
from ckptmap.pipeline.training import Checkpoint as TrainedFrom
from ckptmap.pipeline.verdict import Prefer
from ckptmap.roots import FINE_TUNE_TYPES
from ckptmap.targets import Target, load_target
from ckptmap.targets.choose import show

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
        trained_from = None if prefix is None else TrainedFrom(prefix, FINE_TUNE_TYPES.get(plan.root, "full"))
        label_map = self.options.labels[1].path if self.options.labels else ""
        classes = Classes(self.options.num_classes, label_map, plan.unknowns.get("mask_depth", 0))
        if self.config is None:
            if self.target.name not in VERSIONS:
                return None
            own = replace(classes, count=plan.unknowns.get("num_classes"))
            return written(self.target.name, self.options.anchors, own, self.prefer, trained_from)
        if is_efficientdet(self.config):
            return adopted(self.config, classes, self.prefer, trained_from)
        return migrated(self.config, checkpoint=trained_from, classes=classes, prefer=self.prefer)


def plan_options(choices: PlanChoices) -> PlanOptions:
    """The user's choices with the label maps read; the new one says the class count where nothing else does.

    Raises:
        CkptmapError: a label map cannot be read.
    """
    paths = choices.get("label_maps")
    given = PlanOptions(**{name: value for name, value in choices.items() if name != "label_maps"})  # type: ignore[arg-type]
    if paths is None:
        return given
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
        boxes = box_outputs(options.anchors)
        return Destination(target, _table(target, table), replace(options, boxes=boxes), None, prefer)
    config = read_config(os.fspath(pipeline))
    if is_efficientdet(config):
        return _of_efficientdet(config, to, table, options, prefer)
    made = migrated(config, classes=Classes(options.num_classes), prefer=prefer)
    said = target_settings(parse_config(made.text, config.path))
    target = load_target(os.fspath(to) if to is not None else said.target)
    _refuse_uncovered(target, said.settings, options.settings, config.path)
    names = {*(setting.name for setting in target.settings), *target.unknowns} - {"num_classes"}
    merged = replace(
        options,
        num_classes=options.num_classes or config.num_classes,
        settings={**said.given(names), **options.settings},
    )
    return Destination(target, _table(target, table), merged, config, prefer)


def _of_efficientdet(
    config: PipelineConfig, to: PathLike | None, table: PathLike | None, options: PlanOptions, prefer: Prefer
) -> Destination:
    """The destination that the user's own TF2 config of an EfficientDet describes."""
    if options.anchors != "api":
        raise ConfigError("the config says which anchors it has", where=config.path, hint="leave --anchors out")
    target = load_target(os.fspath(to) if to is not None else target_of(config))
    num_classes = options.num_classes or config.num_classes
    merged = replace(options, boxes=boxes_of(config), num_classes=num_classes)
    return Destination(target, _table(target, table), merged, config, prefer)


def _refuse_uncovered(target: Target, said: Mapping[str, object], given: Mapping[str, object], path: str) -> None:
    """Raise ConfigError for a setting, said and not given otherwise, that makes other variables than the target has.

    A template has no settings: its variables are what they are, and the plan tells what does not fit.
    """
    if not target.settings:
        return
    shown = {name: str(value).lower() for name, value in {**said, **given}.items()}
    for name in sorted(said.keys() - given.keys()):
        covered = [show(value) for value in target.covers(name)]
        if shown[name] not in covered:
            only = f"covers only {', '.join(covered)}" if covered else "has no such setting"
            raise _uncovered(f"{name} is {shown[name]}; the shipped target {target.name} {only}", path)
    for when in target.excluded:
        if all(shown.get(name, "") in map(show, values) for name, values in when.items()):
            together = " and ".join(f"{name} {shown[name]}" for name in when)
            raise _uncovered(f"the shipped target {target.name} does not cover {together} together", path)


def _uncovered(message: str, path: str) -> ConfigError:
    hint = "make a checkpoint of the TF2 model that the config describes, and give its path with --to"
    return ConfigError(message, where=path, hint=hint)


def _table(target: Target, table: PathLike | None) -> Table:
    if table is not None:
        return load_table(os.fspath(table))
    if target.table is None:
        raise TargetError(
            f"{target.name} is no model that ckptmap has a table for", hint="give your own with --table my_model.yaml"
        )
    return load_table(target.table)
