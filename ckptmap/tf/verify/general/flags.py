"""Placeholders that switch training off: their value, whatever the other side has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.tf.inference.flags import DROP, KEEP, TRAINING

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.side import Spec

    Array = np.ndarray[Any, Any]


def flag_value(spec: Spec) -> Array | None:
    """The value of inference: False for a training flag, 1 for a keep probability; None for what is no such thing."""
    if spec.shape:
        return None
    if spec.dtype == "bool" and TRAINING.search(spec.name):
        return np.asarray(False)
    if spec.dtype == "float32" and KEEP.search(spec.name):
        return np.asarray(1, np.float32)
    if spec.dtype == "float32" and DROP.search(spec.name):
        return np.asarray(0, np.float32)
    return None
