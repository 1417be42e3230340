from __future__ import annotations

import pytest

from ckptmap.families.detection.pipeline.widths import backbone_widths, keras_widths, slim_widths

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


def test_a_backbones_widths_by_those_at_multiplier_1() -> None:
    plain = {16: 16, 24: 24, 32: 32, 64: 64, 96: 96, 160: 160, 320: 320, 1280: 1280, 256: 256}
    assert backbone_widths("ssd_mobilenet_v2_fpn", 1.0, 16, slim=True) == plain
    assert backbone_widths("ssd_mobilenet_v2_fpn", 1.0, 16, slim=False) == plain | {256: 1280}
    half = {16: 16, 24: 16, 32: 16, 64: 32, 96: 48, 160: 80, 320: 160, 1280: 640, 256: 128}
    assert backbone_widths("ssd_mobilenet_v2", 0.5, 16, slim=True) == half


def test_keras_applies_mobilenet_v1s_multiplier_twice() -> None:
    slim, keras = (backbone_widths("ssd_mobilenet_v1", 0.75, 8, slim=slim) for slim in (True, False))
    assert slim == {32: 24, 64: 48, 128: 96, 256: 192, 512: 384, 1024: 768}
    assert keras == {32: 18, 64: 36, 128: 72, 256: 144, 512: 288, 1024: 576}


@pytest.mark.parametrize(
    ("kind", "multiplier", "min_depth"),
    [("ssd_resnet50_v1_fpn", 0.5, 8), ("ssd_resnet50_v1_fpn", 1.0, 128), ("ssd_inception_v2", 1.0, 16)],
)
def test_widths_that_are_not_known_are_left_out(kind: str, multiplier: float, min_depth: int) -> None:
    assert backbone_widths(kind, multiplier, min_depth, slim=True) == {}
