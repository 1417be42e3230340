"""The object that a checkpoint is rooted at: what the Object Detection API asks for when it fine-tunes.

``load_fine_tune_checkpoint`` (object_detection/model_lib_v2.py) restores ``full`` and ``detection`` from a root
child called ``model``, and ``classification`` from one called ``feature_extractor`` that is the classification
backbone itself (``restore_from_objects`` of the meta-architectures).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import partial

from ckptmap.planning.choices import Branch

DETECTION = "model"
CLASSIFICATION = "feature_extractor"

FINE_TUNE_TYPES = {DETECTION: "full", CLASSIFICATION: "classification"}
"""The ``fine_tune_checkpoint_type`` that restores everything of a checkpoint with this root.

That is ``full`` with new classes too: the checkpoint was written for their number, new heads included, while
``detection`` would leave the heads aside that were carried over.
"""

_DETECTOR_MARKS = ("_feature_extractor", "_box_predictor")


def fine_tune_type(root: str, keys: Iterable[str]) -> str | None:
    """The ``fine_tune_checkpoint_type`` for a checkpoint with this root and these object paths, from ``root`` on.

    None where it holds no model of the Object Detection API, whose train_config means nothing then.
    """
    detector = root == CLASSIFICATION or any(mark in key for key in keys for mark in _DETECTOR_MARKS)
    return FINE_TUNE_TYPES.get(root) if detector else None


_BACKBONES = ("_feature_extractor/classification_backbone/", "_feature_extractor/_efficientnet/")
"""Where a model's backbone lies; in EfficientDet, whose pyramid shares its layers, it is found there."""
_LAYER = "layer_with_weights-"
_FIRST_STAGE = f"_feature_extractor_for_proposal_features/{_LAYER}"
_SECOND_STAGE = f"_feature_extractor_for_box_classifier_features/{_LAYER}"
_SLIM = re.compile(r"_feature_extractor[^/]*/_tf1_style_var_store/_vars/(?P<name>[^/]+)")
_EXTRA_LAYER = re.compile(r"(?:^|/)(?:\w+_[12]_Conv2d_\d+_\w+|Base_Conv2d_\w+|MnasFPN|SSD_feature_maps)/")
"""What the Object Detection API's SSD extractors add behind the network (models/feature_map_generators.py)."""


def paths_below(root: str, keys: Collection[str]) -> dict[str, str]:
    """The path below ``root`` of each of a model's object paths ``keys``; those that are no part of it are left out.

    The classification backbone of an R-CNN is one Keras model, of which the first stage is the beginning and the second
    the end: its layers are numbered on from the first stage's. Where slim's own code is the extractor, the backbone is
    its variables by the names that slim's classification network gives them.
    """
    if root != CLASSIFICATION:
        return {key: key for key in keys}
    if slim := {key: path for key in keys if (path := _slim_path(key))}:
        return slim
    plain = {key: key.removeprefix(start) for key in keys for start in _BACKBONES if key.startswith(start)}
    return plain or _stages(tuple(keys))


BRANCHES = {
    CLASSIFICATION: Branch(
        partial(paths_below, CLASSIFICATION),
        "outside the classification backbone, which is all that fine_tune_checkpoint_type classification restores",
    )
}
"""The roots that leave a part of the model out."""


def classification_name(name: str) -> str:
    """What slim's classification network calls a variable of a detector's extractor; empty for one that it lacks.

    ``name`` is the TF1 name: ``FeatureExtractor/InceptionV2/Conv2d_2b_1x1/weights``.
    """
    below = name.partition("/")[2]
    return "" if _EXTRA_LAYER.search(below) else below


def _slim_path(key: str) -> str:
    match = _SLIM.fullmatch(key)
    name = match["name"].replace(".S", "/") if match else ""
    return classification_name(name).replace("/", ".S")


def _stages(keys: tuple[str, ...]) -> dict[str, str]:
    first = {key: layer for key in keys if (layer := _layer(key, _FIRST_STAGE))}
    second = {key: layer for key in keys if (layer := _layer(key, _SECOND_STAGE))}
    shift = 1 + max((number for number, _ in first.values()), default=-1)
    numbered = first | {key: (number + shift, leaf) for key, (number, leaf) in second.items()}
    return {key: f"{_LAYER}{number}/{leaf}" for key, (number, leaf) in numbered.items()}


def _layer(key: str, stage: str) -> tuple[int, str] | None:
    """The number of the layer of this stage that the variable is of, and its place in the layer."""
    number, _, leaf = key.removeprefix(stage).partition("/")
    return (int(number), leaf) if key.startswith(stage) and number.isdecimal() else None
