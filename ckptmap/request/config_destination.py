"""What a pipeline.config has to say of a destination, and the config for what a plan writes.

Apart from ``destination``, because importing all that understands configs takes a tenth of a second.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ckptmap.basics.errors import ConfigError, TargetError
from ckptmap.basics.wording import argument
from ckptmap.families.detection.arguments import ANY_ANCHORS
from ckptmap.families.detection.operations import AnchorChoice, BoxOutputs
from ckptmap.families.detection.pipeline.classes import Classes
from ckptmap.families.detection.pipeline.config import PipelineConfig, read_config
from ckptmap.families.detection.pipeline.efficientdet import VERSIONS, is_efficientdet
from ckptmap.families.detection.pipeline.efficientdet_config import adopted, boxes_of, target_of, written
from ckptmap.families.detection.pipeline.migrate import Migration, begun, finish
from ckptmap.families.detection.pipeline.optimizer import configured_optimizer, has_optimizer, learning_rate
from ckptmap.families.detection.pipeline.settings import TargetSettings
from ckptmap.families.detection.pipeline.settings import settings as target_settings
from ckptmap.families.detection.pipeline.training import Checkpoint as TrainedFrom
from ckptmap.families.detection.roots import FINE_TUNE_TYPES
from ckptmap.families.verdict import Prefer
from ckptmap.planning.choices import PlanOptions
from ckptmap.planning.ledger import Plan
from ckptmap.request.choices import PathLike
from ckptmap.request.destination import Destination, table_for
from ckptmap.targets import Target, list_targets, load_target
from ckptmap.targets.choose import show


@dataclass(frozen=True, slots=True)
class Described:
    """The target whose variables a TF2 config's model has, and what the config says of its settings and lengths."""

    target: Target
    said: TargetSettings

    def given(self) -> dict[str, object]:
        """The settings and lengths that the target knows, as the config says them."""
        names = {*(setting.name for setting in self.target.settings), *self.target.unknowns}
        return dict(self.said.given(names))


class UncoveredError(ConfigError):
    """A config asks for other variables than the shipped target of its model has."""


def described(config: PipelineConfig, to: PathLike | None = None, own: Mapping[str, object] | None = None) -> Described:
    """The target of a TF2 config; ``to`` names another one, ``own`` are settings that count in place of the config's.

    Raises:
        TargetError: no target of this name is shipped, or ``to`` cannot be used.
        UncoveredError: the target does not have the variables that the config asks for.
        ConfigError: the config has no model.
    """
    said = target_settings(config)
    if to is None and said.target not in list_targets():
        raise TargetError(f"no target is called {said.target!r}", where=config.path, hint=_own_template())
    target = load_target(os.fspath(to) if to is not None else said.target)
    _refuse_uncovered(target, said.settings, own or {}, config.path)
    return Described(target, said)


def configured(
    pipeline: PathLike | PipelineConfig,
    to: PathLike | None,
    table: PathLike | None,
    options: PlanOptions,
    prefer: Prefer,
) -> Destination:
    """The destination that a pipeline.config describes, where ``to``, ``table`` and ``options`` do not say otherwise.

    Raises:
        CkptmapError: the target, table or config cannot be used.
    """
    config = pipeline if isinstance(pipeline, PipelineConfig) else read_config(os.fspath(pipeline))
    if is_efficientdet(config):
        return _of_efficientdet(config, to, table, options, prefer)
    made = begun(config, prefer)
    found = described(made.tf2, to, options.settings)
    said = {name: value for name, value in found.given().items() if name != "num_classes"}
    options = with_training(options, config)
    merged = replace(
        options, num_classes=options.num_classes or config.num_classes, settings={**said, **options.settings}
    )
    return Destination(
        found.target, table_for(found.target, table), merged, config, prefer, made, own_table=table is not None
    )


def with_training(options: PlanOptions, config: PipelineConfig) -> PlanOptions:
    """The options with what the config says of the optimizer whose state is carried over.

    Raises:
        ConfigError: the trainer cannot make the optimizer, or its schedule gives no rate.
    """
    training = options.training
    if training is None or not has_optimizer(config):
        return options
    step, rate = training.iterations, training.learning_rate
    if rate is None and step is not None:
        rate = learning_rate(config, step)
    known = replace(training, learning_rate=rate, configured=configured_optimizer(config, step))
    return replace(options, training=known)


def migrated(destination: Destination, plan: Plan, prefix: str | None) -> Migration | None:
    """See :func:`ckptmap.request.resolve.migration`."""
    options, config = destination.options, destination.config
    step = plan.optimizer.iterations if plan.optimizer is not None else None
    trained_from = None if prefix is None else TrainedFrom(prefix, FINE_TUNE_TYPES.get(plan.root, "full"), step)
    label_map = options.labels[1].path if options.labels else ""
    classes = Classes(options.num_classes, label_map, plan.unknowns.get("mask_depth", 0))
    if config is None:
        if destination.target.name not in VERSIONS:
            return None
        own = replace(classes, count=plan.unknowns.get("num_classes"))
        return written(destination.target.name, _anchors(options), own, destination.prefer, trained_from)
    if destination.begun is None:
        return adopted(config, classes, destination.prefer, trained_from)
    return finish(destination.begun, checkpoint=trained_from, classes=classes)


def _anchors(options: PlanOptions) -> AnchorChoice:
    return options.adaptation.asked or "api" if isinstance(options.adaptation, BoxOutputs) else "api"


def _of_efficientdet(
    config: PipelineConfig, to: PathLike | None, table: PathLike | None, options: PlanOptions, prefer: Prefer
) -> Destination:
    """The destination that the user's own TF2 config of an EfficientDet describes."""
    if options.adaptation is not None:
        raise ConfigError(
            "the config says which anchors it has", where=config.path, hint=f"leave {argument(ANY_ANCHORS)} out"
        )
    target = load_target(os.fspath(to) if to is not None else target_of(config))
    num_classes = options.num_classes or config.num_classes
    options = with_training(options, config)
    merged = replace(options, adaptation=boxes_of(config), num_classes=num_classes)
    return Destination(target, table_for(target, table), merged, config, prefer, own_table=table is not None)


def _refuse_uncovered(target: Target, said: Mapping[str, object], given: Mapping[str, object], path: str) -> None:
    """Raise UncoveredError for a setting, said and not given otherwise, that makes other variables than the target has.

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


def _uncovered(message: str, path: str) -> UncoveredError:
    return UncoveredError(message, where=path, hint=_own_template())


def _own_template() -> str:
    return f"make a checkpoint of the TF2 model that the config describes, and give its path with {argument('any to')}"
