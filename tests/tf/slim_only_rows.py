"""The rows of the extractors that exist in TF1 only, whose code TF2 runs as it is. To add one, add a line."""

from __future__ import annotations

from tests.tf.rows import EXACT, Row

OVERRIDE = {"override": "true"}
LITE = {"pyramid": "", "use_depthwise": "true", "predictor_use_depthwise": "true", "kernel_size": 3}
"""Without num_layers, which these extractors do not take."""
PPN = {
    "override": "true",
    "predictor": "shared",
    "pyramid": "",
    "aspect_ratios": "[1.0, 2.0, 0.5] reduce_boxes_in_lowest_layer: false",
    "tower_layers": 1,
    "tower_kernel_size": 1,
    "share_prediction_tower": "true",
}
MNASFPN = {
    "override": "true",
    "pyramid": "fpn { min_level: 3 max_level: 6 additional_layer_depth: 48 }",
    "max_level": 6,
    "tower_layers": 4,
    "share_prediction_tower": "true",
    "predictor_use_depthwise": "true",
}
RESNET_PPN = {**PPN, "size": 160}
EMBEDDED = {"size": 256, "pyramid": "", "num_layers": 5, "depth_multiplier": 0.125}
SPAGHETTINET = {"size": 160, "pyramid": "spaghettinet_arch_name: 'spaghettinet_edgetpu_s'", "num_layers": 5}
NASNET = {"crop_size": 17, "maxpool": 1}
MASKS = {"predictor": "masks", "stages": 3}

ONE_EACH = (Row("ssd_inception_v2", "ssd_inception_v2", EXACT, OVERRIDE),)
"""One small row: the default test run."""

TYPES = (
    Row("embedded_ssd_mobilenet_v1", "embedded_ssd_mobilenet_v1", EXACT, EMBEDDED),
    Row("ssd_inception_v3", "ssd_inception_v3", EXACT, {**OVERRIDE, "size": 160}),
    Row("ssd_mobiledet_cpu", "ssd_mobiledet_cpu", EXACT, LITE),
    Row("ssd_mobiledet_dsp", "ssd_mobiledet_dsp", EXACT, LITE),
    Row("ssd_mobiledet_edgetpu", "ssd_mobiledet_edgetpu", EXACT, LITE),
    Row("ssd_mobiledet_gpu", "ssd_mobiledet_gpu", EXACT, LITE),
    Row("ssd_mobilenet_edgetpu", "ssd_mobilenet_edgetpu", EXACT, {**LITE, **OVERRIDE}),
    Row("ssd_mobilenet_v1_ppn", "ssd_mobilenet_v1_ppn", EXACT, PPN),
    Row("ssd_mobilenet_v2_mnasfpn", "ssd_mobilenet_v2_mnasfpn", EXACT, MNASFPN),
    Row("ssd_mobilenet_v3_large", "ssd_mobilenet_v3_large", EXACT, {**LITE, **OVERRIDE}),
    Row("ssd_mobilenet_v3_small", "ssd_mobilenet_v3_small", EXACT, {**LITE, **OVERRIDE}),
    Row("ssd_pnasnet", "ssd_pnasnet", EXACT, {**OVERRIDE, "size": 160}),
    Row("ssd_resnet50_v1_ppn", "ssd_resnet50_v1_ppn", EXACT, RESNET_PPN),
    Row("ssd_resnet101_v1_ppn", "ssd_resnet101_v1_ppn", EXACT, RESNET_PPN),
    Row("ssd_resnet152_v1_ppn", "ssd_resnet152_v1_ppn", EXACT, RESNET_PPN),
    Row("ssd_spaghettinet", "ssd_spaghettinet", EXACT, SPAGHETTINET),
    Row("faster_rcnn_inception_v2", "faster_rcnn_inception_v2", EXACT),
    Row("faster_rcnn_nas", "faster_rcnn_nas", EXACT, NASNET),
    Row("faster_rcnn_pnas", "faster_rcnn_pnas", EXACT, NASNET),
)
"""The other types."""

SETTINGS = (
    *TYPES,
    Row(
        "ssd_inception_v2_lite_20_classes",
        "ssd_inception_v2",
        EXACT,
        {
            **OVERRIDE,
            "num_classes": 20,
            "use_depthwise": "true",
            "predictor_use_depthwise": "true",
            "kernel_size": 3,
            "predictor_batch_norm": "",
        },
    ),
    Row("ssd_mobilenet_v3_small_own_hyperparameters", "ssd_mobilenet_v3_small", EXACT, LITE),
    Row("faster_rcnn_inception_v2_dropout", "faster_rcnn_inception_v2", EXACT, {"use_dropout": "true"}),
    Row("mask_rcnn_inception_v2", "faster_rcnn_inception_v2", EXACT, MASKS),
)
"""The other types and settings."""

UNCOVERED = (
    Row("ssd_inception_v2_multiplier_0.5", "ssd_inception_v2", EXACT, {**OVERRIDE, "depth_multiplier": 0.5}),
    Row(
        "embedded_ssd_mobilenet_v1_multiplier_1",
        "embedded_ssd_mobilenet_v1",
        EXACT,
        {**EMBEDDED, "depth_multiplier": 1.0},
    ),
    Row("ssd_mobilenet_v3_small_multiplier_0.75", "ssd_mobilenet_v3_small", EXACT, {**LITE, "depth_multiplier": 0.75}),
)
"""Settings that no shipped target covers: the live TF2 model says the variables."""
