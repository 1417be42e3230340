"""The rows of Faster R-CNN, Mask R-CNN, R-FCN and Context R-CNN in the matrix. To add one, add a line."""

from __future__ import annotations

from typing import Any

from tests.tf.rows import BATCH_NORM, EDITS, EXACT, WEIGHTS, Row

R50, R101, R152 = "faster_rcnn_resnet50", "faster_rcnn_resnet101", "faster_rcnn_resnet152"
INCEPTION = "faster_rcnn_inception_resnet_v2"
STRIDE_8 = {"stride": 8, "atrous_rate": 2}
MASKS = {"predictor": "masks", "stages": 3}
RFCN = {"predictor": "rfcn"}
CONTEXT = {"context": "context_config { max_num_context_features: 4 context_feature_length: 16 }"}

ONE_EACH = (
    Row("faster_rcnn_resnet50", R50, EDITS),
    Row("faster_rcnn_inception_resnet_v2", INCEPTION, EXACT, STRIDE_8),
    Row("mask_rcnn_resnet50", R50, EXACT, {**MASKS, **STRIDE_8}),
)
"""One small row a network and head: the default test run. The deeper models are among the settings."""
DEEP = (
    Row("faster_rcnn_resnet101", R101, EXACT, STRIDE_8),
    Row("faster_rcnn_resnet152", R152, EDITS),
    Row("mask_rcnn_resnet101", R101, EDITS, MASKS),
    Row("mask_rcnn_inception_resnet_v2", INCEPTION, EXACT, MASKS),
    Row("rfcn_resnet101", R101, EXACT, RFCN),
    Row("context_rcnn_resnet101", R101, EXACT, CONTEXT),
)


def masks(**fields: Any) -> dict[str, Any]:
    return {**MASKS, **fields}


STRIDES = (
    Row("resnet50_20_classes", R50, EDITS, {"num_classes": 20}),
    Row("resnet50_stride_8", R50, EXACT, STRIDE_8),
    Row("resnet50_stride_8_5_classes", R50, EXACT, {**STRIDE_8, "num_classes": 5}),
    Row("resnet50_stride_8_stock", R50, WEIGHTS, STRIDE_8, prefer="stock"),
    Row("resnet101_1_class", R101, EDITS, {"num_classes": 1}),
    Row("resnet101_5_classes_stride_8", R101, EXACT, {**STRIDE_8, "num_classes": 5}),
    Row("resnet152_5_classes_stride_8", R152, EXACT, {**STRIDE_8, "num_classes": 5}),
    Row("inception_5_classes", INCEPTION, EXACT, {"num_classes": 5}),
    Row("inception_stock", INCEPTION, WEIGHTS, prefer="stock"),
    Row("inception_5_classes_stride_8", INCEPTION, EXACT, {**STRIDE_8, "num_classes": 5}),
)
SECOND_STAGE = (
    Row("resnet50_first_stage_alone", R50, fields={"stages": 1}),
    Row("resnet50_first_stage_alone_stride_8", R50, EXACT, {**STRIDE_8, "stages": 1}),
    Row("resnet50_shared_boxes", R50, EDITS, {"share_box_across_classes": "true"}),
    Row("resnet50_dropout", R50, EDITS, {"use_dropout": "true"}),
    Row("resnet50_batch_norm_in_rpn", R50, EDITS, {"rpn_batch_norm": BATCH_NORM}),
    Row("resnet50_batch_norm_in_heads", R50, EDITS, {"head_batch_norm": BATCH_NORM}),
    Row("resnet50_batch_norm_in_both_dropout", R50, EDITS, {"head_batch_norm": BATCH_NORM, "use_dropout": "true"}),
    Row("resnet50_matmul_crop", R50, EDITS, {"matmul_crop": "true"}),
    Row("resnet50_crop_8_pool_4", R50, EDITS, {"crop_size": 16, "maxpool": 4}),
    Row("resnet50_no_pooling", R50, EXACT, {"crop_size": 7, "maxpool": 1}),
    Row("resnet50_one_anchor", R50, EDITS, {"anchor_scales": "[0.5]", "anchor_ratios": "[1.0]"}),
)
MASK_RCNN = (
    Row("mask_resnet50_20_classes", R50, EDITS, masks(num_classes=20)),
    Row("mask_resnet50_3_layers", R50, EDITS, masks(mask_layers=3, mask_depth=24, mask_size=15)),
    Row("mask_resnet50_4_layers_batch_norm", R50, EDITS, masks(mask_layers=4, mask_batch_norm=BATCH_NORM)),
    Row("mask_resnet50_depth_of_its_own", R50, EDITS, masks(mask_depth=0, num_classes=5)),
    Row("mask_resnet50_agnostic", R50, EDITS, masks(masks_are_class_agnostic="true")),
    Row("mask_resnet50_upsample", R50, EDITS, masks(convolve_then_upsample="true")),
    Row("mask_resnet50_two_stages", R50, EDITS, masks(stages=2)),
    Row("mask_resnet50_dropout_matmul_crop", R50, EDITS, masks(use_dropout="true", matmul_crop="true")),
    Row("mask_resnet50_batch_norms", R50, EDITS, masks(head_batch_norm=BATCH_NORM, mask_batch_norm=BATCH_NORM)),
    Row("mask_resnet101_5_classes_stride_8", R101, EXACT, masks(**STRIDE_8, num_classes=5)),
    Row("mask_resnet101_upsample", R101, EDITS, masks(convolve_then_upsample="true", mask_layers=3)),
    Row("mask_inception_5_classes_stride_8", INCEPTION, EXACT, masks(**STRIDE_8, num_classes=5)),
    Row("mask_inception_upsample", INCEPTION, EXACT, masks(convolve_then_upsample="true")),
)
OTHERS = (
    Row("rfcn_5_classes_stride_8", R101, EXACT, {**RFCN, **STRIDE_8, "num_classes": 5}),
    Row("rfcn_stock", R101, WEIGHTS, RFCN, prefer="stock"),
    Row("context_5_classes_stride_8", R101, EXACT, {**CONTEXT, **STRIDE_8, "num_classes": 5}),
    Row(
        "context_shared_boxes_dropout",
        R101,
        EXACT,
        {**CONTEXT, "share_box_across_classes": "true", "use_dropout": "true"},
    ),
    Row("context_stock", R101, WEIGHTS, CONTEXT, prefer="stock"),
)
SETTINGS = (*DEEP, *STRIDES, *SECOND_STAGE, *MASK_RCNN, *OTHERS)
"""Every model at another class count and stride, and every setting that changes variables or outputs."""
