"""The object that a checkpoint is rooted at: what the Object Detection API asks for when it fine-tunes.

``load_fine_tune_checkpoint`` (object_detection/model_lib_v2.py) restores ``full`` and ``detection`` from a root
child called ``model``, and ``classification`` from one called ``feature_extractor`` that is the classification
backbone itself (``restore_from_objects`` of the meta-architectures).
"""

from __future__ import annotations

DETECTION = "model"
CLASSIFICATION = "feature_extractor"

_BACKBONE = "_feature_extractor/classification_backbone/"


def key_below(root: str, key: str) -> str | None:
    """The part of a model's object path ``key`` below ``root``, None where the variable is no part of that root."""
    prefix = _BACKBONE if root == CLASSIFICATION else ""
    return key[len(prefix) :] if key.startswith(prefix) else None
