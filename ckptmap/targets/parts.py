"""What part of a detection model a variable is, told from its object path (names of the Object Detection API)."""

from __future__ import annotations

BACKBONE = "backbone"
NECK = "neck"
BOX_HEAD = "box head"
CLASS_HEAD = "class head"
MASK_HEAD = "mask head"
PREDICTOR = "predictor"
PROPOSALS = "proposals"

_PARTS = (
    ("classification_backbone/", BACKBONE),
    ("box_encodings", BOX_HEAD),
    ("class_predictions_with_background", CLASS_HEAD),
    ("mask_predictions", MASK_HEAD),
    ("_first_stage_box_predictor", PROPOSALS),
    ("_box_predictor", PREDICTOR),
    ("_mask_rcnn_box_predictor", PREDICTOR),
    ("_second_stage_box_predictor", PREDICTOR),
    ("_feature_extractor_for_", BACKBONE),
    ("_first_stage_box_predictor_first_conv", PROPOSALS),
    ("_feature_extractor", NECK),
)


def part_of(key: str) -> str:
    """The part that the variable at object path ``key`` belongs to; empty where the path tells nothing."""
    return next((part for mark, part in _PARTS if mark in key), "")
