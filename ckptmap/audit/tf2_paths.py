"""Where each fine_tune_checkpoint_type looks for which variable of a TF2 model.

Source: ``restore_from_objects`` of the Object Detection API's meta-architectures (ssd_meta_arch.py,
faster_rcnn_meta_arch.py, center_net_meta_arch.py). A dict of objects is restored as ``tf.train.Checkpoint(**dict)``:
``{"model": …}`` for ``full`` and ``detection``, ``{"feature_extractor": classification_backbone}`` for
``classification``.
"""

from __future__ import annotations

from collections.abc import Iterable

from ckptmap.basics.nearest import nearest
from ckptmap.families.detection.pipeline.models import FASTER_RCNN, SSD
from ckptmap.families.detection.roots import CLASSIFICATION, DETECTION, paths_below
from ckptmap.targets import TargetVariable

FULL, DETECTION_TYPE, CLASSIFICATION_TYPE = "full", "detection", "classification"
TYPES = (CLASSIFICATION_TYPE, DETECTION_TYPE, FULL)
CENTER_NET = "center_net"
_DETECTION_PARTS = {
    SSD: ("_feature_extractor/",),
    CENTER_NET: ("_feature_extractor/",),
    FASTER_RCNN: ("_feature_extractor_for_box_classifier_features/", "_feature_extractor_for_proposal_features/"),
}


def root_of(kind: str) -> str:
    """The object that the checkpoint must be rooted at for this type."""
    return CLASSIFICATION if kind == CLASSIFICATION_TYPE else DETECTION


def refusal(architecture: str, kind: str) -> tuple[str, str]:
    """What ``restore_from_objects`` raises for a type, and how to fix it; two empty texts where it takes the type."""
    if kind in TYPES:
        return "", ""
    if kind == "fine_tune" and architecture == CENTER_NET:
        return "ValueError: fine_tune is no longer supported for CenterNet", "detection does the same"
    close = nearest(kind, TYPES)
    said = (
        "Unknown fine tune checkpoint type"
        if architecture == CENTER_NET
        else "Not supported fine_tune_checkpoint_type:"
    )
    hint = f"did you mean {close[0]}?" if close else f"one of {', '.join(TYPES)}"
    return f"ValueError: {said} {kind}", hint


def restore_paths(architecture: str, kind: str, variables: Iterable[TargetVariable]) -> dict[str, str]:
    """The object path in the checkpoint at which each variable is looked for, by its key; only those that are."""
    if kind == CLASSIFICATION_TYPE:
        found = paths_below(CLASSIFICATION, [variable.key for variable in variables])
        return {key: f"{CLASSIFICATION}/{path}" for key, path in found.items()}
    parts = _DETECTION_PARTS.get(architecture, ()) if kind == DETECTION_TYPE else ("",)
    return {variable.key: f"{DETECTION}/{variable.key}" for variable in variables if variable.key.startswith(parts)}
