"""What part of a detection model a variable is, told from its object path (names of the Object Detection API)."""

from __future__ import annotations

BACKBONE = "backbone"
NECK = "neck"
BOX_HEAD = "box head"
CLASS_HEAD = "class head"
MASK_HEAD = "mask head"
PREDICTOR = "predictor"
PROPOSALS = "proposals"
HEADS = (BOX_HEAD, CLASS_HEAD, MASK_HEAD)

_PARTS = (
    ("classification_backbone/", BACKBONE),
    ("_efficientnet/", BACKBONE),
    ("_tf1_style_var_store/", BACKBONE),
    ("_first_stage_box_predictor", PROPOSALS),
    ("_base_tower_layers_for_heads", PREDICTOR),
    ("_box_prediction_head", BOX_HEAD),
    ("_class_prediction_head", CLASS_HEAD),
    ("box_encodings", BOX_HEAD),
    ("class_predictions_with_background", CLASS_HEAD),
    ("mask_predictions", MASK_HEAD),
    ("_box_predictor", PREDICTOR),
    ("_feature_extractor_for_", BACKBONE),
    ("_context_feature_extract_fn", NECK),
    ("_feature_extractor", NECK),
    ("class_net/classes/", CLASS_HEAD),  # AutoML's own EfficientDet
    ("box_net/boxes/", BOX_HEAD),
    ("class_net/", PREDICTOR),
    ("box_net/", PREDICTOR),
    ("fpn_cells/", NECK),
    ("resample_layers/", NECK),
    ("backbone/", BACKBONE),
)


def part_of(key: str) -> str:
    """The part that the variable at object path ``key`` belongs to; empty where the path tells nothing."""
    for mark, part in _PARTS:
        if mark in key:
            return part
    return ""
