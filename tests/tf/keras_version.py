"""A process with one version of Keras: it trains and saves models, then loads what was converted, and says the outputs.

``python keras_version.py 2|3 FOLDER``: each line on stdin is a job as JSON, each answer a line on stdout.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

VERSION, FOLDER = sys.argv[1], Path(sys.argv[2])
os.environ["TF_USE_LEGACY_KERAS"] = "1" if VERSION == "2" else "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

if VERSION == "2":
    import tf_keras as keras
else:
    import keras

layers = keras.layers


class Block(layers.Layer):  # type: ignore[misc]
    """Two layers that only attributes hold."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = layers.Dense(4, name="first")
        self.second = layers.Dense(4, name="second")

    def call(self, x: Any) -> Any:
        return self.second(self.first(x))


class Net(keras.Model):  # type: ignore[misc]
    """Layers within layers, none of them in a list."""

    def __init__(self) -> None:
        super().__init__(name="net")
        self.stem = layers.Dense(4, name="stem")
        self.block = Block(name="block")
        self.norm = layers.LayerNormalization(name="norm")
        self.head = layers.Dense(2, name="head")

    def call(self, x: Any) -> Any:
        return self.head(self.norm(self.block(self.stem(x))))


def functional() -> Any:
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, name="conv")(image)
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.DepthwiseConv2D(3, name="dw")(x)
    x = layers.SeparableConv2D(4, 3, name="sep")(x)
    x = layers.Dropout(0.5, name="drop")(x)
    x = layers.Reshape((-1, 4), name="rows")(x)
    x = layers.Bidirectional(layers.LSTM(3, name="lstm"), name="bi")(x)
    return keras.Model(image, layers.Dense(2, name="head")(x))


def sequential() -> Any:
    stack = [keras.Input((5,)), layers.Dense(4, name="one"), layers.BatchNormalization(name="bn")]
    return keras.Sequential([*stack, layers.Dense(2, name="two")])


MODELS = {"functional": (functional, (8, 8, 3)), "sequential": (sequential, (5,)), "subclassed": (Net, (5,))}


def inputs(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(3, *shape)).astype("float32")


def outputs(name: str, model: Any) -> list[list[float]]:
    return np.asarray(model(inputs(MODELS[name][1]), training=False)).tolist()  # type: ignore[no-any-return]


def trained(name: str) -> list[list[float]]:
    """Trains a model for a step and saves it in every way that this version knows."""
    build, shape = MODELS[name]
    model = build()
    x = inputs(shape)
    model(x)
    model.compile(keras.optimizers.Adam(0.1), "mse")
    model.fit(x, np.ones((3, 2), "float32"), verbose=0)
    tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(str(FOLDER / name / "ckpt"))
    model.save_weights(str(FOLDER / name / ("model.h5" if VERSION == "2" else "model.weights.h5")))
    if VERSION == "3" and name != "subclassed":
        model.save(str(FOLDER / name / "model.keras"))
    return outputs(name, model)


def loaded(name: str, path: str) -> list[list[float]]:
    """The outputs of a new model with the weights at ``path``."""
    build, shape = MODELS[name]
    model = build()
    model(inputs(shape))
    if path.endswith(".h5"):
        model.load_weights(path)
    else:
        tf.train.Checkpoint(model=model).restore(path).assert_existing_objects_matched().assert_consumed()
    return outputs(name, model)


for line in sys.stdin:
    job = json.loads(line)
    print(json.dumps(trained(*job) if len(job) == 1 else loaded(*job)), flush=True)  # noqa: T201
