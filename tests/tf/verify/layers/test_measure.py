"""Tensors that are laid out otherwise and hold the same."""

from __future__ import annotations

import numpy as np
import pytest

from ckptmap.tf.verify.layers.measure import relative

ROUNDING = 1e-5


def test_heads_that_one_side_has_merged() -> None:
    heads = np.random.default_rng(0).normal(size=(2, 3, 9, 8))  # examples, heads, steps, width
    behind = heads.transpose(0, 2, 1, 3)
    for other in (behind.reshape(18, 24), behind.reshape(2, 9, 24)):
        assert relative(heads, other, ROUNDING) == 0
        assert relative(other, heads, ROUNDING) == 0
    for wrong in (heads[:, ::-1], heads.transpose(0, 3, 2, 1)):
        assert relative(wrong.reshape(18, 24), heads, ROUNDING) > 1


@pytest.mark.parametrize("order", [(0, 2, 3, 1), (0, 3, 1, 2)])
def test_axes_in_another_order(order: tuple[int, ...]) -> None:
    value = np.random.default_rng(0).normal(size=(2, 5, 6, 3))
    assert relative(value, value.transpose(order), ROUNDING) == 0
    assert relative(value, value.transpose(order) + 1e-3, ROUNDING) > ROUNDING


def test_channels_first_that_are_flattened_are_a_difference() -> None:
    """A dense layer behind them reads other values: this is no order of axes."""
    value = np.random.default_rng(0).normal(size=(2, 5, 6, 3))
    assert relative(value.reshape(2, 90), value.transpose(0, 3, 1, 2).reshape(2, 90), ROUNDING) > 1
    assert relative(value, value[:1], ROUNDING) == np.inf
