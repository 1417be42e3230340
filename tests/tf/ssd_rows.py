"""The SSD rows of the matrix: RetinaNet, SSDLite and FPNLite among them. To add one, add a line."""

from __future__ import annotations

from tests.tf.rows import EXACT, Row

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
    Row("ssd_resnet101_v1_fpn", R101, EXACT),
    Row("ssd_resnet152_v1_fpn", R152, EXACT),
    Row("training_checkpoint", V2, train_steps=2),
    Row("moving_averages", V2, fields={"use_moving_average": "true"}, train_steps=2, moving_averages=True),
)
"""One small row a model, and two kinds of training checkpoints: the default test run."""

SETTINGS: tuple[Row, ...] = ()
