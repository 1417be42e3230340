"""What TF2 ignores or does otherwise, though the config can stay as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.families.detection.pipeline.models import SSD
from ckptmap.families.detection.pipeline.syntax import walk
from ckptmap.families.detection.pipeline.training import TYPES, Checkpoint, restored_type
from ckptmap.families.detection.pipeline.values import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ckptmap.families.detection.pipeline.config import PipelineConfig

RHO = 0.9
"""How Keras' RMSprop averages squared gradients, whatever the config says."""

_UNREAD = {
    "freeze_variables": "TF2's train loop never reads it: no variable is frozen",
    "update_trainable_variables": "TF2's train loop never reads it: all variables are trained",
    "bias_grad_multiplier": "TF2's train loop never reads it",
}


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to know: the line and the path of the setting, and what TF2 makes of it."""

    line: int
    path: str
    text: str


def notes(config: PipelineConfig, checkpoint: Checkpoint | None = None) -> tuple[Note, ...]:
    """All notes on a TF1 config that is to be used in TF2, in the order of the file."""
    found = (
        *_unread(config),
        *_checkpoint(config, checkpoint),
        *_optimizer(config),
        *_untrained_norms(config),
    )
    return tuple(sorted(found, key=lambda note: note.line))


def _unread(config: PipelineConfig) -> Iterable[Note]:
    train = config.root.child("train_config")
    return (Note(train.line(name), f"train_config.{name}", why) for name, why in _UNREAD.items() if train.has(name))


def _checkpoint(config: PipelineConfig, checkpoint: Checkpoint | None) -> Iterator[Note]:
    train, path = config.root.child("train_config"), "train_config.fine_tune_checkpoint"
    if checkpoint is None and config.training.fine_tune_checkpoint:
        yield Note(train.line("fine_tune_checkpoint"), path, "a TF1 checkpoint: convert it and name the new one here")
    if checkpoint is not None and checkpoint.step is not None:
        resumed = f"a checkpoint in model_dir replaces it, and training goes on at step {checkpoint.step}"
        line = train.line("fine_tune_checkpoint") or train.line()
        yield Note(line, path, f"TF2 reads its weights first; {resumed}. Without one these weights start at step 0")
    kind = restored_type(config, checkpoint)
    if kind and kind not in TYPES:
        known = ", ".join(TYPES)
        yield Note(train.line("fine_tune_checkpoint_type"), f"{path}_type", f"TF2 knows {known}, not {kind}")


def _optimizer(config: PipelineConfig) -> Iterator[Note]:
    optimizer, path = config.root.at("train_config.optimizer"), "train_config.optimizer"
    if optimizer.present and config.training.use_moving_average:
        yield Note(
            optimizer.line("use_moving_average") or optimizer.line(),
            f"{path}.use_moving_average",
            "TF2 keeps averages while training and evaluates them under eval_config.use_moving_averages; "
            "its exporter never reads them",
        )
    decay = optimizer.child("rms_prop_optimizer").number("decay")
    if optimizer.which("optimizer") == "rms_prop_optimizer" and abs(decay - RHO) > 1e-6:
        line = optimizer.child("rms_prop_optimizer").line("decay")
        yield Note(
            line, f"{path}.rms_prop_optimizer.decay", f"Keras averages squared gradients with {RHO}, not {decay:g}"
        )


def _untrained_norms(config: PipelineConfig) -> Iterator[Note]:
    """``batch_norm { train: false }``, which ``KerasLayerHyperparams`` does not hand on."""
    instead = "; freeze_batchnorm: true freezes all of them" if config.architecture == SSD else ""
    for field in walk(config.document.root):
        norm = field.message if field.name == "batch_norm" else None
        for setting in norm.named("train") if norm is not None else ():
            value = setting.values[-1]
            if unquote(f'"{config.document.text[value.start : value.end]}"').lower() in ("false", "f", "0"):
                yield Note(setting.line, "batch_norm.train", f"TF2 trains the batch norm nevertheless{instead}")
