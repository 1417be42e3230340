"""Real weights: musicnn's training graph of TensorFlow 1.11, cut, against the same network in Keras 2 and Keras 3."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.tf.environment import import_quietly, tensorflow_alone
from ckptmap.tf.inference import Cut, cut

pytestmark = pytest.mark.slow
_POOLS = (((4, 1), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((4, 4), (4, 4)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint MTT_vgg, out of the wheel."""
    place = tmp_path_factory.mktemp("musicnn")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "musicnn==0.1.0"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"musicnn's wheel cannot be had: {done.stderr.strip().splitlines()[-1:]}")
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place, [name for name in archive.namelist() if "/MTT_vgg/" in name])
    return place / "musicnn" / "MTT_vgg"


@pytest.fixture(scope="module")
def values(folder: Path) -> dict[str, Any]:
    with open_checkpoint(folder / ".index") as checkpoint:
        names = [name for name in checkpoint.inventory.variables if "Adam" not in name]
        return {name: checkpoint.read(name) for name in names}


@pytest.fixture(scope="module")
def found(folder: Path) -> Cut:
    meta = tensorflow_alone().compat.v1.MetaGraphDef()
    meta.ParseFromString((folder / ".meta").read_bytes())
    return cut(meta.graph_def)


@pytest.fixture(scope="module")
def spectrograms() -> Any:
    return np.random.default_rng(0).normal(size=(2, 187, 96)).astype(np.float32)


@pytest.fixture(scope="module")
def wanted(found: Cut, values: dict[str, Any], spectrograms: Any) -> Any:
    v1 = tensorflow_alone().compat.v1
    config = v1.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    with v1.Graph().as_default() as graph, v1.Session(config=config) as session:
        v1.import_graph_def(found.graph, name="")
        names = [node.name for node in found.graph.node if node.op == "VariableV2"]
        feed = {f"{name}:0": values[name] for name in names}
        del graph
        return session.run(found.outputs[0], feed | {f"{found.inputs[0].name}:0": spectrograms})


def test_the_network_is_cut_out_of_its_training(found: Cut) -> None:
    assert found.outputs == ("model/Sigmoid:0",)
    assert [(one.name, one.shape) for one in found.inputs] == [("model/Placeholder", (None, 187, 96))]
    assert {one.kind: one.count for one in found.removed}["gradients"] == 779


@pytest.mark.parametrize(("keras", "tolerance"), [("keras", 1e-6), ("tf_keras", 0.0)])
def test_keras_computes_the_same(
    keras: str, tolerance: float, values: dict[str, Any], spectrograms: Any, wanted: Any
) -> None:
    model = vgg(import_quietly(keras), values)
    tensorflow = tensorflow_alone()
    ran = tensorflow.function(lambda x: model(x, training=False))(tensorflow.constant(spectrograms)).numpy()
    assert ran.shape == (2, 50)
    assert np.abs(ran - wanted).max() <= tolerance


def vgg(keras: Any, values: dict[str, Any]) -> Any:
    """The network in Keras, with the checkpoint's values."""
    layers = keras.layers
    model = keras.Sequential([keras.Input((187, 96)), layers.Reshape((187, 96, 1)), norm(layers)])
    for pool, strides in _POOLS:
        model.add(layers.Conv2D(128, 3, padding="same", activation="relu"))
        model.add(norm(layers))
        model.add(layers.MaxPooling2D(pool, strides))
    model.add(layers.Flatten())
    model.add(layers.Dense(50, activation="sigmoid"))
    norms = [f"batch_normalization{f'_{at}' if at else ''}" for at in range(6)]
    order = [names(norms[0])]
    for at in range(1, 6):
        order += [[f"{at}CNN/kernel", f"{at}CNN/bias"], names(norms[at])]
    order.append(["dense/kernel", "dense/bias"])
    for layer, wanted in zip([one for one in model.layers if one.weights], order, strict=True):
        layer.set_weights([values[name] for name in wanted])
    return model


def norm(layers: Any) -> Any:
    return layers.BatchNormalization(epsilon=1e-3)


def names(norm: str) -> list[str]:
    return [f"{norm}/{leaf}" for leaf in ("gamma", "beta", "moving_mean", "moving_variance")]
