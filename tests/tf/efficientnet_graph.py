"""EfficientNet's TF1 graph with the published names of its variables, for ``tests.tf.classifiers``.

Written from ``efficientnet_model.py`` of TensorFlow's TPU models, as google/automl has it, and checked against it once,
as B0: the same names and shapes, and the same logits to the last bit.
"""

from __future__ import annotations

from math import ceil
from typing import Any

from ckptmap.tf.environment import tf2

WIDTHS_AND_DEPTHS = ((1.0, 1.0), (1.0, 1.1), (1.1, 1.2), (1.2, 1.4), (1.4, 1.8), (1.6, 2.2), (1.8, 2.6), (2.0, 3.1))
"""Of B0 to B7."""
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192))
LAST = (1, 3, 1, 6, 320)
"""Repeats, kernel, stride, expansion, channels of each stage."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of TF1's input function, which has them times 255."""
EPSILON = 1e-3


def channels(base: int, width: float) -> int:
    """Rounded to a multiple of 8, and by no more than a tenth down."""
    found = max(8, int(base * width + 4) // 8 * 8)
    return found + 8 if found < 0.9 * base * width else found


def efficientnet(version: int, image: Any, classes: int) -> tuple[Any, Any]:
    """The logits of EfficientNet B``version`` for an image of 0 to 255, and the map before they are pooled."""
    v1 = tf2().compat.v1
    width, depth = WIDTHS_AND_DEPTHS[version]
    image = (image / 255 - v1.constant(MEAN)) / v1.constant(DEVIATION)
    with v1.variable_scope(f"efficientnet-b{version}"):
        with v1.variable_scope("stem"):
            x = _swish(_norm(_conv(image, channels(32, width), 3, 2, "conv2d"), ""))
        at = 0
        for repeats, kernel, stride, expansion, out in (*STAGES, LAST):
            for repeat in range(ceil(repeats * depth)):
                with v1.variable_scope(f"blocks_{at}"):
                    x = _block(x, kernel, stride if repeat == 0 else 1, expansion, channels(out, width))
                at += 1
        with v1.variable_scope("head"):
            features = _swish(_norm(_conv(x, channels(1280, width), 1, 1, "conv2d"), ""))
            pooled = v1.reduce_mean(features, [1, 2])
            kernel = v1.get_variable("dense/kernel", (pooled.shape[-1], classes))
            return v1.matmul(pooled, kernel) + v1.get_variable("dense/bias", (classes,)), features


def _block(x: Any, kernel: int, stride: int, expansion: int, out: int) -> Any:
    v1 = tf2().compat.v1
    before, inner, convs, norms = x, x.shape[-1] * expansion, iter(("conv2d", "conv2d_1")), iter(("", "_1", "_2"))
    if expansion > 1:
        x = _swish(_norm(_conv(x, inner, 1, 1, next(convs)), next(norms)))
    weights = v1.get_variable("depthwise_conv2d/depthwise_kernel", (kernel, kernel, inner, 1))
    x = v1.nn.depthwise_conv2d(x, weights, [1, stride, stride, 1], "SAME")
    x = _swish(_norm(x, next(norms)))
    with v1.variable_scope("se"):
        gate = v1.reduce_mean(x, [1, 2], keepdims=True)
        gate = _swish(_conv(gate, max(1, before.shape[-1] // 4), 1, 1, "conv2d", bias=True))
        x = x * v1.sigmoid(_conv(gate, inner, 1, 1, "conv2d_1", bias=True))
    x = _norm(_conv(x, out, 1, 1, next(convs)), next(norms))
    return x + before if stride == 1 and before.shape[-1] == out else x


def _conv(x: Any, out: int, kernel: int, stride: int, name: str, *, bias: bool = False) -> Any:
    v1 = tf2().compat.v1
    weights = v1.get_variable(f"{name}/kernel", (kernel, kernel, x.shape[-1], out))
    x = v1.nn.conv2d(x, weights, strides=[1, stride, stride, 1], padding="SAME")
    return x + v1.get_variable(f"{name}/bias", (out,)) if bias else x


def _norm(x: Any, number: str) -> Any:
    v1 = tf2().compat.v1
    with v1.variable_scope(f"tpu_batch_normalization{number}"):
        beta, gamma = (v1.get_variable(name, (x.shape[-1],)) for name in ("beta", "gamma"))
        mean, variance = (
            v1.get_variable(name, (x.shape[-1],), trainable=False) for name in ("moving_mean", "moving_variance")
        )
    return v1.nn.fused_batch_norm(x, gamma, beta, mean, variance, EPSILON, is_training=False)[0]


def _swish(x: Any) -> Any:
    return x * tf2().compat.v1.sigmoid(x)
