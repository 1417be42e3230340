"""Models in TF1 and Keras whose names and shapes do not say which layer is which: only their outputs do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ckptmap.tf.environment import import_quietly
from tests.tf.verify.general.nets import save_tf1

WIDTH = 6


def _conv(data: Any, name: str) -> Any:
    return import_quietly("tensorflow").compat.v1.layers.conv2d(data, WIDTH, 3, padding="same", name=name)


def _image() -> Any:
    v1 = import_quietly("tensorflow").compat.v1
    return v1.placeholder(v1.float32, [None, 8, 8, WIDTH], name="image")


def _head(data: Any) -> Any:
    v1 = import_quietly("tensorflow").compat.v1
    return v1.layers.dense(v1.reduce_mean(data, axis=[1, 2]), 5, name="verdict")


def chain() -> Any:
    """Four convolutions one after the other; their names in the order of the alphabet are another order."""
    v1 = import_quietly("tensorflow").compat.v1
    with v1.variable_scope("", use_resource=False):
        data = _image()
        for name in ("lens", "iris", "eye", "focus"):
            data = v1.nn.tanh(_conv(data, name))
        return _head(data)


def branches() -> Any:
    """Two branches of a convolution and a batch norm, put one behind the other; and a side branch."""
    v1 = import_quietly("tensorflow").compat.v1
    with v1.variable_scope("", use_resource=False):
        image = _image()
        parts = []
        for name in ("zinc", "acid"):
            data = _conv(image, name)
            data = v1.layers.batch_normalization(data, training=False, epsilon=1e-3, name=f"{name}_scale")
            parts.append(v1.nn.tanh(data))
        v1.layers.dense(v1.reduce_mean(image, axis=[1, 2]), 3, name="aside")
        return _head(v1.concat(parts, axis=3))


def twins() -> Any:
    """Two convolutions whose results are added: either can be either."""
    v1 = import_quietly("tensorflow").compat.v1
    with v1.variable_scope("", use_resource=False):
        image = _image()
        return _head(_conv(image, "one") + _conv(image, "other"))


def attention() -> Any:
    """Query, key and value out of one kernel."""
    v1 = import_quietly("tensorflow").compat.v1
    with v1.variable_scope("", use_resource=False):
        data = v1.placeholder(v1.float32, [None, 5, WIDTH], name="tokens")
        query, key, value = v1.split(v1.layers.dense(data, 3 * WIDTH, name="c_attn"), 3, axis=-1)
        weights = v1.nn.softmax(v1.matmul(query, key, transpose_b=True))
        return v1.layers.dense(v1.reduce_mean(v1.matmul(weights, value), axis=1), 5, name="verdict")


HEADS, SIZE = 2, 3


def attention_by_head() -> Any:
    """Query, key and value out of one kernel, in which each head has its own three; the key comes first."""
    v1 = import_quietly("tensorflow").compat.v1
    with v1.variable_scope("", use_resource=False):
        data = v1.placeholder(v1.float32, [None, 5, WIDTH], name="tokens")
        mixed = v1.reshape(v1.layers.dense(data, 3 * HEADS * SIZE, name="c_attn"), [-1, 5, HEADS, 3, SIZE])
        key, query, value = v1.unstack(mixed, axis=3)
        weights = v1.nn.softmax(v1.einsum("bqhd,bkhd->bhqk", query, key))
        found = v1.einsum("bhqk,bkhd->bqhd", weights, value)
        return v1.layers.dense(v1.reduce_mean(v1.reshape(found, [-1, 5, HEADS * SIZE]), axis=1), 5, name="verdict")


def keras_attention_by_head() -> Any:
    """The port of ``attention_by_head``, with a layer for each of the three and an axis for the heads."""
    keras = import_quietly("keras")
    tokens = keras.Input((5, WIDTH), name="tokens")
    query, key, value = (
        keras.layers.EinsumDense("btc,chd->bthd", (None, HEADS, SIZE), bias_axes="hd", name=word)(tokens)
        for word in ("query", "key", "value")
    )
    weights = keras.ops.softmax(keras.ops.einsum("bqhd,bkhd->bhqk", query, key))
    found = keras.ops.reshape(keras.ops.einsum("bhqk,bkhd->bqhd", weights, value), (-1, 5, HEADS * SIZE))
    return keras.Model(tokens, keras.layers.Dense(5, name="out")(keras.layers.GlobalAveragePooling1D()(found)))


def keras_attention() -> Any:
    """The port of ``attention``, with a layer for each of the three."""
    keras = import_quietly("keras")
    tokens = keras.Input((5, WIDTH), name="tokens")
    query, key, value = (keras.layers.Dense(WIDTH, name=word)(tokens) for word in ("query", "key", "value"))
    mixed = keras.layers.Dot(axes=(2, 1))([keras.layers.Softmax()(keras.layers.Dot(axes=(2, 2))([query, key])), value])
    return keras.Model(tokens, keras.layers.Dense(5, name="out")(keras.layers.GlobalAveragePooling1D()(mixed)))


def lstm() -> Any:
    """A recurrent cell that adds nothing to its forget gate, which its variables do not show."""
    v1 = import_quietly("tensorflow").compat.v1
    cells = import_quietly("tensorflow.python.keras.layers.legacy_rnn.rnn_cell_impl")
    loop = import_quietly("tensorflow.python.ops.rnn")
    newer = v1.control_flow_v2_enabled()
    v1.disable_control_flow_v2()
    try:
        with v1.variable_scope("", use_resource=False):
            steps = v1.placeholder(v1.float32, [None, 5, 3], name="steps")
            outputs, _ = loop.dynamic_rnn(cells.BasicLSTMCell(4, forget_bias=0.0), steps, dtype=v1.float32)
    finally:
        if newer:
            v1.enable_control_flow_v2()
    return v1.layers.dense(outputs[:, -1], 5, name="verdict")


def keras_lstm() -> Any:
    """The port of ``lstm``."""
    keras = import_quietly("keras")
    steps = keras.Input((5, 3), name="steps")
    return keras.Model(steps, keras.layers.Dense(5, name="out")(keras.layers.LSTM(4)(steps)))


def _keras(build: Callable[[Any, Any], Any]) -> Any:
    keras = import_quietly("keras")
    image = keras.Input((8, 8, WIDTH), name="image")
    data = keras.layers.GlobalAveragePooling2D()(build(keras, image))
    return keras.Model(image, keras.layers.Dense(5, name="out")(data))


def _layer(keras: Any, name: str) -> Any:
    return keras.layers.Conv2D(WIDTH, 3, padding="same", name=name)


def keras_chain(activation: str = "tanh") -> Any:
    """The port of ``chain``."""

    def build(keras: Any, data: Any) -> Any:
        for name in ("ruby", "onyx", "opal", "jade"):
            data = keras.layers.Activation(activation)(_layer(keras, name)(data))
        return data

    return _keras(build)


def keras_relu() -> Any:
    """Another model with the same layers."""
    return keras_chain("relu")


def keras_branches() -> Any:
    """The port of ``branches``; the names suggest the wrong one."""

    def build(keras: Any, image: Any) -> Any:
        parts = []
        for name in ("north", "south"):
            data = keras.layers.BatchNormalization(name=f"{name}_norm", epsilon=1e-3)(_layer(keras, name)(image))
            parts.append(keras.layers.Activation("tanh")(data))
        return keras.layers.Concatenate()(parts)

    return _keras(build)


def subclassed() -> Any:
    """A model of one's own class, with layers inside layers, that was made in another order than it runs."""
    keras = import_quietly("keras")

    class Block(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = (keras.layers.Conv2D(WIDTH, 3, padding="same") for _ in range(2))

        def call(self, data: Any) -> Any:
            return self.two(self.one(data))

    class Own(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.late, self.early, self.head = Block(), Block(), keras.layers.Dense(5)

        def call(self, image: Any) -> Any:
            return self.head(keras.ops.mean(self.late(self.early(image)), axis=(1, 2)))

    model = Own()
    model(keras.ops.zeros((1, 8, 8, WIDTH)))
    return model


def keras_twins() -> Any:
    """The port of ``twins``."""
    return _keras(lambda keras, image: _layer(keras, "left")(image) + _layer(keras, "right")(image))


def save(folder: Path, old: Callable[[], Any], new: Callable[[], Any]) -> tuple[Path, Path, Any]:
    """The TF1 checkpoint with its ``.meta``, an untrained checkpoint of the port, and the port."""
    folder.mkdir()
    save_tf1(old, folder)
    model = new()
    template = import_quietly("tensorflow").train.Checkpoint(model=model).save(str(folder / "new"))
    return folder / "model.ckpt", Path(template), model
