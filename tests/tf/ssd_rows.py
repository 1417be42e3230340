"""The SSD rows of the matrix: RetinaNet, SSDLite and FPNLite among them. To add one, add a line."""

from __future__ import annotations

from typing import Any

from tests.tf.rows import EDITS, EXACT, WEIGHTS, Row

V1, V1_FPN, V2, V2_FPN = "ssd_mobilenet_v1", "ssd_mobilenet_v1_fpn", "ssd_mobilenet_v2", "ssd_mobilenet_v2_fpn"
R50, R101, R152 = "ssd_resnet50_v1_fpn", "ssd_resnet101_v1_fpn", "ssd_resnet152_v1_fpn"
LITE = {"use_depthwise": "true", "predictor_use_depthwise": "true", "kernel_size": 3}
FPNLITE = {"use_depthwise": "true", "predictor_use_depthwise": "true", "share_prediction_tower": "true"}

ONE_EACH = (
    Row("ssd_mobilenet_v1", V1),
    Row("ssd_mobilenet_v2", V2),
    Row("ssdlite_mobilenet_v1", V1, fields=LITE),
    Row("ssdlite_mobilenet_v2", V2, fields=LITE),
    Row("ssd_mobilenet_v1_fpn", V1_FPN, EXACT),
    Row("ssd_mobilenet_v2_fpn", V2_FPN, EXACT),
    Row("fpnlite_mobilenet_v1", V1_FPN, EXACT, FPNLITE),
    Row("fpnlite_mobilenet_v2", V2_FPN, EXACT, FPNLITE),
    Row("ssd_resnet50_v1_fpn", R50, EXACT),
    Row("training_checkpoint", V2, train_steps=2),
    Row("moving_averages", V2, fields={"use_moving_average": "true"}, train_steps=2, moving_averages=True),
)
"""One small row a model but for the deepest, and two kinds of training checkpoints: the default test run."""


def batch_norm(epsilon: float, scale: str = "false") -> dict[str, str]:
    """The backbone's batch norms under the config's own hyperparameters."""
    return {"override": "true", "batch_norm": f"batch_norm {{ scale: {scale} decay: 0.9997 epsilon: {epsilon} }}"}


def classes(count: int, **fields: Any) -> dict[str, Any]:
    return {"num_classes": count, **fields}


def levels(low: int, high: int, **fields: Any) -> dict[str, Any]:
    return {"min_level": low, "max_level": high, **fields}


MOBILENET_V1 = (
    Row("v1_90_classes_300_px", V1, fields=classes(90, size=300)),
    Row("v1_lite_20_classes", V1, fields={**LITE, **classes(20)}),
    Row("v1_multiplier_0.35", V1, EXACT, classes(1, depth_multiplier=0.35)),
    Row("v1_multiplier_0.5", V1, EXACT, classes(5, depth_multiplier=0.5)),
    Row("v1_multiplier_0.5_override", V1, EXACT, {"depth_multiplier": 0.5, **batch_norm(0.01)}),
    Row("v1_multiplier_0.75", V1, EXACT, {"depth_multiplier": 0.75, "min_depth": 8}),
    Row("v1_multiplier_1.4", V1, EXACT, {"depth_multiplier": 1.4}),
    Row("v1_lite_multiplier_0.5", V1, EXACT, {**LITE, "depth_multiplier": 0.5}),
    Row("v1_min_depth_100", V1, fields={"min_depth": 100}),
    Row("v1_override", V1, fields={"activation": "RELU", **batch_norm(0.01)}),
    Row("v1_batch_norm", V1, fields={**batch_norm(0.01), "override": "false"}),
    Row("v1_explicit_padding", V1, fields={"use_explicit_padding": "true", "size": 145}),
    Row("v1_four_feature_maps", V1, fields={"num_layers": 4, "aspect_ratios": "[1.0, 2.0]"}),
    Row("v1_layer_before_predictor", V1, fields={"layers_before_predictor": 1, "predictor_max_depth": 40}),
    Row("v1_depths_crossed", V1, EDITS, {"layers_before_predictor": 2, "predictor_min_depth": 24}),
    Row("v1_layers_as_wide_before_predictor", V1, fields={"layers_before_predictor": 2, "predictor_max_depth": 2048}),
    Row("v1_dropout", V1, fields={"use_dropout": "true"}),
)
MOBILENET_V2 = (
    Row("v2_90_classes_300_px", V2, fields=classes(90, size=300)),
    Row("v2_lite_20_classes", V2, fields={**LITE, **classes(20)}),
    Row("v2_kernel_3", V2, fields={"kernel_size": 3}),
    Row("v2_depthwise_extras", V2, fields=classes(1, use_depthwise="true")),
    Row("v2_depthwise_extras_kernel_3", V2, fields=classes(11, use_depthwise="true", kernel_size=3)),
    Row("v2_multiplier_0.35", V2, EXACT, {"depth_multiplier": 0.35}),
    Row("v2_multiplier_0.35_odd_min_depth", V2, EXACT, {"depth_multiplier": 0.35, "min_depth": 20}),
    Row("v2_multiplier_0.5", V2, EXACT, classes(5, depth_multiplier=0.5)),
    Row("v2_multiplier_0.5_narrow", V2, fields={"depth_multiplier": 0.5, "min_depth": 8}),
    Row("v2_multiplier_0.75", V2, fields={"depth_multiplier": 0.75}),
    Row("v2_multiplier_1.4", V2, EXACT, {"depth_multiplier": 1.4}),
    Row("v2_multiplier_0.5_stock", V2, WEIGHTS, {"depth_multiplier": 0.5}, prefer="stock"),
    Row("v2_override_relu", V2, EDITS, {**batch_norm(0.001), "activation": "RELU"}),
    Row("v2_override_epsilon", V2, fields=batch_norm(0.01, "true")),
    Row("v2_override_relu_epsilon", V2, EXACT, {**batch_norm(0.01, "true"), "activation": "RELU"}),
    Row("v2_override_no_scale_epsilon", V2, EXACT, batch_norm(0.01)),
    Row(
        "v2_override_relu_epsilon_stock",
        V2,
        WEIGHTS,
        {**batch_norm(0.01, "true"), "activation": "RELU"},
        prefer="stock",
    ),
    Row("v2_activation_relu", V2, fields={"activation": "RELU", "predictor_activation": "RELU"}),
    Row("v2_explicit_padding", V2, fields={"use_explicit_padding": "true", "size": 145}),
    Row("v2_three_feature_maps", V2, fields={"num_layers": 3, "aspect_ratios": "[1.0, 2.0, 0.5]"}),
    Row("v2_layers_before_predictor", V2, fields={"layers_before_predictor": 2, "predictor_max_depth": 40}),
    Row("v2_dropout", V2, fields={"use_dropout": "true"}),
)
MOBILENET_FPNS = (
    Row("v1_fpn_20_classes_320_px", V1_FPN, EXACT, classes(20, size=320, layer_depth=256)),
    Row("v2_fpn_20_classes_320_px", V2_FPN, EXACT, classes(20, size=320, layer_depth=256)),
    Row("v1_fpnlite_20_classes", V1_FPN, EXACT, {**FPNLITE, **classes(20)}),
    Row("v2_fpnlite_20_classes", V2_FPN, EXACT, {**FPNLITE, **classes(20)}),
    Row("v1_fpn_multiplier_0.35", V1_FPN, EXACT, {"depth_multiplier": 0.35}),
    Row("v1_fpn_multiplier_0.75", V1_FPN, EXACT, {"depth_multiplier": 0.75}),
    Row("v1_fpnlite_multiplier_0.5", V1_FPN, EXACT, {**FPNLITE, "depth_multiplier": 0.5}),
    Row("v1_fpnlite_multiplier_1.4", V1_FPN, EXACT, {**FPNLITE, "depth_multiplier": 1.4}),
    Row("v2_fpn_multiplier_0.5", V2_FPN, EXACT, {"depth_multiplier": 0.5}),
    Row("v2_fpn_multiplier_1.4", V2_FPN, EXACT, {"depth_multiplier": 1.4}),
    Row("v2_fpnlite_multiplier_0.35", V2_FPN, EXACT, {**FPNLITE, "depth_multiplier": 0.35}),
    Row(
        "v2_fpnlite_multiplier_0.75_explicit_padding",
        V2_FPN,
        EXACT,
        {**FPNLITE, "depth_multiplier": 0.75, "use_explicit_padding": "true"},
    ),
    Row("v1_fpn_levels_2_to_6", V1_FPN, EXACT, levels(2, 6, layer_depth=96)),
    Row("v1_fpn_levels_3_to_5", V1_FPN, EXACT, levels(3, 5)),
    Row("v1_fpn_levels_4_to_6", V1_FPN, fields=levels(4, 6)),
    Row("v2_fpn_levels_2_to_7", V2_FPN, EXACT, levels(2, 7)),
    Row("v2_fpn_levels_3_to_4", V2_FPN, EXACT, levels(3, 4)),
    Row("v2_fpn_levels_4_to_7", V2_FPN, fields=levels(4, 7)),
    Row("v2_fpn_levels_4_to_6_relu", V2_FPN, EDITS, levels(4, 6, **batch_norm(0.001, "true"), activation="RELU")),
    Row("v2_fpn_levels_3_to_6", V2_FPN, EXACT, levels(3, 6)),
    Row("v1_fpn_shared_tower", V1_FPN, EXACT, {"share_prediction_tower": "true", "tower_layers": 4}),
    Row("v2_fpn_no_tower", V2_FPN, EXACT, {"tower_layers": 0}),
    Row("v2_fpn_relu_tower", V2_FPN, EXACT, {"predictor_activation": "RELU"}),
    Row("v1_fpn_own_hyperparameters", V1_FPN, EXACT, {"override": "false"}),
    Row("v2_fpn_dropout_kernel_1", V2_FPN, EXACT, {"use_dropout": "true", "tower_kernel_size": 1}),
    Row("v1_fpn_stock", V1_FPN, WEIGHTS, prefer="stock"),
    Row("v2_fpnlite_one_aspect_ratio", V2_FPN, EXACT, {**FPNLITE, "aspect_ratios": "[1.0]"}),
)
RETINANETS = (
    Row("ssd_resnet101_v1_fpn", R101, EXACT),
    Row("ssd_resnet152_v1_fpn", R152, EXACT),
    Row("retinanet50_20_classes_320_px", R50, EXACT, classes(20, size=320)),
    Row("retinanet101_1_class", R101, EXACT, classes(1)),
    Row("retinanet152_5_classes_levels_3_to_6", R152, EXACT, classes(5, **levels(3, 6, layer_depth=32))),
    Row("retinanet101_levels_4_to_6", R101, EXACT, levels(4, 6)),
    Row("retinanet152_levels_2_to_6", R152, EXACT, levels(2, 6, layer_depth=32)),
    Row("retinanet50_levels_3_to_4", R50, EXACT, levels(3, 4)),
    Row("retinanet50_own_hyperparameters", R50, EXACT, {"override": "false"}),
    Row("retinanet50_relu_epsilon", R50, EXACT, {"activation": "RELU", **batch_norm(0.01, "true")}),
    Row("retinanet50_half_levels_2_to_6", R50, EXACT, levels(2, 6, layer_depth=64, depth_multiplier=0.5)),
    Row("retinanet50_shared_tower", R50, EXACT, {"share_prediction_tower": "true", "predictor_activation": "RELU"}),
    Row("retinanet50_stock", R50, WEIGHTS, prefer="stock"),
)
SETTINGS = (*MOBILENET_V1, *MOBILENET_V2, *MOBILENET_FPNS, *RETINANETS)
"""The deepest models, every model at another class count, every setting that changes variables or outputs."""
