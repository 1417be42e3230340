"""SSD MobileNet V2: the TF1 graph's outputs and those of the migrated TF2 model are equal to the last bit."""

from __future__ import annotations

import pytest

from tests.tf.harness import prove
from tests.tf.rows import Row

TYPE = "ssd_mobilenet_v2"
ROWS = (
    Row("full_width_90_classes", TYPE, fields={"num_classes": 90, "size": 300}),
    Row("7_classes", TYPE, seed=2),
    Row("kernel_3", TYPE, fields={"kernel_size": 3}, seed=3),
    Row("depthwise_extra_layers", TYPE, fields={"use_depthwise": "true"}, seed=4),
    Row("depthwise_and_kernel_3", TYPE, fields={"use_depthwise": "true", "kernel_size": 3, "num_classes": 3}, seed=5),
    Row("training_checkpoint", TYPE, train_steps=2, seed=6),
    Row("moving_averages", TYPE, fields={"use_moving_average": "true"}, train_steps=2, moving_averages=True, seed=7),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_outputs_are_equal(row, tf1, tmp_path):
    comparison = prove(tf1(row), tmp_path)
    assert [item.name for item in comparison.raw] == ["box_encodings", "class_predictions_with_background"]
    assert [item.largest for item in comparison.raw] == [0, 0]
    assert comparison.same_detections
    assert [item.largest for item in comparison.detections] == [0, 0, 0, 0]
