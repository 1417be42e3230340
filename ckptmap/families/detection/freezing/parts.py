"""What part of a detection model a TF1 variable is, told from its name (scopes of object_detection's predictors)."""

from __future__ import annotations

import re

from ckptmap.families.detection.model_parts import BACKBONE, BOX_HEAD, CLASS_HEAD, MASK_HEAD, NECK, PREDICTOR, PROPOSALS

_PARTS = tuple(
    (re.compile(pattern), part)
    for pattern, part in (
        (r"FirstStageBoxPredictor/|Conv/(weights|biases|BatchNorm)", PROPOSALS),
        (r"SecondStageBoxPredictor/Conv(_\d+)?/", MASK_HEAD),
        (r".*BoxPredictor(_\d+)?/(ClassPredictor|class_predictions)(_depthwise)?/", CLASS_HEAD),
        (r".*BoxPredictor(_\d+)?/(Box(Encoding)?Predictor|refined_locations)(_depthwise)?/", BOX_HEAD),
        (r".*BoxPredictor(_\d+)?/ClassPredictionTower/", CLASS_HEAD),
        (r".*BoxPredictor(_\d+)?/BoxPredictionTower/", BOX_HEAD),
        (r".*BoxPredictor(_\d+)?/", PREDICTOR),
        (r"FeatureExtractor/(.*/)?(fpn|bottom_up_\w+|bifpn)/", NECK),
        (r"FeatureExtractor/.*_\d+_Conv2d_\d+_\d+x\d+", NECK),
        (r"(FirstStage|SecondStage)?FeatureExtractor/", BACKBONE),
    )
)


def tf1_part(name: str) -> str:
    """The part that the TF1 variable ``name`` belongs to; empty for other models."""
    return next((part for pattern, part in _PARTS if pattern.match(name)), "")
