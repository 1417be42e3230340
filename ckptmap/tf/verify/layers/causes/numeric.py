"""Layers computed anew in NumPy, in float64: to see what another setting would give."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

Pads = tuple[tuple[int, int], tuple[int, int]]
NO_PADS: Pads = ((0, 0), (0, 0))


def pads(padding: str, sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int]) -> Pads:
    """What TensorFlow adds before and behind height and width (tensorflow/core/framework/common_shape_fns.cc)."""
    if padding != "SAME":
        return NO_PADS
    found = []
    for size, window, step in zip(sizes, kernel, strides, strict=True):
        total = max((math.ceil(size / step) - 1) * step + window - size, 0)
        found.append((total // 2, total - total // 2))
    return found[0], found[1]


def windows(images: Array, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]) -> Array:
    """[batch, height, width, channels, kernel height, kernel width] of padded images, channels last."""
    reach = [(window - 1) * step + 1 for window, step in zip(kernel, dilations, strict=True)]
    view = np.lib.stride_tricks.sliding_window_view(images, (reach[0], reach[1]), axis=(1, 2))
    return view[:, :: strides[0], :: strides[1], :, :: dilations[0], :: dilations[1]]


def convolve(
    images: Array, kernel: Array, strides: Sequence[int], dilations: Sequence[int], added: Pads, *, depthwise: bool
) -> Array:
    """A convolution, channels last: kernel [height, width, in, out], depthwise [height, width, in, multiplier]."""
    padded = np.pad(images.astype(np.float64), ((0, 0), *added, (0, 0)))
    seen = windows(padded, kernel.shape[:2], strides, dilations)
    if depthwise:
        found = np.einsum("bhwcij,ijcm->bhwcm", seen, kernel.astype(np.float64), optimize=True)
        return found.reshape(*found.shape[:3], -1)
    groups = images.shape[-1] // kernel.shape[2]
    if groups == 1:
        return np.einsum("bhwcij,ijco->bhwo", seen, kernel.astype(np.float64), optimize=True)
    parts = zip(np.split(seen, groups, axis=3), np.split(kernel.astype(np.float64), groups, axis=3), strict=True)
    return np.concatenate([np.einsum("bhwcij,ijco->bhwo", one, part, optimize=True) for one, part in parts], axis=-1)


def pool(images: Array, size: Sequence[int], strides: Sequence[int], padding: str, *, largest: bool) -> Array:
    """The largest or the mean of each window; what padding adds does not count."""
    added = pads(padding, images.shape[1:3], size, strides)
    padded = np.pad(images.astype(np.float64), ((0, 0), *added, (0, 0)), constant_values=np.nan)
    seen = windows(padded, size, strides, (1, 1))
    reduce: Callable[..., Any] = np.nanmax if largest else np.nanmean
    return np.asarray(reduce(seen, axis=(-2, -1)))


def normalize(value: Array, mean: Array, variance: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    """Batch normalization, channels last."""
    inverse = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
    return (value.astype(np.float64) - mean) * inverse + beta


_erf = np.vectorize(math.erf, otypes=[np.float64])
_TANH_GELU = math.sqrt(2 / math.pi)

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky relu 0.01": lambda x: np.where(x > 0, x, 0.01 * x),
    "leaky relu 0.1": lambda x: np.where(x > 0, x, 0.1 * x),
    "leaky relu 0.2": lambda x: np.where(x > 0, x, 0.2 * x),
    "leaky relu 0.3": lambda x: np.where(x > 0, x, 0.3 * x),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "softplus": lambda x: np.logaddexp(x, 0),
    "exact gelu": lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2))),
    "tanh gelu": lambda x: 0.5 * x * (1 + np.tanh(_TANH_GELU * (x + 0.044715 * x**3))),
    "hard sigmoid with 1/6": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hard sigmoid with 0.16667": lambda x: np.clip(x + 3, 0, 6) * 0.16667,
    "hard sigmoid of Keras 2": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "hard swish with 1/6": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "hard swish with 0.16667": lambda x: x * np.clip(x + 3, 0, 6) * 0.16667,
}
"""What is applied value by value, by name: the list grows by one line."""
