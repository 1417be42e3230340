from __future__ import annotations

import pytest

from ckptmap.families.detection.pipeline.widths import keras_widths, slim_widths

RESIDUALS = tuple(bool(int(digit)) for digit in "00101101110110110")
"""Which blocks of the plain network add their input."""


def test_the_plain_network_is_the_same_in_both() -> None:
    slim = slim_widths(1.0, 16, lite=False)
    assert slim == keras_widths(1.0, 16)
    assert slim.filters[:6] == (32, 16, 96, 24, 144, 24)
    assert slim.filters[-3:] == (960, 320, 1280)
    assert slim.residuals == RESIDUALS


@pytest.mark.parametrize("multiplier", [0.35, 0.5])
def test_min_depth_widens_blocks_whose_residual_keras_drops(multiplier: float) -> None:
    slim, keras = slim_widths(multiplier, 16, lite=False), keras_widths(multiplier, 16)
    assert slim.filters == keras.filters
    assert slim.residuals != keras.residuals
    assert slim.residuals[0]  # 16 filters in, 16 out
    assert not keras.residuals[0]


@pytest.mark.parametrize("multiplier", [0.35, 0.5, 0.75, 1.0])
def test_with_a_min_depth_of_8_both_are_the_same(multiplier: float) -> None:
    assert slim_widths(multiplier, 8, lite=False) == keras_widths(multiplier, 8)


def test_multipliers_above_1_widen_slims_last_convolution_alone() -> None:
    slim, keras = slim_widths(1.4, 16, lite=False), keras_widths(1.4, 16)
    assert (slim.filters[-1], keras.filters[-1]) == (1792, 1280)
    assert slim.filters[:-1] == keras.filters[:-1]


def test_fpnlite_has_a_narrow_last_convolution_in_slim() -> None:
    assert (slim_widths(1.0, 16, lite=True).filters[-1], slim_widths(0.75, 16, lite=True).filters[-1]) == (256, 192)
    assert keras_widths(0.75, 16).filters[-1] == 960
