"""Ten small models, each as a TF1 graph and in Keras 3, with places where a fault can be planted on the Keras side.

A model's Keras function takes the planted fault: one word, empty for none. ``Plant`` says what the report must find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = Any
Values = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Model:
    """``old``: the TF1 graph. ``new``: the Keras model under a fault. ``convert``: new values of the old ones."""

    name: str
    shape: tuple[int, ...]
    old: Callable[[Any, Any, Any], Any]
    new: Callable[[Any, str], Any]
    dtype: str = "float32"
    scale: float = 1.0
    convert: Callable[[Values], dict[str, tuple[tuple[str, ...], Array]]] = field(default=lambda _: {})


@dataclass(frozen=True, slots=True)
class Plant:
    """A fault: in the Keras function (``built``), or in the values; where it must be found and as what."""

    model: str
    fault: str
    layer: str
    cause: str
    values: Callable[[dict[str, Array]], Mapping[str, Array]] = field(default=lambda _: {})

    def __str__(self) -> str:
        return f"{self.model}: {self.fault} at {self.layer}"


def v1_bn(v1: Any, get: Any, x: Any, name: str, epsilon: float = 1e-5, *, center: bool = True) -> Any:
    size = (x.shape[-1],)
    gamma, beta = get(f"{name}/gamma", size), get(f"{name}/beta", size)
    mean, variance = get(f"{name}/moving_mean", size), get(f"{name}/moving_variance", size)
    if x.shape.rank == 4:
        return v1.nn.fused_batch_norm(x, gamma, beta, mean, variance, epsilon=epsilon, is_training=False)[0]
    return v1.nn.batch_normalization(x, mean, variance, beta, gamma, epsilon)


def v1_conv(
    v1: Any,
    get: Any,
    x: Any,
    name: str,
    width: int,
    size: int = 3,
    stride: int = 1,
    padding: str = "SAME",
    *,
    bias: bool = True,
) -> Any:
    with v1.name_scope(f"{name}/"):
        y = v1.nn.conv2d(x, get(f"{name}/kernel", (size, size, x.shape[-1], width)), stride, padding)
        return v1.nn.bias_add(y, get(f"{name}/bias", (width,))) if bias else y


def v1_dense(v1: Any, get: Any, x: Any, name: str, width: int) -> Any:
    kernel, bias = get(f"{name}/kernel", (x.shape[-1], width)), get(f"{name}/bias", (width,))
    if x.shape.rank == 2:
        return v1.nn.bias_add(v1.matmul(x, kernel), bias)
    flat = v1.matmul(v1.reshape(x, (-1, x.shape[-1])), kernel)
    return v1.nn.bias_add(v1.reshape(flat, (-1, *x.shape[1:-1], width)), bias)


def v1_ln(v1: Any, get: Any, x: Any, name: str) -> Any:
    mean, variance = v1.nn.moments(x, [-1], keep_dims=True)
    gamma, beta = get(f"{name}/gamma", (x.shape[-1],)), get(f"{name}/beta", (x.shape[-1],))
    return v1.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-5)


# --- plain convolutions


def plain_old(v1: Any, get: Any, x: Any) -> Any:
    y = v1.nn.relu(v1_conv(v1, get, x, "conv1", 8))
    y = v1.nn.max_pool2d(y, 2, 2, "SAME")
    y = v1.nn.relu(v1_conv(v1, get, y, "conv2", 8))
    y = v1.nn.relu(v1_conv(v1, get, y, "conv3", 8))
    y = v1.reduce_mean(y, [1, 2])
    return v1_dense(v1, get, y, "logits", 5)


def plain_new(keras: Any, fault: str) -> Any:
    layers = keras.layers
    x = keras.Input((15, 15, 3))
    y = layers.Rescaling(1 / 255)(x) if fault == "scale" else x
    y = layers.Conv2D(8, 3, padding="same", name="conv1")(y)
    y = layers.LeakyReLU(negative_slope=0.2)(y) if fault == "leaky" else layers.ReLU()(y)
    pool = layers.AveragePooling2D if fault == "kind" else layers.MaxPooling2D
    y = layers.ZeroPadding2D(((1, 0), (1, 0)))(y) if fault == "zeros" else y
    y = pool(2, 2, padding="valid" if fault in ("pool", "zeros") else "same")(y)
    y = layers.Conv2D(8, 3, padding="valid" if fault == "valid" else "same", activation="relu", name="conv2")(y)
    y = y * 2.0 if fault == "doubled" else y
    dilation = 2 if fault == "dilation" else 1
    y = layers.Conv2D(8, 3, padding="same", dilation_rate=dilation, activation="relu", name="conv3")(y)
    y = layers.GlobalAveragePooling2D()(y)
    return keras.Model(x, layers.Dense(5, name="logits")(y))


# --- VGG


def vgg_old(v1: Any, get: Any, x: Any) -> Any:
    y = x - np.array([123.0, 117.0, 104.0], np.float32)
    for block, width in ((1, 6), (2, 8)):
        for at in (1, 2):
            y = v1.nn.relu(v1_conv(v1, get, y, f"block{block}_conv{at}", width))
        y = v1.nn.max_pool2d(y, 2, 2, "VALID")
    y = v1.reshape(y, (-1, 3 * 3 * 8))
    y = v1.nn.relu(v1_dense(v1, get, y, "fc6", 16))
    y = v1.nn.relu(v1_dense(v1, get, y, "fc7", 16))
    return v1.nn.softmax(v1_dense(v1, get, y, "fc8", 4) * 0.01)


def vgg_new(keras: Any, fault: str) -> Any:
    layers, ops = keras.layers, keras.ops
    x = keras.Input((12, 12, 3))
    y = x if fault == "mean" else x - np.array([123.0, 117.0, 104.0], np.float32)
    y = ops.flip(y, -1) if fault == "bgr" else y
    for block, width in ((1, 6), (2, 8)):
        for at in (1, 2):
            slope = fault == "relu6" and (block, at) == (2, 1)
            y = layers.Conv2D(width, 3, padding="same", name=f"block{block}_conv{at}")(y)
            y = ops.relu6(y) if slope else ops.relu(y)
        y = layers.MaxPooling2D(2, 2)(y)
    y = ops.transpose(y, (0, 3, 1, 2)) if fault == "first" else y
    y = layers.Reshape((72,))(y)
    y = layers.Dense(16, activation="relu", name="fc6")(y)
    y = layers.Dense(16, activation="relu", name="fc7")(y)
    return keras.Model(x, ops.softmax(layers.Dense(4, name="fc8")(y) * 0.01))


# --- ResNet


def resnet_old(v1: Any, get: Any, x: Any) -> Any:
    y = v1.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
    y = v1.nn.relu(v1_bn(v1, get, v1_conv(v1, get, y, "stem", 8, stride=2, padding="VALID", bias=False), "stem_bn"))
    for at, stride in ((1, 1), (2, 2)):
        name = f"unit{at}"
        z = v1.nn.relu(v1_bn(v1, get, v1_conv(v1, get, y, f"{name}_a", 4, 1, bias=False), f"{name}_a_bn"))
        z = v1.nn.relu(v1_bn(v1, get, v1_conv(v1, get, z, f"{name}_b", 4, 3, stride, bias=False), f"{name}_b_bn"))
        z = v1_bn(v1, get, v1_conv(v1, get, z, f"{name}_c", 8, 1, bias=False), f"{name}_c_bn")
        y = v1.nn.max_pool2d(y, 1, stride, "SAME") if stride > 1 else y
        y = v1.nn.relu(y + z)
    return v1_dense(v1, get, v1.reduce_mean(y, [1, 2]), "logits", 5)


def resnet_new(keras: Any, fault: str) -> Any:
    layers = keras.layers

    def conv(y: Any, name: str, width: int, size: int, stride: int = 1, padding: str = "same") -> Any:
        return layers.Conv2D(width, size, stride, padding=padding, use_bias=False, name=name)(y)

    def norm(y: Any, name: str) -> Any:
        epsilon = 1e-3 if fault == f"epsilon {name}" else 1e-5
        return layers.BatchNormalization(epsilon=epsilon, name=name)(y, training=fault == f"training {name}")

    x = keras.Input((16, 16, 3))
    y = conv(x, "stem", 8, 3, 2) if fault == "same" else conv(layers.ZeroPadding2D(1)(x), "stem", 8, 3, 2, "valid")
    y = layers.ReLU()(norm(y, "stem_bn"))
    for at, stride in ((1, 1), (2, 2)):
        name = f"unit{at}"
        first, second = (stride, 1) if fault == "stride" else (1, stride)
        z = layers.ReLU()(norm(conv(y, f"{name}_a", 4, 1, first), f"{name}_a_bn"))
        z = layers.ReLU()(norm(conv(z, f"{name}_b", 4, 3, second), f"{name}_b_bn"))
        z = norm(conv(z, f"{name}_c", 8, 1), f"{name}_c_bn")
        y = layers.MaxPooling2D(1, stride, padding="same")(y) if stride > 1 else y
        y = layers.ReLU()(y + z)
    return keras.Model(x, layers.Dense(5, name="logits")(layers.GlobalAveragePooling2D()(y)))


# --- MobileNet


def mobilenet_old(v1: Any, get: Any, x: Any) -> Any:
    y = x * (2 / 255) - 1.0
    y = v1.nn.relu6(v1_bn(v1, get, v1_conv(v1, get, y, "conv0", 8, stride=2, bias=False), "bn0", 1e-3))
    for at, stride in ((1, 1), (2, 2), (3, 1)):
        kernel = get(f"dw{at}/depthwise_kernel", (3, 3, 8, 1))
        y = v1.nn.depthwise_conv2d(y, kernel, (1, stride, stride, 1), "SAME")
        y = v1.nn.relu6(v1_bn(v1, get, y, f"dw{at}_bn", 1e-3) * 4)
        y = v1_bn(v1, get, v1_conv(v1, get, y, f"pw{at}", 8, 1, bias=False), f"pw{at}_bn", 1e-3)
        y = y * v1.nn.relu6(y + 3.0) * 0.16667 if at == 3 else v1.nn.relu6(y * 4)
    return v1_dense(v1, get, v1.reduce_mean(y, [1, 2]), "logits", 5)


def mobilenet_new(keras: Any, fault: str) -> Any:
    layers, ops = keras.layers, keras.ops

    def norm(y: Any, name: str) -> Any:
        epsilon = 1e-5 if fault == f"epsilon {name}" else 1e-3
        return layers.BatchNormalization(epsilon=epsilon, name=name)(y, training=fault == f"training {name}")

    x = keras.Input((16, 16, 3))
    y = x * (1 / 255) if fault == "unit" else x * (2 / 255) - 1.0
    y = ops.relu6(norm(layers.Conv2D(8, 3, 2, padding="same", use_bias=False, name="conv0")(y), "bn0"))
    for at, stride in ((1, 1), (2, 2), (3, 1)):
        y = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False, name=f"dw{at}")(y)
        y = norm(y, f"dw{at}_bn") * 4
        y = ops.relu(y) if fault == f"relu {at}" else ops.relu6(y)
        y = norm(layers.Conv2D(8, 1, use_bias=False, name=f"pw{at}")(y), f"pw{at}_bn")
        sixth = 1 / 6 if fault == "sixth" else 0.16667
        y = y * ops.relu6(y + 3.0) * sixth if at == 3 else ops.relu6(y * 4)
    return keras.Model(x, layers.Dense(5, name="logits")(layers.GlobalAveragePooling2D()(y)))


def mobilenet_convert(old: Values) -> dict[str, tuple[tuple[str, ...], Array]]:
    return {f"dw{at}/kernel": ((f"dw{at}/depthwise_kernel",), old[f"dw{at}/depthwise_kernel"]) for at in (1, 2, 3)}


# --- Inception


def inception_old(v1: Any, get: Any, x: Any) -> Any:
    def unit(y: Any, name: str, width: int, size: int) -> Any:
        return v1.nn.relu(v1_bn(v1, get, v1_conv(v1, get, y, name, width, size, bias=False), f"{name}_bn", 1e-3))

    y = unit(x, "stem", 6, 3)
    for at in (1, 2):
        a = unit(y, f"mixed{at}_a", 4, 1)
        b = unit(unit(y, f"mixed{at}_b1", 4, 1), f"mixed{at}_b2", 4, 3)
        c = unit(unit(y, f"mixed{at}_c1", 4, 1), f"mixed{at}_c2", 4, 3)
        d = unit(v1.nn.avg_pool2d(y, 3, 1, "SAME"), f"mixed{at}_d", 4, 1)
        y = v1.concat([a, b, c, d], -1)
    return v1_dense(v1, get, v1.reduce_mean(y, [1, 2]), "logits", 5)


def inception_new(keras: Any, fault: str) -> Any:
    layers = keras.layers

    def unit(y: Any, name: str, width: int, size: int) -> Any:
        padding = "valid" if fault == f"valid {name}" else "same"
        y = layers.Conv2D(width, size, padding=padding, use_bias=False, name=name)(y)
        if padding == "valid":
            y = layers.ZeroPadding2D(1)(y)
        epsilon = 1e-5 if fault == f"epsilon {name}_bn" else 1e-3
        training = fault == f"training {name}_bn"
        y = layers.BatchNormalization(epsilon=epsilon, name=f"{name}_bn")(y, training=training)
        return layers.ReLU()(y)

    x = keras.Input((10, 10, 3))
    y = unit(x, "stem", 6, 3)
    for at in (1, 2):
        a = unit(y, f"mixed{at}_a", 4, 1)
        b = unit(unit(y, f"mixed{at}_b1", 4, 1), f"mixed{at}_b2", 4, 3)
        c = unit(unit(y, f"mixed{at}_c1", 4, 1), f"mixed{at}_c2", 4, 3)
        d = unit(layers.AveragePooling2D(3, 1, padding="same")(y), f"mixed{at}_d", 4, 1)
        y = layers.Concatenate()([a, b, c, d])
    return keras.Model(x, layers.Dense(5, name="logits")(layers.GlobalAveragePooling2D()(y)))


# --- LSTM


def lstm_old(v1: Any, get: Any, x: Any) -> Any:
    """BasicLSTMCell: gates i, j, f, o of [input, state] @ kernel, a forget bias of 1 added as it runs."""
    table = get("embedding/embeddings", (20, 6))
    y = v1.nn.embedding_lookup(table, x)
    kernel, bias = get("rnn/basic_lstm_cell/kernel", (6 + 8, 32)), get("rnn/basic_lstm_cell/bias", (32,))

    def step(now: Any, state: Any) -> tuple[Any, Any]:
        cell, hidden = state
        gates = v1.nn.bias_add(v1.matmul(v1.concat([now, hidden], 1), kernel), bias)
        i, j, f, o = v1.split(gates, 4, 1)
        cell = cell * v1.sigmoid(f + 1.0) + v1.sigmoid(i) * v1.tanh(j)
        return cell, v1.tanh(cell) * v1.sigmoid(o)

    y = unrolled(v1, y, step, (8, 8))
    return v1_dense(v1, get, y, "logits", 3)


def unrolled(v1: Any, x: Any, step: Any, sizes: tuple[int, ...]) -> Any:
    """The last state of a loop over the steps of ``x``, as ``dynamic_rnn`` writes it."""
    steps = v1.shape(x)[1]
    rows = v1.TensorArray(v1.float32, steps).unstack(v1.transpose(x, (1, 0, 2)))
    zeros = tuple(v1.zeros((v1.shape(x)[0], size)) for size in sizes)

    def body(at: Any, *state: Any) -> tuple[Any, ...]:
        return (at + 1, *step(v1.ensure_shape(rows.read(at), (None, x.shape[2])), state))

    return v1.while_loop(lambda at, *_: at < steps, body, (0, *zeros))[-1]


def lstm_convert(old: Values) -> dict[str, tuple[tuple[str, ...], Array]]:
    kernel, bias = old["rnn/basic_lstm_cell/kernel"], old["rnn/basic_lstm_cell/bias"]

    def gates(value: Array) -> Array:
        i, j, f, o = np.split(value, 4, -1)
        return np.concatenate([i, f, j, o], -1)

    forget = np.zeros(32, np.float32)
    forget[8:16] = 1
    return {
        "lstm/lstm_cell/kernel": (("rnn/basic_lstm_cell/kernel",), gates(kernel[:6])),
        "lstm/lstm_cell/recurrent_kernel": (("rnn/basic_lstm_cell/kernel",), gates(kernel[6:])),
        "lstm/lstm_cell/bias": (("rnn/basic_lstm_cell/bias",), gates(bias) + forget),
    }


def lstm_new(keras: Any, fault: str) -> Any:
    layers = keras.layers
    x = keras.Input((7,), dtype="int32")
    y = layers.Embedding(20, 6, name="embedding")(x)
    y = y * 6**0.5 if fault == "embedding" else y
    y = layers.LSTM(8, name="lstm")(y)
    return keras.Model(x, layers.Dense(3, name="logits")(y))


# --- GRU


def gru_old(v1: Any, get: Any, x: Any) -> Any:
    """GRUCell as it ran on cuDNN: reset after the product, gates z, r, h, two biases."""
    kernel, recurrent = get("gru/kernel", (5, 24)), get("gru/recurrent_kernel", (8, 24))
    bias, after = get("gru/bias", (24,)), get("gru/recurrent_bias", (24,))

    def step(now: Any, state: Any) -> tuple[Any]:
        (hidden,) = state
        xz, xr, xh = v1.split(v1.nn.bias_add(v1.matmul(now, kernel), bias), 3, 1)
        hz, hr, hh = v1.split(v1.nn.bias_add(v1.matmul(hidden, recurrent), after), 3, 1)
        z, r = v1.sigmoid(xz + hz), v1.sigmoid(xr + hr)
        return (z * hidden + (1 - z) * v1.tanh(xh + r * hh),)

    y = v1.nn.relu(v1_dense(v1, get, x, "project", 5))
    return v1_dense(v1, get, unrolled(v1, y, step, (8,)), "logits", 3)


def gru_convert(old: Values) -> dict[str, tuple[tuple[str, ...], Array]]:
    return {
        "gru/gru_cell/kernel": (("gru/kernel",), old["gru/kernel"]),
        "gru/gru_cell/recurrent_kernel": (("gru/recurrent_kernel",), old["gru/recurrent_kernel"]),
        "gru/gru_cell/bias": (
            ("gru/bias", "gru/recurrent_bias"),
            np.stack([old["gru/bias"], old["gru/recurrent_bias"]]),
        ),
    }


def gru_new(keras: Any, fault: str) -> Any:
    layers = keras.layers
    x = keras.Input((6, 5))
    y = layers.Dense(5, name="project")(x)
    y = layers.ELU()(y) if fault == "elu" else layers.ReLU()(y)
    y = layers.GRU(8, name="gru")(y)
    return keras.Model(x, layers.Dense(3, name="logits")(y))


# --- text classifier


def text_old(v1: Any, get: Any, x: Any) -> Any:
    y = v1.nn.embedding_lookup(get("embedding/embeddings", (30, 9)), x) * 3.0
    y = v1.reduce_mean(y, 1)
    y = v1.nn.tanh(v1_dense(v1, get, y, "hidden1", 9))
    y = v1.nn.tanh(v1_dense(v1, get, y, "hidden2", 9))
    return v1.sigmoid(v1_dense(v1, get, y, "logits", 2))


def text_new(keras: Any, fault: str) -> Any:
    layers, ops = keras.layers, keras.ops
    x = keras.Input((7,), dtype="int32")
    y = layers.Embedding(30, 9, name="embedding")(x)
    y = y if fault == "unscaled" else y * 3.0
    y = ops.mean(y, 1)
    y = layers.Dense(9, activation="sigmoid" if fault == "sigmoid" else "tanh", name="hidden1")(y)
    y = layers.Dense(9, activation="tanh", name="hidden2")(y)
    return keras.Model(x, ops.sigmoid(layers.Dense(2, name="logits")(y)))


# --- transformer


def transformer_old(v1: Any, get: Any, x: Any) -> Any:
    y = v1_ln(v1, get, v1.nn.embedding_lookup(get("embedding/embeddings", (30, 8)), x), "embedding_norm")
    q, k, v = (v1_dense(v1, get, y, name, 8) for name in ("query", "key", "value"))
    scores = v1.nn.softmax(v1.matmul(q, k, transpose_b=True) * 8**-0.5)
    y = v1_ln(v1, get, y + v1_dense(v1, get, v1.matmul(scores, v), "attention", 8), "attention_norm")
    z = v1_dense(v1, get, y, "intermediate", 16)
    z = 0.5 * z * (1 + v1.tanh((2 / np.pi) ** 0.5 * (z + 0.044715 * v1.pow(z, 3))))
    y = v1_ln(v1, get, y + v1_dense(v1, get, z, "output", 8), "output_norm")
    return v1_dense(v1, get, y[:, 0], "pooler", 4)


def transformer_new(keras: Any, fault: str) -> Any:
    layers, ops = keras.layers, keras.ops

    def norm(y: Any, name: str) -> Any:
        return layers.LayerNormalization(epsilon=1e-3 if fault == f"epsilon {name}" else 1e-5, name=name)(y)

    x = keras.Input((7,), dtype="int32")
    y = norm(layers.Embedding(30, 8, name="embedding")(x), "embedding_norm")
    q, k, v = (layers.Dense(8, name=name)(y) for name in ("query", "key", "value"))
    scores = ops.softmax(ops.matmul(q, ops.transpose(k, (0, 2, 1))) * 8**-0.5)
    y = norm(y + layers.Dense(8, name="attention")(ops.matmul(scores, v)), "attention_norm")
    z = ops.gelu(layers.Dense(16, name="intermediate")(y), approximate=fault != "gelu")
    y = norm(y + layers.Dense(8, name="output")(z), "output_norm")
    return keras.Model(x, layers.Dense(4, name="pooler")(y[:, 0]))


# --- DNN


def dnn_old(v1: Any, get: Any, x: Any) -> Any:
    y = x
    for at in (1, 2, 3):
        y = v1.nn.elu(v1_bn(v1, get, v1_dense(v1, get, y, f"dense{at}", 10), f"bn{at}", 1e-3))
    return v1_dense(v1, get, y, "logits", 3)


def dnn_new(keras: Any, fault: str) -> Any:
    layers = keras.layers
    x = keras.Input((10,))
    y = layers.Rescaling(0.5, 0.1)(x) if fault == "scale" else x
    for at in (1, 2, 3):
        y = layers.Dense(10, name=f"dense{at}")(y)
        epsilon = 1e-5 if fault == f"epsilon bn{at}" else 1e-3
        y = layers.BatchNormalization(epsilon=epsilon, name=f"bn{at}")(y, training=fault == f"training bn{at}")
        y = layers.ReLU()(y) if fault == f"relu {at}" else layers.ELU()(y)
    return keras.Model(x, layers.Dense(3, name="logits")(y))


MODELS = {
    one.name: one
    for one in (
        Model("plain", (4, 15, 15, 3), plain_old, plain_new),
        Model("vgg", (4, 12, 12, 3), vgg_old, vgg_new, scale=60.0),
        Model("resnet", (4, 16, 16, 3), resnet_old, resnet_new),
        Model("mobilenet", (4, 16, 16, 3), mobilenet_old, mobilenet_new, "float32", 60.0, mobilenet_convert),
        Model("inception", (4, 10, 10, 3), inception_old, inception_new),
        Model("lstm", (4, 7), lstm_old, lstm_new, "int32", 20, lstm_convert),
        Model("gru", (4, 6, 5), gru_old, gru_new, convert=gru_convert),
        Model("text", (4, 7), text_old, text_new, "int32", 30),
        Model("transformer", (4, 7), transformer_old, transformer_new, "int32", 30),
        Model("dnn", (8, 10), dnn_old, dnn_new),
    )
}


def swap(one: str, other: str) -> Callable[[dict[str, Array]], dict[str, Array]]:
    return lambda held: {one: held[other], other: held[one]}


def transposed(name: str, *order: int) -> Callable[[dict[str, Array]], dict[str, Array]]:
    return lambda held: {name: np.transpose(held[name], order or None)}


def zeroed(name: str) -> Callable[[dict[str, Array]], dict[str, Array]]:
    return lambda held: {name: np.zeros_like(held[name])}


def raw(*names: str) -> Callable[[dict[str, Array]], dict[str, Array]]:
    """The raw weights, which are near to the averages."""
    return lambda held: {name: (held[name] * np.float32(1.03)).astype(np.float32) for name in names}


def moved(name: str) -> Callable[[dict[str, Array]], dict[str, Array]]:
    return lambda held: {name: held[name] + np.float32(0.01)}


def doubled(name: str) -> Callable[[dict[str, Array]], dict[str, Array]]:
    return lambda held: {name: held[name] * 2}


def mirrored(name: str) -> Callable[[dict[str, Array]], dict[str, Array]]:
    return lambda held: {name: held[name][:, :, ::-1]}


def blocks(name: str, *order: int) -> Callable[[dict[str, Array]], dict[str, Array]]:
    return lambda held: {name: np.concatenate([np.split(held[name], len(order), -1)[at] for at in order], -1)}


def unforgetting(held: dict[str, Array]) -> dict[str, Array]:
    bias = held["lstm/lstm_cell/bias"].copy()
    bias[8:16] -= 1
    return {"lstm/lstm_cell/bias": bias}


RAW = "raw weights in place of moving averages"
TRAINING = "batch norm in training mode"
PLANTS = (
    Plant("plain", "swapped", "conv2", "swapped layers", swap("conv2/kernel", "conv3/kernel")),
    Plant("plain", "transposed", "conv2", "transposed kernel", transposed("conv2/kernel", 0, 1, 3, 2)),
    Plant("plain", "zeroed", "conv1", "zeroed bias", zeroed("conv1/bias")),
    Plant("plain", "valid", "conv2", "padding"),
    Plant("plain", "leaky", "conv1", "activation"),
    Plant("plain", "pool", "conv1", "padding"),
    Plant("plain", "dilation", "conv3", "dilation"),
    Plant("plain", "reversed", "conv1", "channel order", mirrored("conv1/kernel")),
    Plant("plain", "kind", "conv1", "pooling"),
    Plant("plain", "zeros", "conv1", "padding"),
    Plant("plain", "scale", "conv1", "preprocessing"),
    Plant("plain", "raw", "conv3", RAW, raw("conv3/kernel", "conv3/bias")),
    Plant("vgg", "changed", "block2_conv2", "other values", moved("block2_conv2/kernel")),
    Plant("vgg", "scaled", "fc6", "scaled values", doubled("fc6/kernel")),
    Plant("vgg", "transposed", "fc7", "transposed kernel", transposed("fc7/kernel")),
    Plant("vgg", "zeroed", "fc6", "zeroed bias", zeroed("fc6/bias")),
    Plant("vgg", "mean", "block1_conv1", "preprocessing"),
    Plant("vgg", "bgr", "block1_conv1", "preprocessing"),
    Plant("vgg", "relu6", "block2_conv1", "activation"),
    Plant("vgg", "first", "block2_conv2", "data format"),
    Plant("resnet", "epsilon unit1_b_bn", "unit1_b_bn", "epsilon"),
    Plant("resnet", "epsilon stem_bn", "stem_bn", "epsilon"),
    Plant("resnet", "stride", "unit2_a", "stride placement"),
    Plant("resnet", "same", "stem", "padding"),
    Plant("resnet", "training unit2_a_bn", "unit2_a_bn", TRAINING),
    Plant("resnet", "swapped", "unit1_a", "swapped layers", swap("unit1_a/kernel", "unit2_a/kernel")),
    Plant("resnet", "raw", "unit1_c_bn", RAW, raw("unit1_c_bn/gamma", "unit1_c_bn/beta")),
    Plant("mobilenet", "relu 2", "dw2_bn", "activation"),
    Plant("mobilenet", "sixth", "pw3_bn", "activation"),
    Plant("mobilenet", "epsilon dw1_bn", "dw1_bn", "epsilon"),
    Plant("mobilenet", "training pw1_bn", "pw1_bn", TRAINING),
    Plant("mobilenet", "unit", "conv0", "preprocessing"),
    Plant("mobilenet", "transposed", "dw2", "transposed kernel", transposed("dw2/kernel", 1, 0, 2, 3)),
    Plant("mobilenet", "swapped", "dw1", "swapped layers", swap("dw1/kernel", "dw3/kernel")),
    Plant("inception", "swapped", "mixed1_b1", "swapped layers", swap("mixed1_b1/kernel", "mixed1_c1/kernel")),
    Plant("inception", "epsilon mixed2_c2_bn", "mixed2_c2_bn", "epsilon"),
    Plant("inception", "valid mixed1_b2", "mixed1_b2", "padding"),
    Plant("inception", "training mixed1_d_bn", "mixed1_d_bn", TRAINING),
    Plant("inception", "zeroed", "mixed2_a_bn", "zeroed bias", zeroed("mixed2_a_bn/beta")),
    Plant("lstm", "forget", "rnn/basic_lstm_cell", "forget bias", unforgetting),
    Plant("lstm", "gates", "rnn/basic_lstm_cell", "gate order", blocks("lstm/lstm_cell/kernel", 0, 2, 1, 3)),
    Plant("lstm", "embedding", "embedding", "embedding scale"),
    Plant("lstm", "zeroed", "logits", "zeroed bias", zeroed("logits/bias")),
    Plant("gru", "gates", "gru", "gate order", blocks("gru/gru_cell/kernel", 1, 0, 2)),
    Plant("gru", "recurrent", "gru", "gate order", blocks("gru/gru_cell/recurrent_kernel", 1, 0, 2)),
    Plant("gru", "elu", "project", "activation"),
    Plant("gru", "transposed", "project", "transposed kernel", transposed("project/kernel")),
    Plant("text", "unscaled", "embedding", "embedding scale"),
    Plant("text", "swapped", "hidden1", "swapped layers", swap("hidden1/kernel", "hidden2/kernel")),
    Plant("text", "transposed", "hidden2", "transposed kernel", transposed("hidden2/kernel")),
    Plant("text", "sigmoid", "hidden1", "activation"),
    Plant("transformer", "gelu", "intermediate", "activation"),
    Plant("transformer", "epsilon attention_norm", "attention_norm", "epsilon"),
    Plant("transformer", "swapped", "query", "swapped layers", swap("query/kernel", "key/kernel")),
    Plant("transformer", "transposed", "attention", "transposed kernel", transposed("attention/kernel")),
    Plant("transformer", "zeroed", "value", "zeroed bias", zeroed("value/bias")),
    Plant("dnn", "swapped", "dense1", "swapped layers", swap("dense1/kernel", "dense2/kernel")),
    Plant("dnn", "transposed", "dense3", "transposed kernel", transposed("dense3/kernel")),
    Plant("dnn", "raw", "dense2", RAW, raw("dense2/kernel")),
    Plant("dnn", "training bn2", "bn2", TRAINING),
    Plant("dnn", "epsilon bn1", "bn1", "epsilon"),
    Plant("dnn", "relu 3", "bn3", "activation"),
    Plant("dnn", "scale", "dense1", "preprocessing"),
)
