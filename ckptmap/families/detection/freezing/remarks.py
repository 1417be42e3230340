"""What people get wrong about freezing, said where it applies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ckptmap.basics.errors import Problem
from ckptmap.basics.wording import argument
from ckptmap.families.detection.freezing.frozen_weights import OWN, Matched, Weight
from ckptmap.families.detection.freezing.nearest import scopes_pattern
from ckptmap.families.detection.freezing.rule import UPDATE, Trainer
from ckptmap.families.detection.model_parts import BACKBONE
from ckptmap.families.detection.pipeline.check import KNOWN_MISTAKES
from ckptmap.families.detection.pipeline.config import PipelineConfig
from ckptmap.families.detection.pipeline.models import FASTER_RCNN, SSD
from ckptmap.families.detection.pipeline.view import View

TF2_IGNORES = Problem(
    "the TF2 train loop (model_lib_v2.py) reads neither freeze_variables nor update_trainable_variables: "
    "everything trains",
    hint="call ckptmap.tf.apply_freeze(model, patterns) in a training loop of your own",
)
_FREEZE_NORMS = "freeze_batchnorm"
_TRAIN_NORMS = "batch_norm_trainable"
_OVERRIDE = "override_base_feature_extractor_hyperparams"
_RCNN_EXTRACTORS = ("FirstStageFeatureExtractor/", "SecondStageFeatureExtractor/")


def remarks(
    config: PipelineConfig | None,
    matched: Iterable[Matched],
    frozen: Sequence[Weight],
    trainable: Sequence[Weight],
    trainer: Trainer,
) -> Iterator[Problem]:
    """Everything worth saying about these patterns, the most serious first."""
    if config is not None:
        yield from _misnamed(config)
    if frozen and not trainable:
        backbone = scopes_pattern(weight for weight in frozen if weight.part == BACKBONE)
        hint = f"leave the heads out, as {backbone!r} does" if backbone else "leave the heads out"
        yield Problem("every variable is frozen: nothing is left to train", hint=hint)
    yield from (remark for one in matched for remark in _about_pattern(one, trainer))
    if config is not None:
        yield from _batch_norm_fields(config, frozen)
    yield from _statistics(config, frozen)
    yield TF2_IGNORES


def _misnamed(config: PipelineConfig) -> Iterator[Problem]:
    for finding in config.unreadable:
        name, where = finding.field.name, config.document.where(finding.field.start)
        if name in KNOWN_MISTAKES:
            message = f"there is no field {name}: the API refuses the file, and it freezes nothing"
            yield Problem(message, where, f"{KNOWN_MISTAKES[name]} is meant")
        if name == _FREEZE_NORMS:
            hint = (
                f"an SSD has it; for the extractor of a Faster R-CNN {_TRAIN_NORMS}: false, its default, does the same"
            )
            yield Problem(f"{finding.problem.message}: the API refuses the file", where, hint)


def _about_pattern(one: Matched, trainer: Trainer) -> Iterator[Problem]:
    text, where = one.pattern.text, one.pattern.where
    if not one.names:
        yield no_match(one)
    if one.pattern.field == UPDATE and trainer == "train":
        hint = f"{argument('trainer', 'model_main')} says what that one does"
        yield Problem(f"legacy/train.py does not read {UPDATE}, model_main.py does", where, hint)
    elif one.other != len(one.names):
        train, main = (len(one.names), one.other) if trainer == "train" else (one.other, len(one.names))
        message = (
            f"{text!r} matches {train} variables in legacy/train.py (re.match), {main} in model_main.py (re.search)"
        )
        yield Problem(
            message, where, f"{argument('any trainer')} says whose rule counts; begin patterns with the outermost scope"
        )


def no_match(one: Matched) -> Problem:
    """That a pattern matches no variable, with the nearest one that would."""
    hint = (
        f"{one.nearest!r} would match {one.nearest_count}"
        if one.nearest
        else "no scope of the model has a similar name"
    )
    field = argument("patterns") if one.pattern.field == OWN else one.pattern.field
    return Problem(f"{field} {one.pattern.text!r} matches no variable", one.pattern.where, hint)


def _batch_norm_fields(config: PipelineConfig, frozen: Sequence[Weight]) -> Iterator[Problem]:
    """The field that holds batch norms still, where it does; a default where something is frozen beside."""
    if config.architecture == SSD and config.model.flag(_FREEZE_NORMS):
        yield _holds_unevenly(config)
    if config.architecture == FASTER_RCNN and not config.extractor.flag(_TRAIN_NORMS):
        default = "" if config.extractor.has(_TRAIN_NORMS) else ", the default,"
        if frozen or not default:
            yield _holds(f"{_TRAIN_NORMS}: false{default}", "the extractor's batch norms", config.extractor)


def _holds(what: str, norms: str, block: View) -> Problem:
    message = (
        f"{what} freezes no weight: {norms} use their moving statistics and leave them as they are, "
        "gamma and beta go on training; TF1 and TF2 both read it"
    )
    return Problem(message, block.where(what.partition(":")[0]))


def _holds_unevenly(config: PipelineConfig) -> Problem:
    """What ``freeze_batchnorm`` of an SSD holds. TF1 sets it around the model (ssd_meta_arch.py); the batch norms that
    ``conv_hyperparams`` make say themselves that they train (hyperparams_builder.py), as they do in the backbone under
    the override. The Keras layers ask for it one by one."""
    in_tf1 = "none" if config.extractor.flag(_OVERRIDE) else "those of the backbone"
    return Problem(
        f"{_FREEZE_NORMS} freezes no weight: the batch norms that it holds use their moving statistics and leave them "
        f"as they are, gamma and beta go on training; in TF2 it holds all, in TF1 {in_tf1}: those made by "
        "conv_hyperparams train all the same",
        config.model.where(_FREEZE_NORMS),
    )


def _statistics(config: PipelineConfig | None, frozen: Iterable[Weight]) -> Iterator[Problem]:
    """In TF1 the moving statistics of a frozen batch norm go on moving; no pattern reaches them."""
    norms = [weight for weight in frozen if "/BatchNorm/" in weight.name and weight.name.endswith("/beta")]
    moving = sum(not _held(config, norm) for norm in norms)
    if moving:
        yield Problem(
            f"in TF1 the moving statistics of {moving} frozen batch norms go on moving: patterns do not reach them",
            hint=f"{_FREEZE_NORMS}: true holds those of an SSD's backbone, {_TRAIN_NORMS}: false those of a Faster "
            "R-CNN's extractor",
        )
    if config is None and any(norm.name.startswith(_RCNN_EXTRACTORS) for norm in norms):
        yield Problem(
            "the extractor's batch norms leave their moving statistics as they are, "
            f"unless the config says {_TRAIN_NORMS}: true"
        )


def _held(config: PipelineConfig | None, norm: Weight) -> bool:
    """Whether TF1 leaves the statistics of this batch norm as they are: ``train_batch_norm`` of a Faster R-CNN's
    extractor (faster_rcnn_meta_arch.py), ``freeze_batchnorm`` of an SSD's backbone (see ``_holds_unevenly``)."""
    if norm.name.startswith(_RCNN_EXTRACTORS):
        return config is None or config.architecture != FASTER_RCNN or not config.extractor.flag(_TRAIN_NORMS)
    if config is None or config.architecture != SSD or norm.part != BACKBONE:
        return False
    return config.model.flag(_FREEZE_NORMS) and not config.extractor.flag(_OVERRIDE)
