"""The same kernels on both sides of a comparison, so that equal models give equal bits."""

from __future__ import annotations

import os


def same_kernels() -> None:
    """Turn oneDNN off; call it before TensorFlow is imported, in this process and for those that it starts.

    oneDNN fuses operations by graph and image size: measured, a TF1 graph and a ``tf.function`` of the same operations
    then differ by up to 1e-5 of an output's spread at 320 pixels, and not at all at 256.
    """
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
