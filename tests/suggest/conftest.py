from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import encode
from ckptmap.checkpoint.writer import BundleWriter
from tests.cli.conftest import run

__all__ = ["run"]

Shape = Sequence[int]
FLOAT = DType.FLOAT32


def write_old(prefix: Path, shapes: Mapping[str, Shape]) -> Path:
    """A TF1 checkpoint of zeros."""
    with Staging(prefix.parent) as staging:
        with BundleWriter(staging, prefix.name) as writer:
            for name, shape in sorted(shapes.items()):
                writer.add(name, FLOAT, tuple(shape), [encode(FLOAT, np.zeros(shape, np.float32))])
            writer.finish()
        staging.commit()
    return prefix


def write_new(prefix: Path, shapes: Mapping[str, tuple[str, Shape]]) -> Path:
    """A TF2 checkpoint of zeros: object path below ``model`` to readable name and shape."""
    values = {
        key: ObjectValue(name, FLOAT, tuple(shape), [encode(FLOAT, np.zeros(shape, np.float32))])
        for key, (name, shape) in shapes.items()
    }
    write_object_checkpoint(prefix, "model", values)
    return prefix
