"""Layers computed anew, and tensors compared that are laid out otherwise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ckptmap.tf.verify.layers.causes.numeric import ACTIVATIONS, convolve, normalize, pads, pool
from ckptmap.tf.verify.layers.measure import relative


@pytest.mark.parametrize(
    ("padding", "size", "kernel", "stride", "wanted"),
    [("SAME", 5, 3, 1, (1, 1)), ("SAME", 6, 3, 2, (0, 1)), ("SAME", 5, 1, 2, (0, 0)), ("VALID", 6, 3, 2, (0, 0))],
)
def test_same_pads_more_behind_than_before(
    padding: str, size: int, kernel: int, stride: int, wanted: tuple[int, int]
) -> None:
    assert pads(padding, (size, size), (kernel, kernel), (stride, stride)) == (wanted, wanted)


def test_a_convolution_sums_over_its_window() -> None:
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    kernel = np.ones((2, 2, 1, 1), np.float32)
    found = convolve(image, kernel, (2, 2), (1, 1), ((0, 0), (0, 0)), depthwise=False)
    assert found[0, :, :, 0].tolist() == [[0 + 1 + 4 + 5, 2 + 3 + 6 + 7], [8 + 9 + 12 + 13, 10 + 11 + 14 + 15]]


def test_dilation_spreads_the_window() -> None:
    image = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    found = convolve(image, np.ones((2, 2, 1, 1)), (1, 1), (2, 2), ((0, 0), (0, 0)), depthwise=False)
    assert found.reshape(-1).tolist() == [0 + 2 + 6 + 8]


def test_a_depthwise_convolution_keeps_channels_apart() -> None:
    image = np.stack([np.full((1, 2, 2), 1.0), np.full((1, 2, 2), 10.0)], axis=-1)
    found = convolve(image, np.ones((2, 2, 2, 1)), (1, 1), (1, 1), ((0, 0), (0, 0)), depthwise=True)
    assert found.reshape(-1).tolist() == [4.0, 40.0]


def test_padding_does_not_count_in_a_mean() -> None:
    image = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
    found = pool(image, (2, 2), (1, 1), "SAME", largest=False)
    assert found[0, :, :, 0].tolist() == [[2.5, 3.0], [3.5, 4.0]]


def test_normalization() -> None:
    found = normalize(np.array([[3.0]]), np.array([1.0]), np.array([3.0]), np.array([2.0]), np.array([5.0]), 1.0)
    assert found.tolist() == [[7.0]]


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("relu6", 7.0, 6.0), ("leaky relu 0.2", -1.0, -0.2), ("exact gelu", 1.0, 0.8413447460685429),
        ("tanh gelu", 1.0, 0.8411919906082768), ("hard swish with 1/6", 1.0, 4 / 6),
        ("hard sigmoid of Keras 2", 1.0, 0.7), ("softplus", 0.0, math.log(2)),
    ],
)  # fmt: skip
def test_activations(name: str, value: float, wanted: float) -> None:
    assert float(ACTIVATIONS[name](np.array([value]))[0]) == pytest.approx(wanted, rel=1e-12)


def test_another_layout_of_the_same_values_is_no_difference() -> None:
    value = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype(np.float32)
    assert relative(value, value.transpose(0, 3, 1, 2), 1e-5) == 0.0
    assert relative(value[:, :1], value[:, 0], 1e-5) == 0.0
    assert relative(value, value.transpose(0, 2, 1, 3), 1e-5) > 1.0


def test_a_difference_is_in_units_of_the_spread() -> None:
    value = np.array([0.0, 10.0, -10.0, 0.0])
    assert relative(value, value + 0.5, 1e-5) == pytest.approx(0.5 / value.std())
    assert relative(value, value[:2], 1e-5) == math.inf
    assert relative(np.array([1.0, math.nan]), np.array([1.0, 2.0]), 1e-5) == math.inf
    assert relative(np.array([1.0, math.nan]), np.array([1.0, math.nan]), 1e-5) == 0.0
