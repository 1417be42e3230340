"""Where two models part: literal samples of literal nodes."""

from __future__ import annotations

import numpy as np
import pytest

from ckptmap.tf.verify.walking import Names, Part, first_difference, walk

A, B = "FeatureExtractor/MobilenetV2/Conv/weights", "BoxPredictor_1/ClassPredictor/biases"
NAMES = Names({A: "a", B: "b"}, {A: "backbone", B: "class head"})


def node(source: list[float], result: list[float], shape: tuple[int, ...] = ()) -> dict[str, np.ndarray]:
    return {
        "source": np.array(source, np.float32),
        "source_shape": np.array([len(source)]),
        "result": np.array(result, np.float32),
        "result_shape": np.array(shape or [len(result)]),
    }


EQUAL = node([0, 2], [1, 3])


def first(old: dict, new: dict, names: Names = NAMES) -> Part | None:
    return first_difference(walk(old, new, names))


def test_equal_nodes() -> None:
    parts = walk({f"{A}:0": EQUAL, f"{B}:0": EQUAL}, {"b:0": EQUAL, "a:0": EQUAL}, NAMES)
    assert [(part.name, part.place, part.relative) for part in parts] == [
        ("preprocessed image", "", 0),
        ("FeatureExtractor/MobilenetV2/Conv", "result", 0),
        ("BoxPredictor_1/ClassPredictor", "input", 0),
        ("BoxPredictor_1/ClassPredictor", "result", 0),
    ]
    assert first_difference(parts) is None


def test_the_image_comes_first() -> None:
    assert first({f"{A}:0": EQUAL}, {"a:0": node([0, 2.5], [1, 4])}).text == "preprocessed image"


def test_an_image_of_another_size_is_a_difference() -> None:
    part = first({f"{A}:0": EQUAL}, {"a:0": node([0, 2, 4], [1, 3, 5])})
    assert (part.text, part.relative, part.shapes) == ("preprocessed image", np.inf, ((2,), (3,)))


def test_a_result_from_equal_inputs_is_named_and_measured() -> None:
    part = first({f"{A}:0": EQUAL, f"{B}:0": EQUAL}, {"a:0": EQUAL, "b:0": node([0, 2], [1, 5])})
    assert part.text == "class head at level 2: the result of BoxPredictor_1/ClassPredictor"
    assert part.relative == 2


def test_a_shape_from_equal_inputs_is_a_difference() -> None:
    part = first({f"{A}:0": EQUAL}, {"a:0": node([0, 2], [1], (1, 1))})
    assert part.text == "backbone: the shape of the result of FeatureExtractor/MobilenetV2/Conv"
    assert part.shapes == ((2,), (1, 1))


def test_inputs_of_other_shapes_are_passed_over() -> None:
    """With half the pooling stride the crops are larger, and a stride further on makes up for it."""
    parts = walk({f"{A}:0": EQUAL, f"{B}:0": EQUAL}, {"a:0": EQUAL, "b:0": node([0, 2, 4], [1, 3])}, NAMES)
    assert first_difference(parts) is None
    assert len(parts) == 3


def test_nodes_of_one_side_are_passed_over() -> None:
    assert walk({f"{A}:0": EQUAL, f"{A}:1": EQUAL}, {"a:0": EQUAL}, NAMES) == walk(
        {f"{A}:0": EQUAL}, {"a:0": EQUAL}, NAMES
    )


def test_values_that_are_no_numbers_differ() -> None:
    assert first({f"{A}:0": EQUAL}, {"a:0": node([0, 2], [1, np.nan])}).relative == np.inf


@pytest.mark.parametrize(
    ("variable", "level"),
    [
        ("FeatureExtractor/resnet_v1_50/fpn/smoothing_1/weights", "P3"),
        ("FeatureExtractor/resnet_v1_50/fpn/projection_3/biases", "P5"),
        ("FeatureExtractor/resnet_v1_50/fpn/bottom_up_block5/weights", "P6"),
        ("W/BoxPredictionTower/conv2d_0/BatchNorm/feature_4/moving_mean", "P7"),
        ("FeatureExtractor/resnet_v1_50/resnet_v1_50/conv1/weights", ""),
    ],
)
def test_levels_of_a_pyramid(variable: str, level: str) -> None:
    names = Names({variable: "a"}, {variable: "neck"}, lowest=3)
    assert walk({f"{variable}:0": EQUAL}, {"a:0": EQUAL}, names)[-1].level == level


def test_a_shared_predictor_is_at_the_level_of_its_use() -> None:
    variable = "WeightSharedConvolutionalBoxPredictor/BoxPredictor/weights"
    names = Names({variable: "a"}, {variable: "box head"}, lowest=3)
    other = node([5, 2], [1, 3])
    found = first({f"{variable}:{use}": EQUAL for use in range(3)}, {"a:0": EQUAL, "a:1": EQUAL, "a:2": other}, names)
    assert found.text == "box head at P5: the input of WeightSharedConvolutionalBoxPredictor/BoxPredictor"
