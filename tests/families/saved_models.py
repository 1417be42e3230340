"""Small TF2 checkpoints as users save them of their models, without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.values import encode


def saved_model(prefix: Path, shapes: Mapping[str, tuple[int, ...]]) -> Path:
    """A checkpoint with root ``model`` and these readable names, each at an object path of its own; all values -1."""
    objects = {
        f"layers/{at}/value": ObjectValue(
            name, DType.FLOAT32, shape, [encode(DType.FLOAT32, np.full(shape, -1, np.float32))]
        )
        for at, (name, shape) in enumerate(shapes.items())
    }
    write_object_checkpoint(prefix, "model", objects)
    return prefix
