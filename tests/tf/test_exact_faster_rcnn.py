"""Slim-exact R-CNN extractors: both stages of the TF1 graph within rounding, under the keys of the stock extractor."""

from __future__ import annotations

import pytest

from tests.tf.exact_rows import (
    BOXES_AND_MASKS,
    POSITIONS,
    build,
    exact_config,
    names_by_key,
    prove,
    rcnn,
    shapes_by_key,
)

R50, R101, R152 = "faster_rcnn_resnet50", "faster_rcnn_resnet101", "faster_rcnn_resnet152"
INCEPTION = "faster_rcnn_inception_resnet_v2"
ROUNDING = 2e-5  # of the output's spread; measured: 8e-7 at most
MASKS = {"predictor": BOXES_AND_MASKS, "stages": 3}
CONTEXT = "context_config { max_num_context_features: 4 context_feature_length: 16 }"
ROWS = (
    rcnn("resnet50_stride_8", R50, stride=8),
    rcnn("resnet101_stride_8", R101, stride=8, num_classes=2),
    rcnn("resnet152_stride_8", R152, stride=8, num_classes=2),
    rcnn("inception_stride_8", INCEPTION, stride=8),
)
MATRIX = (
    rcnn("resnet50_stride_16", R50, num_classes=5),
    rcnn("resnet50_stride_8_5_classes", R50, stride=8, num_classes=5),
    rcnn("resnet101_stride_8_5_classes", R101, stride=8, num_classes=5),
    rcnn("resnet101_stride_16", R101, num_classes=5),
    rcnn("resnet152_stride_16", R152, num_classes=5),
    rcnn("inception_stride_16", INCEPTION, num_classes=5),
    rcnn("inception_stride_8_5_classes", INCEPTION, stride=8, num_classes=5),
    rcnn("mask_resnet50_stride_8", R50, stride=8, target="mask_rcnn_resnet50", **MASKS),
    rcnn("mask_resnet101_stride_8", R101, stride=8, num_classes=5, target="mask_rcnn_resnet101", **MASKS),
    rcnn("mask_inception_stride_8", INCEPTION, stride=8, target="mask_rcnn_inception_resnet_v2", **MASKS),
    rcnn("rfcn_stride_16", R101, predictor=POSITIONS, target="rfcn_resnet101"),
    rcnn("context", R101, context=CONTEXT, target="context_rcnn_resnet101"),
    rcnn("rfcn_stride_8", R101, predictor=POSITIONS, stride=8, num_classes=5, target="rfcn_resnet101"),
)
VARIABLES = {R50: 275, R101: 530, R152: 785, INCEPTION: 906}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_outputs_are_tf1s(row, tf1, tmp_path):
    assert_equal_within_rounding(prove(tf1(row), tmp_path))


@pytest.mark.matrix
@pytest.mark.parametrize("row", MATRIX, ids=str)
def test_outputs_are_tf1s_under_all_settings(row, tf1, tmp_path):
    assert_equal_within_rounding(prove(tf1(row), tmp_path))


def assert_equal_within_rounding(comparison):
    assert {item.name: item.relative for item in comparison.raw if item.relative > ROUNDING} == {}
    assert {"rpn_box_encodings", "refined_box_encodings"} <= {item.name for item in comparison.raw}
    assert comparison["rpn_box_encodings"].largest == 0
    assert min(item.spread for item in comparison.raw if item.name != "num_proposals") > 0.05
    assert comparison.same_detections


@pytest.mark.parametrize("tf1_type", VARIABLES)
def test_keys_names_and_shapes_are_stocks(tf1_type, tmp_path):
    from ckptmap.tf.models import model_variables

    row = rcnn("keys", tf1_type)
    exact = model_variables(build(exact_config(row), tmp_path / "exact"))
    stock = model_variables(build(row.tf2_config(), tmp_path / "stock"))
    assert len(exact) == VARIABLES[tf1_type]
    assert shapes_by_key(exact) == shapes_by_key(stock)
    assert names_by_key(exact) == names_by_key(stock)


def test_another_stride_is_refused(tmp_path):
    from ckptmap.errors import ConfigError

    with pytest.raises(ConfigError, match="first_stage_features_stride is 8 or 16, not 32"):
        build(exact_config(rcnn("stride", R50, stride=32)), tmp_path)
