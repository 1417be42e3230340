"""Fresh values: right by their moments, equal for one seed and name, of the variable's dtype."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ckptmap.basics.errors import TargetError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.targets.initializers import fans, initial_blocks, initial_value
from ckptmap.targets.variables import Initializer, TargetVariable


def variable(kind: str, shape: tuple[int, ...] = (64, 1000), **options: float | str) -> TargetVariable:
    return TargetVariable("key", "layer/kernel", DType.FLOAT32, shape, initializer=Initializer(kind, options))


@pytest.mark.parametrize(
    ("kind", "options", "value"),
    [("zeros", {}, 0.0), ("ones", {}, 1.0), ("constant", {"value": -4.6}, np.float32(-4.6))],
)
def test_constants(kind: str, options: dict[str, float], value: float) -> None:
    array = initial_value(variable(kind, (2, 3), **options))
    assert array.dtype == np.float32
    assert array.tolist() == [[value] * 3] * 2


@pytest.mark.parametrize(("value", "filled"), [("ones", 1.0), ("zeros", 0.0), (0.25, 0.25)])
def test_a_rule_can_say_the_value(value: float | str, filled: float) -> None:
    assert initial_value(variable("truncated_normal", (2,)), value=value).tolist() == [filled, filled]


def test_scalars() -> None:
    assert initial_value(variable("ones", ())).shape == ()
    assert initial_value(variable("truncated_normal", (), stddev=0.1)).shape == ()


def test_truncated_normal_is_cut_at_two_deviations() -> None:
    array = initial_value(variable("truncated_normal", mean=1.0, stddev=0.5))
    assert abs(array - 1.0).max() <= 1.0
    assert array.mean() == pytest.approx(1.0, abs=0.01)
    assert array.std() == pytest.approx(0.5 * 0.8796, rel=0.02)


def test_random_normal() -> None:
    array = initial_value(variable("random_normal", mean=0.0, stddev=0.01))
    assert array.std() == pytest.approx(0.01, rel=0.02)
    assert abs(array).max() > 0.03  # not cut


def test_random_uniform() -> None:
    array = initial_value(variable("random_uniform", minval=-0.5, maxval=1.5))
    assert (array.min(), array.max()) == (pytest.approx(-0.5, abs=1e-3), pytest.approx(1.5, abs=1e-3))


@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 576), ("fan_out", 9000), ("fan_avg", 4788)])
def test_variance_scaling_has_the_variance(mode: str, fan: int, distribution: str) -> None:
    array = initial_value(
        variable("variance_scaling", (3, 3, 64, 1000), scale=2.0, mode=mode, distribution=distribution)
    )
    assert array.std() == pytest.approx(math.sqrt(2.0 / fan), rel=0.01)


def test_glorot_uniform_has_keras_limit() -> None:
    array = initial_value(variable("variance_scaling", scale=1.0, mode="fan_avg", distribution="uniform"))
    assert abs(array).max() == pytest.approx(math.sqrt(6 / 1064), rel=1e-3)


def test_fans() -> None:
    assert fans((3, 3, 16, 32)) == (144, 288)
    assert fans((16, 32)) == (16, 32)
    assert fans((16,)) == (16, 16)
    assert fans(()) == (1, 1)


def test_one_seed_and_name_give_one_value() -> None:
    one = variable("truncated_normal", (4,))
    assert initial_value(one, 7).tolist() == initial_value(one, 7).tolist()
    assert initial_value(one, 7).tolist() != initial_value(one, 8).tolist()
    assert initial_value(one, 7).tolist() != initial_value(one._replace(name="other/kernel"), 7).tolist()
    assert initial_value(one, 7).tolist() == initial_value(one._replace(key="elsewhere"), 7).tolist()


def test_values_are_the_same_everywhere() -> None:
    values = initial_value(variable("random_normal", (3,), stddev=1.0), 0)
    assert values.tolist() == pytest.approx(EXPECTED, rel=1e-6)


EXPECTED = [-0.7592217326164246, -0.5267783999443054, -1.7062432765960693]


def test_unknown_kind() -> None:
    with pytest.raises(TargetError, match="layer/kernel: no initializer is called 'orthogonal'"):
        initial_value(variable("orthogonal"))


def test_several_numbers_fill_equal_blocks_of_the_last_axis() -> None:
    one = variable("zeros", (3, 4))
    blocks = list(initial_blocks(one, 0, (1.0, 2.0)))
    assert np.concatenate(blocks).reshape(3, 4).tolist() == [[1, 1, 2, 2]] * 3
    large = list(initial_blocks(variable("zeros", (300_000, 8)), 0, (0.0, 1.0, 2.0, 3.0)))
    assert len(large) == 3
    assert np.concatenate(large).reshape(-1, 8)[[0, -1]].tolist() == [[0, 0, 1, 1, 2, 2, 3, 3]] * 2
