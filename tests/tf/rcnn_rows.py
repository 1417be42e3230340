"""The rows of Faster R-CNN, Mask R-CNN, R-FCN and Context R-CNN in the matrix. To add one, add a line."""

from __future__ import annotations

from tests.tf.rows import EDITS, EXACT, Row

R50, R101, R152 = "faster_rcnn_resnet50", "faster_rcnn_resnet101", "faster_rcnn_resnet152"
INCEPTION = "faster_rcnn_inception_resnet_v2"
STRIDE_8 = {"stride": 8, "atrous_rate": 2}
MASKS = {"predictor": "masks", "stages": 3}
RFCN = {"predictor": "rfcn"}
CONTEXT = {"context": "context_config { max_num_context_features: 4 context_feature_length: 16 }"}

ONE_EACH = (
    Row("faster_rcnn_resnet50", R50, EDITS),
    Row("faster_rcnn_resnet101", R101, EXACT, STRIDE_8),
    Row("faster_rcnn_resnet152", R152, EDITS),
    Row("faster_rcnn_inception_resnet_v2", INCEPTION, EXACT, STRIDE_8),
    Row("mask_rcnn_resnet50", R50, EXACT, {**MASKS, **STRIDE_8}),
    Row("mask_rcnn_resnet101", R101, EDITS, MASKS),
    Row("mask_rcnn_inception_resnet_v2", INCEPTION, EXACT, MASKS),
    Row("rfcn_resnet101", R101, EXACT, RFCN),
    Row("context_rcnn_resnet101", R101, EXACT, CONTEXT),
)
"""One small row a model: the default test run."""

SETTINGS: tuple[Row, ...] = ()
