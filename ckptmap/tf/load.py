"""A migrated detection model, built and restored in one step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ckptmap.basics.errors import CheckpointError
from ckptmap.tf import tf2_model
from ckptmap.tf.environment import tf2
from ckptmap.tf.exact import register


def load_detection_model(config: Path | str, checkpoint: Path | str) -> Any:
    """The Object Detection API's model of a TF2 ``pipeline.config`` with the values of ``checkpoint``.

    ``config`` may name a slim-exact feature extractor. ``checkpoint`` is a prefix, or a directory whose latest
    checkpoint is taken. The model is a ``DetectionModel`` for inference: ``model.preprocess``, ``model.predict`` and
    ``model.postprocess`` as in the API's own tutorials.

    Raises ConfigError when the model cannot be built, CheckpointError unless every variable of the model has a value
    in the checkpoint and every value of the checkpoint a place in the model.
    """
    register()
    return tf2_model.load_model(config, latest_checkpoint(checkpoint))


def latest_checkpoint(checkpoint: Path | str) -> str:
    """The prefix of the latest checkpoint of a directory; any other path is a prefix already."""
    if not Path(checkpoint).is_dir():
        return str(checkpoint)
    latest = tf2().train.latest_checkpoint(str(checkpoint))
    if latest is None:
        raise CheckpointError(
            "there is no TF2 checkpoint in this directory",
            where=str(checkpoint),
            hint="give its prefix, such as new/ckpt-1, if the file named 'checkpoint' is missing",
        )
    return str(latest)
