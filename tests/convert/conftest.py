from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from ckptmap.checkpoint.dtypes import dtype_from_label
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import encode
from ckptmap.checkpoint.writer import BundleWriter

TABLE = """\
kinds:
  conv: {weights: kernel, biases?: bias}
  batch_norm: {gamma: gamma, beta: beta, moving_mean: moving_mean}
layers:
  - {from: net/conv, to: Conv1, as: conv}
  - {from: net/conv/BatchNorm, to: bn_Conv1, as: batch_norm}
  - {from: head/ClassPredictor, to: Head/ClassPredictor, as: conv, per_class: {axis: -1}}
drop:
  - {match: global_step, reason: bookkeeping, optional: true}
init:
  - {match: Extra/bias, value: zeros, reason: "slim has no bias here; zero is exact"}
"""


def values(shape: Sequence[int], start: float = 0.0, dtype: str = "float32") -> np.ndarray:
    return (np.arange(np.prod(shape, dtype=int)).reshape(shape) + start).astype(dtype)


def tf1_values(classes: int = 4) -> dict[str, np.ndarray]:
    return {
        "global_step": np.array(7, np.int64),
        "net/conv/weights": values((1, 1, 3, 8), 10),
        "net/conv/BatchNorm/gamma": values((8,), 100),
        "net/conv/BatchNorm/beta": values((8,), 200),
        "net/conv/BatchNorm/moving_mean": values((8,), 300),
        "head/ClassPredictor/weights": values((1, 1, 8, classes), 400),
        "head/ClassPredictor/biases": values((classes,), 500),
    }


def write_tf1(prefix: Path, tensors: Mapping[str, np.ndarray]) -> Path:
    with Staging(prefix.parent) as staging:
        with BundleWriter(staging, prefix.name) as writer:
            for name, value in tensors.items():
                dtype = dtype_from_label(value.dtype.name)
                assert dtype is not None
                writer.add(name, dtype, value.shape, [encode(dtype, value)])
            writer.finish()
        staging.commit()
    return prefix


def write_template(
    prefix: Path, classes: int = 4, extra: Mapping[str, tuple[str, Sequence[int]]] | None = None
) -> Path:
    shapes: dict[str, tuple[str, Sequence[int]]] = {
        "backbone/layer-0/kernel": ("Conv1/kernel", (1, 1, 3, 8)),
        "backbone/layer-1/gamma": ("bn_Conv1/gamma", (8,)),
        "backbone/layer-1/beta": ("bn_Conv1/beta", (8,)),
        "backbone/layer-1/moving_mean": ("bn_Conv1/moving_mean", (8,)),
        "head/kernel": ("Head/ClassPredictor/kernel", (1, 1, 8, classes)),
        "head/bias": ("Head/ClassPredictor/bias", (classes,)),
        **(extra or {}),
    }
    float32 = dtype_from_label("float32")
    assert float32 is not None
    objects = {
        path: ObjectValue(name, float32, tuple(shape), [encode(float32, np.full(shape, -1, np.float32))])
        for path, (name, shape) in shapes.items()
    }
    write_object_checkpoint(prefix, "model", objects)
    return prefix


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "my_model.yaml"
    path.write_text(TABLE)
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_tf1(tmp_path / "old" / "model.ckpt", tf1_values())


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return write_template(tmp_path / "zoo" / "ckpt-0")


Writer = Callable[..., Path]
