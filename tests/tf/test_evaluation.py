"""What the Object Detection API's evaluation asks of Pillow and NumPy, as ``environment.tf2`` sets them up.

The evaluation program as a whole runs in test_training.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ckptmap.tf.environment import import_quietly, tf2
from ckptmap.tf.launch import swap_anywhere
from ckptmap.tf.models import read_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

pytest.importorskip("tensorflow", reason="needs the [tf] extra")

SIZE = 100
WHITE = np.full((SIZE, SIZE, 3), 255, np.uint8)
BOXES = np.array([[50, 10, 90, 60], [30, 70, 95, 95]], np.float32)
CLASSES = np.array([1, 2])
SCORES = np.array([0.9, 0.8], np.float32)
KEYPOINTS = np.array([[[60, 20], [80, 50]], [[40, 75], [90, 80]]], np.float32)
CATEGORIES = [{"id": 1, "name": "one", "frequency": "f"}, {"id": 2, "name": "two", "frequency": "c"}]


@pytest.fixture(scope="module")
def drawing() -> Any:
    tf2()
    return import_quietly("object_detection.utils.visualization_utils")


def masks() -> np.ndarray:
    """The boxes, filled."""
    found = np.zeros((len(BOXES), SIZE, SIZE), np.uint8)
    for mask, (top, left, bottom, right) in zip(found, BOXES.astype(int), strict=True):
        mask[top:bottom, left:right] = 1
    return found


def drawn(drawing: Any, **more: Any) -> np.ndarray:
    image = WHITE.copy()
    index = {one["id"]: one for one in CATEGORIES}
    drawing.visualize_boxes_and_labels_on_image_array(image, BOXES, CLASSES, SCORES, index, line_thickness=1, **more)
    return image


def test_boxes_are_drawn_with_their_labels(drawing: Any) -> None:
    image, unlabelled = drawn(drawing), drawn(drawing, skip_labels=True, skip_scores=True)
    for top, left, bottom, right in BOXES.astype(int):
        assert (image[bottom, left:right] != 255).any(axis=-1).all()
        above = image[top - 6 : top - 1, left + 1 : left + 9]
        assert (above != 255).any()  # the label stands on the box
        assert (above.max(axis=-1) < 255).any()  # and holds dark letters
        assert (image[top + 2 : bottom - 2, left + 2 : right - 2] == 255).all()
    assert (unlabelled[:20] == 255).all()


def test_a_label_is_as_wide_as_its_text(drawing: Any) -> None:
    """And of two lines each has a place of its own."""

    def label(*lines: str) -> tuple[int, int]:
        image = WHITE.copy()
        box = (0.6, 0.1, 0.9, 0.9)
        drawing.draw_bounding_box_on_image_array(image, *box, color="red", thickness=0, display_str_list=lines)
        places = np.argwhere((image != 255).any(axis=-1))
        height, width = places.max(axis=0) - places.min(axis=0)
        return int(height), int(width)

    height, width = label("ab")
    assert 5 <= height <= 20
    assert width + 8 <= label("abcdef")[1] <= 60
    assert label("ab", "ab")[0] >= height * 1.5


def test_masks_keypoints_and_tracks_are_drawn(drawing: Any) -> None:
    plain = drawn(drawing)
    assert (drawn(drawing, instance_masks=masks())[70, 30] != plain[70, 30]).any()
    keypoints = drawn(drawing, keypoints=KEYPOINTS, keypoint_edges=[(0, 1)])
    assert (keypoints[60, 20] != plain[60, 20]).any()
    assert (drawn(drawing, track_ids=np.array([7, 8])) != plain).any()


def test_heat_maps_are_drawn(drawing: Any) -> None:
    heat = np.zeros((SIZE, SIZE, 1), np.float32)
    heat[20:40, 20:40] = 1
    image = drawing.draw_heatmaps_on_image_array(np.zeros_like(WHITE), heat)
    assert image[30, 30].any()
    assert not image[80, 80].any()


METRICS = {
    "coco_detection_metrics": "DetectionBoxes_Precision/mAP",
    "coco_keypoint_metrics": "Keypoints_Precision/mAP ByCategory/one",
    "coco_mask_metrics": "DetectionMasks_Precision/mAP",
    "coco_panoptic_metrics": "PanopticQuality@0.50IOU",
    "lvis_mask_metrics": "DetectionMasks_AP",
    "oid_challenge_detection_metrics": "OpenImagesDetectionChallenge_Precision/mAP@0.5IOU",
    "oid_challenge_segmentation_metrics": "OpenImagesInstanceSegmentationChallenge_Precision/mAP@0.5IOU",
    "oid_V2_detection_metrics": "OpenImagesV2_Precision/mAP@0.5IOU",
    "pascal_voc_detection_metrics": "PascalBoxes_Precision/mAP@0.5IOU",
    "pascal_voc_instance_segmentation_metrics": "PascalMasks_Precision/mAP@0.5IOU",
    "precision_at_recall_detection_metrics": "PrecisionAtRecallBoxes_Precision/mAP@0.5IOU",
    "weighted_pascal_voc_detection_metrics": "WeightedPascalBoxes_Precision/mAP@0.5IOU",
    "weighted_pascal_voc_instance_segmentation_metrics": "WeightedPascalMasks_Precision/mAP@0.5IOU",
}
"""Every metrics_set that an eval_config can name, with what it makes of all classes."""


def evaluator(kind: type, name: str) -> Any:
    if name == "coco_keypoint_metrics":
        return kind(1, [{"id": 0, "name": "a"}, {"id": 1, "name": "b"}], "one", {"a": 0.1, "b": 0.1})
    return kind(CATEGORIES)


def groundtruth(fields: Any, none: np.ndarray) -> Mapping[str, np.ndarray]:
    return {
        fields.groundtruth_boxes: BOXES,
        fields.groundtruth_classes: CLASSES.copy(),  # some evaluators count them from 0 in place
        fields.groundtruth_instance_masks: masks(),
        fields.groundtruth_keypoints: KEYPOINTS,
        fields.groundtruth_area: np.array([2000.0, 1625.0], np.float32),
        fields.groundtruth_is_crowd: np.array([0, 0]),
        fields.groundtruth_difficult: np.array([0, 0]),
        fields.groundtruth_group_of: np.array([0, 0]),
        fields.groundtruth_image_classes: CLASSES.copy(),
        fields.groundtruth_verified_neg_classes: none,
        fields.groundtruth_not_exhaustive_classes: none,
    }


def test_every_metric_of_the_api_is_listed(drawing: Any) -> None:
    assert set(import_quietly("object_detection.eval_util").EVAL_METRICS_CLASS_DICT) == set(METRICS)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:lvis.*")
@pytest.mark.parametrize("shift", [0, 60], ids=["perfect", "beside"])
@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_measured(drawing: Any, name: str, shift: int) -> None:
    """Detections that are the groundtruth score 1, and those that lie elsewhere 0."""
    kinds = import_quietly("object_detection.eval_util").EVAL_METRICS_CLASS_DICT
    core = import_quietly("object_detection.core.standard_fields")
    fields, outputs = core.InputDataFields, core.DetectionResultFields
    judge = evaluator(kinds[name], name)
    found = {
        outputs.detection_boxes: BOXES - shift,
        outputs.detection_scores: SCORES,
        outputs.detection_classes: CLASSES.copy(),
        outputs.detection_masks: np.roll(masks(), -shift, axis=1),
        outputs.detection_keypoints: KEYPOINTS - shift,
    }
    number = 1 if name.startswith("lvis") else "1"
    judge.add_single_ground_truth_image_info(number, groundtruth(fields, np.zeros(len(CATEGORIES) + 1)))
    judge.add_single_detected_image_info(number, found)
    assert judge.evaluate()[METRICS[name]] == pytest.approx(0.0 if shift else 1.0, abs=0.01)


MAPS = """
model { ssd { post_processing { calibration_config { class_id_sigmoid_calibrations {
  class_id_sigmoid_parameters_map { key: 2 value: { a: 1.5 } }
} } } } }
eval_config { parameterized_metric { coco_keypoint_metrics {
  class_label: "person" keypoint_label_to_sigmas { key: "nose" value: 0.25 }
} } }
"""


def test_configs_with_maps_are_read(tmp_path: Path) -> None:
    tf2()
    (tmp_path / "pipeline.config").write_text(MAPS)
    pipeline = read_pipeline(tmp_path / "pipeline.config")
    assert dict(pipeline.eval_config.parameterized_metric[0].coco_keypoint_metrics.keypoint_label_to_sigmas) == {
        "nose": 0.25
    }
    calibration = pipeline.model.ssd.post_processing.calibration_config.class_id_sigmoid_calibrations
    assert {key: value.a for key, value in calibration.class_id_sigmoid_parameters_map.items()} == {2: 1.5}
    whole = type(pipeline)()
    whole.ParseFromString(pipeline.SerializeToString())
    assert whole == pipeline


def test_moving_averages_are_swapped_in_where_evaluation_asks_for_them() -> None:
    """Outside a strategy's scope; swapping again gives the weights back."""
    tensorflow = tf2()
    swap_anywhere(tensorflow)
    averages = import_quietly("official.modeling.optimization.ema_optimizer")
    layer = tensorflow.keras.layers.Dense(2, use_bias=False)
    model = tensorflow.keras.Sequential([layer])
    model.build((None, 3))
    gradient = tensorflow.compat.v1.keras.optimizers.SGD(0.5)
    optimizer = averages.ExponentialMovingAverage(gradient, average_decay=0.9, dynamic_decay=False)
    optimizer.shadow_copy(model)  # of zeros
    layer.kernel.assign(np.full((3, 2), 8.0))
    optimizer.apply_gradients([(tensorflow.ones([3, 2]), layer.kernel)])
    assert layer.kernel.numpy() == pytest.approx(7.5)
    optimizer.swap_weights()
    assert layer.kernel.numpy() == pytest.approx(0.75)
    optimizer.swap_weights()
    assert layer.kernel.numpy() == pytest.approx(7.5)
