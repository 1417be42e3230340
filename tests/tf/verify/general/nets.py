"""Small models, in TF1 and in Keras 2 and 3: what the tests of ``verify`` run, and what they name as code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ckptmap.tf.classifiers import keras_of
from ckptmap.tf.environment import import_quietly

WORDS, WIDTH = 50, 8


def _tf() -> Any:
    return import_quietly("tensorflow")


def _v1() -> Any:
    return _tf().compat.v1


def net() -> Any:
    """A convolution, a batch norm, two dense layers; ``is_training`` is a placeholder."""
    v1 = _v1()
    with v1.variable_scope("", use_resource=False):
        image = v1.placeholder(v1.float32, [None, 8, 8, 3], name="image")
        training = v1.placeholder(v1.bool, [], name="is_training")
        hidden = v1.layers.conv2d(image, 4, 3, strides=2, padding="same", name="conv")
        hidden = v1.layers.batch_normalization(hidden, training=training, epsilon=1e-3, name="bn")
        hidden = v1.layers.flatten(v1.nn.relu(hidden))
        hidden = v1.layers.dropout(v1.layers.dense(hidden, 6, v1.nn.relu, name="hidden"), training=training)
        return v1.layers.dense(hidden, 5, name="logits")


def ids() -> Any:
    """An embedding, its mean, a dense layer."""
    v1 = _v1()
    with v1.variable_scope("", use_resource=False):
        words = v1.placeholder(v1.int32, [None, 7], name="words")
        table = v1.get_variable("embedding/embeddings", [WORDS, WIDTH])
        hidden = v1.reduce_mean(v1.nn.embedding_lookup(table, words), axis=1)
        return {"scores": v1.layers.dense(hidden, 3, name="scores")}


MEAN, DEVIATION = [2.0, -1.0, 0.5], [3.0, 0.25, 1.5]


def normalized() -> Any:
    """A dense layer behind a normalization of the input."""
    v1 = _v1()
    with v1.variable_scope("", use_resource=False):
        x = v1.placeholder(v1.float32, [None, 3], name="x")
        return v1.layers.dense((x - MEAN) / DEVIATION, 5, name="logits")


def raises() -> Any:
    """A mistake in the user's code."""
    raise ValueError("no such backbone: resnt")


def keras_net(version: int, *, epsilon: float = 1e-3) -> Any:
    """The Keras port of ``net``."""
    return _port(keras_of(version), epsilon)


def _port(keras: Any, epsilon: float = 1e-3) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((8, 8, 3), name="image"),
            layers.Conv2D(4, 3, strides=2, padding="same", name="conv"),
            layers.BatchNormalization(epsilon=epsilon, name="bn"),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(6, activation="relu", name="hidden"),
            layers.Dropout(0.5),
            layers.Dense(5, name="logits"),
        ]
    )


def keras_ids(version: int) -> Any:
    """The Keras port of ``ids``."""
    keras = keras_of(version)
    words = keras.Input((7,), dtype="int32", name="words")
    hidden = keras.layers.Embedding(WORDS, WIDTH, name="embedding")(words)
    hidden = keras.layers.GlobalAveragePooling1D()(hidden)
    return keras.Model(words, keras.layers.Dense(3, name="scores")(hidden))


def keras_normalized(version: int) -> Any:
    """The Keras port of ``normalized``, as it is built: it does not normalize yet."""
    layers = keras_of(version).layers
    normalization = layers.Normalization(name="normalization")
    return keras_of(version).Sequential([layers.Input((3,), name="x"), normalization, layers.Dense(5, name="logits")])


def net_2() -> Any:
    return keras_net(2)


def net_3() -> Any:
    return keras_net(3)


def net_alone() -> Any:
    """``net_3`` where Keras 3 is the only Keras."""
    return _port(import_quietly("keras"))


def ids_2() -> Any:
    return keras_ids(2)


def ids_3() -> Any:
    return keras_ids(3)


def normalized_2() -> Any:
    return keras_normalized(2)


def normalized_3() -> Any:
    return keras_normalized(3)


def module() -> Any:
    """``net`` as a tf.Module, which does not say what it takes."""
    tf = _tf()

    class Net(tf.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            shapes = {"conv/kernel": (3, 3, 3, 4), "conv/bias": (4,), "hidden/kernel": (64, 6), "hidden/bias": (6,)}
            shapes |= {f"bn/{name}": (4,) for name in ("gamma", "beta", "moving_mean", "moving_variance")}
            shapes |= {"logits/kernel": (6, 5), "logits/bias": (5,)}
            self.held = {
                name.replace("/", "_"): tf.Variable(tf.zeros(shape), name=name) for name, shape in shapes.items()
            }

        def __call__(self, image: Any) -> Any:
            held = self.held
            hidden = tf.nn.conv2d(image, held["conv_kernel"], 2, "SAME") + held["conv_bias"]
            moments = (held["bn_moving_mean"], held["bn_moving_variance"], held["bn_beta"], held["bn_gamma"])
            hidden = tf.nn.relu(tf.nn.batch_normalization(hidden, *moments, 1e-3))
            hidden = tf.reshape(hidden, [-1, 64])
            hidden = tf.nn.relu(hidden @ held["hidden_kernel"] + held["hidden_bias"])
            return hidden @ held["logits_kernel"] + held["logits_bias"]

    return Net()


def save_tf1(build: Any, folder: Path) -> dict[str, Any]:
    """Random values saved by the TF1 Saver with the ``.meta``, as a frozen graph and as a SavedModel; the values."""
    v1 = _tf().compat.v1
    graph = v1.Graph()
    with graph.as_default(), v1.Session() as session:
        built = build()
        outputs = built if isinstance(built, dict) else {"logits": built}
        session.run(v1.global_variables_initializer())
        random = np.random.default_rng(3)
        values = {one.op.name: _random(one, random) for one in v1.global_variables()}
        for one in v1.global_variables():
            one.load(values[one.op.name], session)
        v1.train.Saver().save(session, str(folder / "model.ckpt"))
        names = [one.op.name for one in outputs.values()]
        frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), names)
        (folder / "frozen.pb").write_bytes(frozen.SerializeToString())
        inputs = {one.name: one.outputs[0] for one in graph.get_operations() if one.type == "Placeholder"}
        inputs.pop("is_training", None)
        v1.saved_model.simple_save(session, str(folder / "exported"), inputs, outputs)
    return values


def _random(variable: Any, random: np.random.Generator) -> Any:
    shape = variable.shape.as_list()
    low = 0.5 if variable.op.name.endswith(("gamma", "variance")) else -0.5
    return random.uniform(low, low + 1, shape).astype(np.float32)


def with_values(model: Any, values: dict[str, Any]) -> Any:
    """A Keras model with the values of TF1's variables of the same names."""
    names = [getattr(one, "path", one.name).partition(":")[0] for one in model.weights]
    model.set_weights([values["/".join(name.split("/")[-2:])] for name in names])
    return model
