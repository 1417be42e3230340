"""What the predictors of a detector say: classes, anchors, feature maps, masks. TF1 names and TF2 keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ckptmap.families.detection.recognition.architecture import Heads
from ckptmap.families.detection.recognition.shapes import Shape, Shapes, has, numbered, outputs

BOX_CODE_SIZE = 4
"""Numbers that encode a box: y, x, height, width."""

CONVOLUTIONAL = "convolutional_box_predictor"
WEIGHT_SHARED = "weight_shared_convolutional_box_predictor"
RCNN = "mask_rcnn_box_predictor"
RFCN = "rfcn_box_predictor"


def anchors_and_classes(boxes: int | None, classes: int | None, background: int = 1) -> tuple[int | None, int | None]:
    """Anchors per location and classes from the outputs of the two heads of one feature map."""
    if not boxes or boxes % BOX_CODE_SIZE:
        return None, None
    anchors = boxes // BOX_CODE_SIZE
    return anchors, classes // anchors - background if classes and classes % anchors == 0 else None


def ssd_heads(shapes: Shapes) -> Heads:
    """The heads of a TF1 SSD model: one predictor for each feature map, or one that all maps share."""
    shared = "WeightSharedConvolutionalBoxPredictor"
    if has(shapes, f"^{shared}"):
        return _shared_head(shapes, shared)
    maps = numbered(shapes, r"^BoxPredictor_(\d+)/")
    pairs = [
        (outputs(shapes, f"BoxPredictor_{n}/BoxEncodingPredictor"), outputs(shapes, f"BoxPredictor_{n}/ClassPredictor"))
        for n in maps
    ]
    depthwise = has(shapes, r"^BoxPredictor_\d+/ClassPredictor_depthwise/")
    return per_map_heads(pairs, depthwise=depthwise) if maps else Heads()


def per_map_heads(pairs: Sequence[tuple[int | None, int | None]], *, depthwise: bool, background: int = 1) -> Heads:
    """Heads from the outputs (boxes, classes) of each feature map's predictor; a contradiction leaves classes open."""
    found = [anchors_and_classes(boxes, classes, background) for boxes, classes in pairs]
    anchors = tuple(count for count, _ in found if count)
    return Heads(CONVOLUTIONAL, agreed(count for _, count in found), anchors, len(pairs), depthwise)


def agreed(counts: Iterable[int | None]) -> int | None:
    """The number that all say; None where they differ or one does not tell."""
    different = set(counts)
    return different.pop() if len(different) == 1 else None


def _shared_head(shapes: Shapes, scope: str) -> Heads:
    anchors, classes = anchors_and_classes(
        outputs(shapes, f"{scope}/BoxPredictor"), outputs(shapes, f"{scope}/ClassPredictor")
    )
    maps = numbered(shapes, rf"^{scope}/.*/feature_(\d+)/")
    depthwise = f"{scope}/ClassPredictor/depthwise_weights" in shapes
    return Heads(WEIGHT_SHARED, classes, (anchors,) if anchors else (), len(maps) or None, depthwise)


def rcnn_heads(shapes: Shapes) -> Heads:
    """The heads of a TF1 Faster R-CNN, Mask R-CNN or R-FCN: anchors of the first stage, classes of the second."""
    boxes = outputs(shapes, "FirstStageBoxPredictor/BoxEncodingPredictor")
    anchors = (boxes // BOX_CODE_SIZE,) if boxes else ()
    bins = outputs(shapes, "SecondStageBoxPredictor/class_predictions")
    if bins:
        return Heads(RFCN, _rfcn_classes(bins, outputs(shapes, "SecondStageBoxPredictor/refined_locations")), anchors)
    second = outputs(shapes, "SecondStageBoxPredictor/ClassPredictor")
    mask = has(shapes, r"^SecondStageBoxPredictor/Conv(?:_\d+)?/")
    return Heads(RCNN if second else "", second - 1 if second else None, anchors, mask=mask)


def _rfcn_classes(classes: int, boxes: int | None) -> int | None:
    """Both heads have spatial bins x classes outputs, boxes four each and without the background."""
    if not boxes:
        return None
    bins = classes - boxes // BOX_CODE_SIZE
    return boxes // BOX_CODE_SIZE // bins if bins > 0 and boxes % (BOX_CODE_SIZE * bins) == 0 else None


def last_kernel(shapes: Iterable[Shape]) -> int | None:
    """The outputs of the last of several layers, given the shapes of all their variables in order."""
    return next((shape[-1] for shape in reversed(list(shapes)) if len(shape) > 1), None)
