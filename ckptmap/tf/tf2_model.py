"""TF2 checkpoints restored into live models, with TensorFlow's own assertions, and run on an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CheckpointError
from ckptmap.tf import outputs
from ckptmap.tf.environment import tf2
from ckptmap.tf.models import build_model

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    Array = np.ndarray[Any, Any]


def load_model(config: Path | str, checkpoint: Path | str) -> Any:
    """The model of a TF2 pipeline.config with a checkpoint's values; every variable on both sides is accounted for.

    Raises ConfigError and CheckpointError.
    """
    model = build_model(config)
    restore(model, checkpoint)
    return model


def restore(model: Any, checkpoint: Path | str) -> None:
    """Restore ``checkpoint`` (root ``model``) with ``assert_existing_objects_matched`` and ``assert_consumed``.

    Raises CheckpointError when the checkpoint is not a TF2 one of exactly this model.
    """
    tensorflow = tf2()
    try:
        status = tensorflow.train.Checkpoint(model=model).restore(str(checkpoint))
        status.assert_existing_objects_matched().assert_consumed()
    except (AssertionError, ValueError, tensorflow.errors.OpError) as error:
        raise CheckpointError(f"TensorFlow cannot restore it into the model: {error}", where=str(checkpoint)) from error


def run_model(model: Any, image: Array, context: dict[str, Array] | None = None) -> dict[str, Array]:
    """Raw outputs and detections for an image [1, height, width, 3] in 0 to 255, named as in ``ckptmap.tf.outputs``.

    ``context`` is what a Context R-CNN takes beside the image. The model runs in a ``tf.function``, as when trained or
    exported: executed eagerly, operations are not fused as in a TF1 graph, and the outputs differ by 1e-6.
    """
    tensorflow = tf2()
    beside = constants(context or {})

    def detect(batch: Any) -> dict[str, Any]:
        return outputs.collect(*forward(model, batch, beside))

    found = tensorflow.function(detect, autograph=False)(tensorflow.constant(image, tensorflow.float32))
    return {name: tensor.numpy() for name, tensor in found.items()}


def constants(context: dict[str, Array]) -> dict[str, Any]:
    """What a Context R-CNN takes beside the image, as tensors."""
    return {name: tf2().constant(value) for name, value in context.items()}


def forward(model: Any, batch: Any, beside: dict[str, Any], *, reverse_channels: bool = False) -> tuple[Any, Any]:
    """What the model's ``predict`` and ``postprocess`` return for a batch; with its channels as BGR if asked."""
    preprocessed, shapes = model.preprocess(batch)
    if reverse_channels:
        preprocessed = preprocessed[..., ::-1]
    predictions = model.predict(preprocessed, shapes, **beside)
    return predictions, model.postprocess(predictions, shapes)
