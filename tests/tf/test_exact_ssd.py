"""Slim-exact SSD extractors: the TF1 graph's outputs to the last bit, under the keys of the stock extractor."""

from __future__ import annotations

import pytest

from tests.tf.exact_rows import build, exact_config, names_by_key, prove, shapes_by_key, ssd

V1, V1_FPN, V2, V2_FPN = "ssd_mobilenet_v1", "ssd_mobilenet_v1_fpn", "ssd_mobilenet_v2", "ssd_mobilenet_v2_fpn"
R50, R101, R152 = "ssd_resnet50_v1_fpn", "ssd_resnet101_v1_fpn", "ssd_resnet152_v1_fpn"
LITE = {"use_depthwise": "true"}
ROWS = (
    ssd("v1_half", V1, depth_multiplier=0.5),
    ssd("v1_fpn", V1_FPN, depth_multiplier=0.75),
    ssd("v2_035", V2, depth_multiplier=0.35),
    ssd("v2_fpnlite", V2_FPN, depth_multiplier=0.75, use_explicit_padding="true", **LITE),
    ssd("resnet50", R50),
    ssd("resnet101", R101, num_classes=2),
    ssd("resnet152", R152, num_classes=2),
)
MATRIX = (
    *(
        ssd(f"{tf1_type}_{alpha}", tf1_type, depth_multiplier=alpha, num_classes=5)
        for tf1_type in (V1, V2, V1_FPN, V2_FPN)
        for alpha in (0.35, 0.5, 0.75, 1.0, 1.4)
    ),
    *(
        ssd(f"{tf1_type}_lite_{alpha}", tf1_type, depth_multiplier=alpha, num_classes=5, **LITE)
        for tf1_type in (V1_FPN, V2_FPN)
        for alpha in (0.35, 0.5, 1.0, 1.4)
    ),
    ssd("v1_own_hyperparameters", V1, depth_multiplier=0.5, override="false"),
    ssd("v2_own_hyperparameters", V2, depth_multiplier=0.5, override="false"),
    ssd("v2_odd_min_depth", V2, depth_multiplier=0.35, min_depth=20),
    ssd("v2_relu_without_scale", V2, activation="RELU", scale="false", epsilon=0.01),
    ssd("v2_fpn_levels_3_to_4", V2_FPN, max_level=4),
    ssd("v1_fpn_levels_2_to_6", V1_FPN, min_level=2, max_level=6, layer_depth=96),
    ssd("v2_fpn_explicit_padding", V2_FPN, use_explicit_padding="true"),
    ssd("resnet50_5_classes", R50, num_classes=5),
    ssd("resnet101_5_classes", R101, num_classes=5),
    ssd("resnet152_5_classes", R152, num_classes=5),
    ssd("resnet50_own_hyperparameters", R50, override="false"),
    ssd("resnet50_relu", R50, activation="RELU", epsilon=0.01),
    ssd("resnet50_half_levels_2_to_6", R50, min_level=2, max_level=6, layer_depth=64, depth_multiplier=0.5),
    ssd("resnet50_levels_3_to_4", R50, max_level=4),
)
VARIABLES = {V1: 199, V1_FPN: 249, V2: 324, V2_FPN: 374, R50: 379, R101: 634, R152: 889}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_outputs_are_tf1s(row, tf1, tmp_path):
    assert_equal_to_the_last_bit(prove(tf1(row), tmp_path))


@pytest.mark.matrix
@pytest.mark.parametrize("row", MATRIX, ids=str)
def test_outputs_are_tf1s_under_all_settings(row, tf1, tmp_path):
    assert_equal_to_the_last_bit(prove(tf1(row), tmp_path))


def assert_equal_to_the_last_bit(comparison):
    raw = [(item.name, item.largest) for item in comparison.raw]
    assert raw == [("box_encodings", 0), ("class_predictions_with_background", 0)]
    assert comparison.same_detections
    assert [item.largest for item in comparison.detections] == [0, 0, 0, 0]


@pytest.mark.parametrize("tf1_type", VARIABLES)
def test_keys_names_and_shapes_are_stocks(tf1_type, tmp_path):
    from ckptmap.tf.models import model_variables

    row = ssd("keys", tf1_type)
    exact = model_variables(build(exact_config(row), tmp_path / "exact"))
    stock = model_variables(build(row.tf2_config(), tmp_path / "stock"))
    assert len(exact) == VARIABLES[tf1_type]
    assert shapes_by_key(exact) == shapes_by_key(stock)
    assert names_by_key(exact) == names_by_key(stock)
