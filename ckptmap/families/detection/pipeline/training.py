"""The edits of train_config, eval_config and graph_rewriter that TF2's train loop needs.

Sources: the API's ``model_lib_v2.py`` (``train_loop``, ``load_fine_tune_checkpoint``, ``eval_continuously``),
``utils/config_util.py`` (``update_fine_tune_checkpoint_type``) and ``builders/optimizer_builder.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.families.detection.pipeline.changes import Change, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ckptmap.families.detection.pipeline.config import PipelineConfig

TYPES = ("classification", "detection", "full")
"""What SSD and Faster R-CNN can restore in TF2 (``fine_tune`` is CenterNet's)."""

_TRAIN = "train_config"
_AFTER = ("fine_tune_checkpoint_type", "fine_tune_checkpoint", "from_detection_checkpoint")
_RMS_PROP = "rms_prop_optimizer"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The converted checkpoint to train from: its prefix as TF2 wants it (``new/ckpt-0``), and what it restores.

    ``step`` is where training goes on, where it holds the optimizer's state.
    """

    prefix: str
    type: str = "full"
    step: int | None = None


def changes(config: PipelineConfig, checkpoint: Checkpoint | None) -> tuple[Change, ...]:
    """All edits outside the model."""
    return (
        *_checkpoint(config, checkpoint),
        *_load_all(config),
        *_rms_prop(config),
        *_evaluation(config),
        *_quantization(config),
    )


def restored_type(config: PipelineConfig, checkpoint: Checkpoint | None) -> str:
    """The ``fine_tune_checkpoint_type`` that means in TF2 what the config meant; empty where it restores nothing."""
    if checkpoint is not None:
        return checkpoint.type
    given = config.training
    if not given.fine_tune_checkpoint:
        return given.fine_tune_checkpoint_type
    named = given.fine_tune_checkpoint_type or ("detection" if given.from_detection_checkpoint else "classification")
    return "full" if given.load_all_detection_checkpoint_vars and named == "detection" else named


def _checkpoint(config: PipelineConfig, checkpoint: Checkpoint | None) -> Iterable[Change]:
    path = f"{_TRAIN}.fine_tune_checkpoint"
    if checkpoint is not None:
        yield Change(path, text(checkpoint.prefix), "the converted checkpoint")
    elif not config.root.has(_TRAIN):
        return
    kind = restored_type(config, checkpoint)
    if kind:
        why = _type_reason(config, checkpoint)
        yield Change(f"{path}_type", text(kind), why, _AFTER[1:], instead_of="from_detection_checkpoint")
    if config.root.child(_TRAIN).has("from_detection_checkpoint"):
        reason = "deprecated: fine_tune_checkpoint_type says it"
        yield Change(f"{_TRAIN}.from_detection_checkpoint", None, reason)
    if kind or config.training.fine_tune_checkpoint:
        reason = "TF2 reads object-based checkpoints; the default is V1, which it refuses"
        yield Change(f"{path}_version", "V2", reason, _AFTER)


def _type_reason(config: PipelineConfig, checkpoint: Checkpoint | None) -> str:
    if checkpoint is not None:
        return "what the converted checkpoint restores"
    if config.training.load_all_detection_checkpoint_vars:
        return "load_all_detection_checkpoint_vars restored the heads as well; full needs the same class count"
    return "from_detection_checkpoint is deprecated, and TF2's default without it is classification"


def _load_all(config: PipelineConfig) -> Iterable[Change]:
    if config.training.load_all_detection_checkpoint_vars:
        reason = "TF2's train loop refuses it"
        yield Change(f"{_TRAIN}.load_all_detection_checkpoint_vars", None, reason)


def _rms_prop(config: PipelineConfig) -> Iterable[Change]:
    """TF1's ``decay`` averages squared gradients; TF2 hands it to Keras as the decay of the learning rate."""
    optimizer = config.root.at(f"{_TRAIN}.optimizer")
    if optimizer.which("optimizer") != _RMS_PROP or optimizer.child(_RMS_PROP).number("decay") == 0:
        return
    reason = (
        "TF2 hands it to Keras as learning-rate decay, lr / (1 + decay * step), and averages squared gradients "
        "with 0.9 in any case"
    )
    yield Change(f"{_TRAIN}.optimizer.{_RMS_PROP}.decay", "0.0", reason)


def _evaluation(config: PipelineConfig) -> Iterable[Change]:
    if config.root.child("eval_config").flag("use_moving_averages") and not config.training.use_moving_average:
        reason = "TF2 evaluates averages only if optimizer.use_moving_average keeps them; otherwise it fails"
        yield Change("eval_config.use_moving_averages", "false", reason)


def _quantization(config: PipelineConfig) -> Iterable[Change]:
    if config.quantized:
        reason = "quantization-aware training rewrites the TF1 graph; TF2's train loop and exporter do not read it"
        yield Change("graph_rewriter", None, reason)
