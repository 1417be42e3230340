"""Head surgery proven on the TF1 graph and the TF2 model: the logits, boxes and masks of shared classes are equal."""

from __future__ import annotations

import numpy as np
import pytest

from ckptmap.tf.compare import compare
from ckptmap.tf.load import load_detection_model
from ckptmap.tf.tf2_model import run_model
from tests.tf.harness import convert
from tests.tf.rows import EDITS, EXACT, Row

OLD = ("ant", "bee", "cat", "dog", "elk", "fox", "gnu")
NEW = ("elk", "hen", "ant", "gnu", "ibis")
SHARED = [OLD.index(name) for name in NEW if name in OLD]  # 4, 0, 6
PLACES = [at for at, name in enumerate(NEW) if name in OLD]  # 0, 2, 3
FRESH = [at for at, name in enumerate(NEW) if name not in OLD]  # 1, 4
SMALL = {"num_classes": len(OLD)}
ROWS = (
    Row("surgery_ssd", "ssd_mobilenet_v2", fields=SMALL, seed=31),
    pytest.param(Row("surgery_fpn", "ssd_mobilenet_v2_fpn", EXACT, SMALL), marks=pytest.mark.matrix),
    pytest.param(Row("surgery_retinanet", "ssd_resnet50_v1_fpn", EXACT, SMALL), marks=pytest.mark.matrix),
    pytest.param(Row("surgery_faster_rcnn", "faster_rcnn_resnet50", EDITS, SMALL), marks=pytest.mark.matrix),
)
MASKS = {**SMALL, "predictor": "masks", "stages": 3, "max_detections": 60, "mask_depth": 0}  # 0: by the class count
MASK_RCNN = Row("surgery_masks", "faster_rcnn_resnet50", EDITS, MASKS)
ORDER = ("gnu", "ant", "fox", "bee", "elk", "cat", "dog")


def label_map(path, names):
    path.write_text("".join(f"item {{ id: {at} name: '{name}' }}\n" for at, name in enumerate(names, 1)))
    return path


def converted(ran, folder, names=NEW):
    """The outputs of the TF2 model with the new classes."""
    maps = label_map(folder / "old.pbtxt", OLD), label_map(folder / "new.pbtxt", names)
    made = convert(ran, folder / "new", label_maps=maps)
    return run_model(load_detection_model(made / "pipeline.config", made / "ckpt-0"), ran.image)


def of_classes(outputs, shared):
    """The raw outputs, of those that are for each class the slices of ``shared`` (and the background)."""
    slots = [0, *(at + 1 for at in shared)]
    chosen = {
        "class_predictions_with_background": lambda values: values[..., slots],
        "refined_box_encodings": lambda values: values[:, shared],
    }
    raw = {name: values for name, values in outputs.items() if not name.startswith(("detection_", "num_detections"))}
    return {name: chosen[name](values) if name in chosen else values for name, values in raw.items()}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_shared_classes_keep_their_outputs_and_new_ones_are_fresh(row, tf1, tmp_path):
    ran = tf1(row)
    outputs = converted(ran, tmp_path)
    comparison = compare(of_classes(ran.outputs, SHARED), of_classes(outputs, PLACES))
    assert "class_predictions_with_background" in [item.name for item in comparison.raw]
    assert comparison.within(row.tolerance), comparison.raw
    logits = outputs["class_predictions_with_background"]
    assert logits.shape[-1] == len(NEW) + 1
    fresh = logits[..., [at + 1 for at in FRESH]]
    assert np.isfinite(fresh).all()
    assert fresh.std() > 0


@pytest.mark.matrix
@pytest.mark.parametrize("row", [MASK_RCNN], ids=str)
def test_masks_follow_their_classes(row, tf1, tmp_path):
    """The same classes in another order: the same boxes and masks are found, under the new numbers."""
    ran = tf1(row)
    outputs, reference = converted(ran, tmp_path, ORDER), ran.outputs
    names = ("detection_boxes", "detection_scores", "detection_masks")
    found = compare({name: reference[name] for name in names}, {name: outputs[name] for name in names})
    assert all(item.relative <= row.tolerance for item in found.differences), found.differences
    kept = int(reference["num_detections"][0])
    assert kept > 0
    numbers = reference["detection_classes"][0, :kept].astype(int)
    assert outputs["detection_classes"][0, :kept].tolist() == [ORDER.index(OLD[number]) for number in numbers]


@pytest.mark.matrix
@pytest.mark.parametrize("row", [MASK_RCNN], ids=str)
def test_masks_of_shared_classes_stay_and_new_ones_are_fresh(row, tf1, tmp_path):
    """What both find of one class in one place has one mask, whatever the other classes are."""
    ran, names = tf1(row), ("elk", "hen", "ant")
    outputs = converted(ran, tmp_path, names)
    assert "mask_prediction_conv_depth: 64" in (tmp_path / "new" / "pipeline.config").read_text()
    logits, shared = outputs["class_predictions_with_background"], ran.outputs["class_predictions_with_background"]
    kept = compare({"logits": shared[:, [0, 5, 1]]}, {"logits": logits[:, [0, 1, 3]]})
    assert all(item.relative <= row.tolerance for item in kept.differences), kept.differences
    before, after = masks(ran.outputs, OLD), masks(outputs, names)
    pairs = [
        (mask, again)
        for name, box, mask in before
        for other, place, again in after
        if other == name and np.allclose(box, place, rtol=0, atol=1e-5)
    ]
    assert len(pairs) >= 6
    left, right = (np.stack(side) for side in zip(*pairs, strict=True))
    same = compare({"masks": left}, {"masks": right})
    assert all(item.relative <= row.tolerance for item in same.differences), same.differences
    fresh = [mask for name, _, mask in after if name == "hen"]
    assert fresh
    assert np.isfinite(fresh).all()
    assert np.std(fresh) > 0


def masks(outputs, names):
    """Class name, box and mask of everything that was found."""
    kept = int(outputs["num_detections"][0])
    classes = outputs["detection_classes"][0, :kept].astype(int)
    return [
        (names[number], outputs["detection_boxes"][0, at], outputs["detection_masks"][0, at])
        for at, number in enumerate(classes)
    ]
