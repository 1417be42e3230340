"""What people get wrong about freezing, said where it applies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ckptmap.errors import Problem
from ckptmap.freezing.model import Matched, Weight
from ckptmap.freezing.rule import UPDATE, Trainer
from ckptmap.pipeline.check import KNOWN_MISTAKES
from ckptmap.pipeline.config import PipelineConfig

TF2_IGNORES = Problem(
    "the TF2 train loop (model_lib_v2.py) reads neither freeze_variables nor update_trainable_variables: "
    "everything trains",
    hint="call ckptmap.tf.apply_freeze(model, patterns) in a training loop of your own",
)
_NORM_LEAVES = ("/gamma", "/beta")


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
        yield Problem(
            "every variable is frozen: nothing is left to train", hint="leave the heads out, as 'FeatureExtractor/.*'"
        )
    yield from (remark for one in matched for remark in _about_pattern(one, trainer))
    if config is not None:
        yield from _batch_norm_fields(config)
    yield from _statistics(config, frozen)
    yield TF2_IGNORES


def _misnamed(config: PipelineConfig) -> Iterator[Problem]:
    for finding in config.findings:
        meant = KNOWN_MISTAKES.get(finding.field.name)
        if meant:
            message = f"there is no field {finding.field.name}: the API refuses the file, and nothing is frozen by it"
            yield Problem(message, config.document.where(finding.field.start), f"{meant} is meant")


def _about_pattern(one: Matched, trainer: Trainer) -> Iterator[Problem]:
    text, where = one.pattern.text, one.pattern.where
    if not one.names:
        hint = f"{one.nearest!r} would match {one.nearest_count}" if one.nearest else "no scope of the model is near"
        yield Problem(f"{one.pattern.field} {text!r} matches no variable", where, hint)
    if one.pattern.field == UPDATE and trainer == "train":
        hint = "--trainer model_main says what that one does"
        yield Problem(f"legacy/train.py does not read {UPDATE}, model_main.py does", where, hint)
    elif one.other != len(one.names):
        train, main = (len(one.names), one.other) if trainer == "train" else (one.other, len(one.names))
        message = (
            f"{text!r} matches {train} variables in legacy/train.py (re.match), {main} in model_main.py (re.search)"
        )
        yield Problem(message, where, "--trainer says whose rule counts; begin patterns with the outermost scope")


def _batch_norm_fields(config: PipelineConfig) -> Iterator[Problem]:
    if not config.architecture:
        return
    if "freeze_batchnorm" in config.model.type.fields and config.model.flag("freeze_batchnorm"):
        yield Problem(
            "freeze_batchnorm freezes no weight: batch norms use their moving statistics and leave them as they are, "
            "gamma and beta go on training; TF1 and TF2 both read it",
            config.model.where("freeze_batchnorm"),
        )


def _statistics(config: PipelineConfig | None, frozen: Sequence[Weight]) -> Iterator[Problem]:
    """In TF1 the moving statistics of a frozen batch norm go on moving; no pattern reaches them."""
    held = config is not None and config.architecture == "ssd" and config.model.flag("freeze_batchnorm")
    norms = sum(weight.name.endswith(_NORM_LEAVES[1]) and "/BatchNorm/" in weight.name for weight in frozen)
    if norms and not held:
        yield Problem(
            f"in TF1 the moving statistics of {norms} frozen batch norms go on moving: patterns do not reach them",
            hint="for an SSD, freeze_batchnorm: true holds them",
        )
