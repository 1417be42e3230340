"""A small target that has everything: settings, unknowns, a name with a number, a scope, a head that can be counted."""

from __future__ import annotations

from typing import Any

import pytest

from ckptmap.targets.spec import target_from_dict
from ckptmap.targets.target import Target

SPEC: dict[str, Any] = {
    "schema": "ckptmap.target/1",
    "generator": "by hand",
    "name": "toy",
    "settings": [
        {"name": "use_dropout", "values": [False, True], "default": False, "meaning": "box_predictor.use_dropout"},
        {"name": "num_layers", "values": [1, 2], "default": 2, "meaning": "feature_extractor.num_layers"},
        {"name": "norm", "values": ["scale and center", "none"], "default": "scale and center", "meaning": ""},
    ],
    "unknowns": [
        {"name": "num_classes", "meaning": "classes without the background"},
        {"name": "box_code_size", "meaning": "numbers in a box encoding", "default": 4},
        {"name": "anchors_0", "meaning": "boxes a place"},
        {"name": "width_32", "meaning": "channels of Conv1"},
    ],
    "excluded": [{"use_dropout": [True], "norm": ["none"]}],
    "initializers": {
        "zeros": {"kind": "zeros"},
        "truncated_normal 0.0 0.03": {"kind": "truncated_normal", "mean": 0.0, "stddev": 0.03},
    },
    "variables": [
        {
            "key": "_feature_extractor/layer_with_weights-0/kernel",
            "name": "Conv1/kernel",
            "dims": [3, 3, 3, "width_32"],
            "part": "backbone",
            "initializer": "truncated_normal 0.0 0.03",
        },
        {
            "key": "_feature_extractor/layer_with_weights-1/moving_mean",
            "name": "bn_Conv1/moving_mean",
            "dims": ["width_32"],
            "part": "backbone",
            "initializer": "zeros",
            "trainable": False,
            "when": {"norm": ["scale and center"]},
        },
        {
            "key": "_feature_extractor/maps/1/kernel",
            "name": "toy_extractor/FeatureMaps/layer_1_1x1_{width_32}_conv/kernel",
            "dims": [1, 1, "width_32", "2*width_32"],
            "part": "neck",
            "initializer": "zeros",
            "when": {"num_layers": [2]},
        },
        {
            "key": "_box_predictor/box/0/kernel",
            "name": "BoxPredictor/BoxHead_0/BoxEncodingPredictor/kernel",
            "dims": [1, 1, "width_32", "box_code_size*anchors_0"],
            "part": "box head",
            "initializer": "zeros",
        },
        {
            "key": "_box_predictor/class/0/kernel",
            "name": "BoxPredictor/ClassHead_0/ClassPredictor/kernel",
            "dims": [1, 1, "width_32", "anchors_0*(num_classes+1)"],
            "part": "class head",
            "initializer": "zeros",
            "when": {"use_dropout": [False]},
        },
        {
            "key": "_box_predictor/class/1/kernel",
            "name": "BoxPredictor/ClassHead_0/ClassPredictor/kernel",
            "dims": [1, 1, "width_32", "anchors_0*(num_classes+1)"],
            "part": "class head",
            "initializer": "zeros",
            "when": {"use_dropout": [True]},
        },
    ],
}


@pytest.fixture
def toy() -> Target:
    return target_from_dict(SPEC)
