"""The verb ``freeze``: from a checkpoint, a pipeline.config and patterns to what trains and what does not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ckptmap.audit.subject import is_tf2, subject_of_config
from ckptmap.basics.errors import CkptmapError, Problem
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.inventory import Inventory, Kind
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.families.detection.arguments import PIPELINE
from ckptmap.families.detection.freezing.frozen_weights import OWN, Freezing, Pattern, Weight
from ckptmap.families.detection.freezing.parts import tf1_part
from ckptmap.families.detection.freezing.pattern_matching import find_hits
from ckptmap.families.detection.freezing.remarks import remarks
from ckptmap.families.detection.freezing.rule import UPDATE, Trainer, divide, match_all
from ckptmap.families.detection.freezing.stages import plan_stages
from ckptmap.families.detection.pipeline.config import PipelineConfig, read_config
from ckptmap.families.registry import recognize
from ckptmap.mapping import Table, apply_table, load_table
from ckptmap.mapping.slots import classify
from ckptmap.planning.choices import PlanOptions
from ckptmap.report.shown import Shown
from ckptmap.request.choices import PathLike
from ckptmap.request.destination import Destination
from ckptmap.request.resolve import find_destination
from ckptmap.request.table_likeness import likely_tables
from ckptmap.targets import Target, list_targets, load_target

_STATISTICS = ("moving_mean", "moving_variance")


@dataclass(frozen=True, slots=True)
class _Model:
    """Names and shapes of a TF1 model's weights, and the way to TF2 where one is known."""

    subject: str
    shapes: Mapping[str, tuple[int, ...]]
    table: Table | None
    target: Target | None


def freeze(
    checkpoint: PathLike | None = None,
    *,
    pipeline: PathLike | None = None,
    patterns: Sequence[str] = (),
    stages: Sequence[str] = (),
    trainer: Trainer = "train",
) -> ShownFreezing:
    """What TF1 freezes by ``patterns``, or by a pipeline.config's ``freeze_variables``; reads an index, no tensor.

    Args:
        checkpoint: a TF1 checkpoint, whose names the patterns are matched with; None: those of ``pipeline``'s model.
        pipeline: a TF1 pipeline.config, for its patterns and its model.
        patterns: Python regular expressions in place of the config's ``freeze_variables``.
        stages: what trains in each stage: ``heads``, ``top``, ``all``, or parts such as ``class_head+neck``.
        trainer: whose rule: that of ``train`` (legacy/train.py) or of ``model_main``.

    Raises:
        CkptmapError: a file cannot be read, the model is not known, or a pattern is not a regular expression or
            takes forever.
    """
    config = None if pipeline is None else read_config(os.fspath(pipeline))
    given = tuple(_patterns(config, patterns))
    weights = _weights(_model(checkpoint, config))
    hits = find_hits(given, [weight.name for weight in weights])
    frozen, trainable = divide(given, hits, weights, trainer)
    matched = tuple(match_all(given, hits, weights, trainer))
    return ShownFreezing(
        subject=os.fspath(checkpoint) if checkpoint is not None else config.path if config else "",
        trainer=trainer,
        matched=matched,
        frozen=frozen,
        trainable=trainable,
        stages=plan_stages(stages, weights),
        remarks=(*_uncounted(checkpoint, config), *remarks(config, matched, frozen, trainable, trainer)),
    )


@dataclass(frozen=True, slots=True, repr=False)
class ShownFreezing(Shown, Freezing):
    """What is frozen, as a notebook shows it, with the way to its report."""

    document_maker: ClassVar[str] = "ckptmap.families.detection.freezing.freeze_document:freeze_document"


def _uncounted(checkpoint: PathLike | None, config: PipelineConfig | None) -> Iterator[Problem]:
    """A config tells the names, but not the widths that a depth multiplier other than 1 makes."""
    if checkpoint is not None or config is None or "depth_multiplier" not in config.extractor.type.fields:
        return
    if config.extractor.number("depth_multiplier") != 1.0:
        where = config.extractor.where("depth_multiplier")
        yield Problem("shapes and parameters are those of depth multiplier 1", where, "give a checkpoint too")


def _patterns(config: PipelineConfig | None, patterns: Iterable[str]) -> Iterator[Pattern]:
    own = [Pattern(text, OWN) for text in patterns]
    yield from own
    if config is None:
        return
    view = config.root.child("train_config")
    for name in ("freeze_variables", UPDATE):
        if name == UPDATE or not own:
            lines = (config.document.where(item.start) for field in view.fields(name) for item in field.values)
            yield from (Pattern(str(text), name, where) for text, where in zip(view.values(name), lines, strict=True))


def _model(checkpoint: PathLike | None, config: PipelineConfig | None) -> _Model:
    if checkpoint is not None:
        with open_checkpoint(os.fspath(checkpoint)) as opened:
            return _of_checkpoint(opened.inventory, _destination(config))
    if config is None:
        raise CkptmapError(
            "nothing says which variables there are", hint=f"give a checkpoint or a config with {argument(PIPELINE)}"
        )
    return _of_config(config)


def _destination(config: PipelineConfig | None) -> Destination | None:
    """Where the config's model goes in TF2; None where ckptmap has no target for it."""
    try:
        return None if config is None else find_destination(None, None, config, PlanOptions())
    except CkptmapError:
        return None


def _of_checkpoint(inventory: Inventory, destination: Destination | None) -> _Model:
    if inventory.object_based:
        raise CkptmapError(
            "a TF2 checkpoint has no TF1 names for patterns to match",
            where=inventory.path,
            hint="give the TF1 checkpoint, or call ckptmap.tf.apply_freeze on the live model",
        )
    slots = classify(inventory.variables)
    shapes = {name: variable.shape for name, variable in inventory.variables.items() if name not in slots}
    if destination is not None:
        return _Model(inventory.path, shapes, destination.table, destination.target)
    known = recognize(inventory, slots)
    if known is not None and known.name in list_targets():
        target = load_target(known.name)
        return _Model(inventory.path, shapes, load_table(target.table) if target.table else None, target)
    likely = likely_tables(inventory)
    return _Model(inventory.path, shapes, load_table(likely[0].table) if likely else None, None)


def _of_config(config: PipelineConfig) -> _Model:
    if is_tf2(config):
        raise CkptmapError(
            f"{config.extractor_type} is a model of TF2, whose train loop reads no freeze_variables",
            where=config.path,
            hint="call ckptmap.tf.apply_freeze on the live model, or give the TF1 config that it was migrated from",
        )
    try:
        destination = find_destination(None, None, config, PlanOptions())
    except CkptmapError as error:
        raise _unnamed(config, error.problem.message) from error
    found = subject_of_config(config, Inventory(Kind.V2, config.path, {}))
    if found.model.variables is None:
        raise _unnamed(config, next((remark.hint for remark in found.remarks), ""))
    shapes = {variable.name: variable.shape for variable in found.model.variables}
    return _Model(config.path, shapes, destination.table, destination.target)


def _unnamed(config: PipelineConfig, why: str) -> CkptmapError:
    return CkptmapError(
        f"the variable names of {config.extractor_type or 'this model'} are not known from its config alone: {why}",
        where=config.path,
        hint="give a checkpoint of the model too",
    )


def _weights(model: _Model) -> tuple[Weight, ...]:
    """The trainable variables: all weights but the statistics of batch norms."""
    names = [name for name in model.shapes if not name.endswith(_STATISTICS)]
    layers = _layers(model.table, model.shapes)
    keys = _keys(model.target, set(layers.values()))
    return tuple(
        Weight(name, model.shapes[name], tf1_part(name), layers.get(name), keys.get(layers.get(name, "")))
        for name in sorted(names)
    )


def _layers(table: Table | None, names: Iterable[str]) -> dict[str, str]:
    """The readable name of the TF2 variable that each becomes."""
    if table is None:
        return {}
    assignments = apply_table(table, list(names)).assignments
    return {source: assignment.target for assignment in assignments for source in assignment.sources}


def _keys(target: Target | None, layers: set[str]) -> dict[str, str]:
    """The object path of each TF2 variable, as a shipped target has it."""
    if target is None:
        return {}
    layout = target.layout(layers)
    root = f"{target.root}/" if target.root else ""
    found = {layer: layout.find(layer) for layer in layers}
    return {layer: root + place.key for layer, place in found.items() if not isinstance(place, Problem)}
