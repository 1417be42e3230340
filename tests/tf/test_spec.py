"""Shipped specs hold what the live TF2 models hold: keys, names, shapes, dtypes, trainability."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from typing import Any

import pytest

pytest.importorskip("tensorflow", reason="needs the [tf] extra")

from ckptmap.families.detection.pipeline.efficientdet import AUTOML
from ckptmap.targets import list_targets, load_target
from ckptmap.targets.variables import Initializer
from ckptmap.tf.specs.building import live_variables, plain_initializer
from ckptmap.tf.specs.description import read_description
from ckptmap.tf.specs.generate import difference

DROPOUT = {"use_dropout": True}
LITE = {"use_depthwise": True, "predictor_use_depthwise": True}
MAIN: dict[str, list[Mapping[str, Any]]] = {
    "ssd_mobilenet_v1": [DROPOUT],
    "ssd_mobilenet_v2": [LITE],
}
"""Settings that people use; in the default run for the two models that are built fastest."""
MORE: dict[str, list[Mapping[str, Any]]] = {
    "ssd_mobilenet_v2": [{}, DROPOUT, {"use_explicit_padding": True}, {"use_depthwise": True}],
    "ssd_mobilenet_v1_fpn": [{"share_prediction_tower": True}],
    "ssd_mobilenet_v2_fpn": [{**LITE, "share_prediction_tower": True}],
    "ssd_resnet50_v1_fpn": [{"fpn_min_level": 2, "fpn_max_level": 6}],
    "ssd_resnet101_v1_fpn": [{"fpn_max_level": 6, "fpn_levels": 4}],
    "ssd_resnet152_v1_fpn": [DROPOUT],
    "faster_rcnn_resnet50": [DROPOUT],
    "faster_rcnn_resnet101": [{"share_box_across_classes": True}],
    "faster_rcnn_resnet152": [{"number_of_stages": 1}],
    "faster_rcnn_inception_resnet_v2": [{"rpn_batch_norm": "scale and center"}],
    "mask_rcnn_resnet50": [{"mask_prediction_num_conv_layers": 4}],
    "mask_rcnn_resnet50_upsample": [{"mask_batch_norm": "scale and center"}],
    "mask_rcnn_resnet101": [DROPOUT],
    "mask_rcnn_resnet101_upsample": [{"masks_are_class_agnostic": True}],
    "mask_rcnn_inception_resnet_v2": [{"mask_prediction_num_conv_layers": 3}],
    "mask_rcnn_inception_resnet_v2_upsample": [{"share_box_across_classes": True}],
    "rfcn_resnet101": [{"rpn_batch_norm": "scale and center"}],
    "context_rcnn_resnet101": [DROPOUT],
}
BUILT = [name for name in list_targets() if not name.startswith((AUTOML, "keras_", "own_code"))]
"""Targets that the Object Detection API builds; AutoML's own code and keras.applications build the others
(tests/tf/test_efficientdet.py, tests/tf/test_classifiers.py)."""


def differs(name: str, settings: Mapping[str, Any], probe: int) -> str:
    description = read_description(name)
    every = {setting.name: setting.default for setting in description.settings} | settings
    build = live_variables(description.configuration(every, description.probes[probe]))
    return difference(description, load_target(name), every, probe, build)


@pytest.mark.parametrize(("name", "settings"), [(name, one) for name, many in MAIN.items() for one in many])
def test_main_settings(name: str, settings: Mapping[str, Any]) -> None:
    assert differs(name, settings, 0) == ""


@pytest.mark.matrix
@pytest.mark.parametrize(("name", "settings"), [(name, one) for name, many in MORE.items() for one in many])
def test_more_settings(name: str, settings: Mapping[str, Any]) -> None:
    assert differs(name, settings, 0) == ""


@pytest.mark.matrix
@pytest.mark.parametrize("name", BUILT)
def test_defaults(name: str) -> None:
    assert differs(name, {}, 1) == ""


@pytest.mark.matrix
@pytest.mark.parametrize(("name", "seed"), list(itertools.product(BUILT, range(10))))
def test_sampled_settings(name: str, seed: int) -> None:
    description = read_description(name)
    rng = random.Random(f"{name} {seed}")
    draws = ({setting.name: rng.choice(setting.values) for setting in description.settings} for _ in itertools.count())
    settings = next(one for one in draws if description.allows(one))
    assert differs(name, settings, rng.randrange(len(description.probes))) == ""


@pytest.mark.parametrize(
    ("live", "plain"),
    [
        (None, Initializer("zeros")),
        ({"class_name": "Zeros", "config": {}}, Initializer("zeros")),
        ({"class_name": "Constant", "config": {"value": -4.6}}, Initializer("constant", {"value": -4.6})),
        (
            {"class_name": "TruncatedNormal", "config": {"mean": 0.0, "stddev": 0.029999999329447746, "seed": None}},
            Initializer("truncated_normal", {"mean": 0.0, "stddev": 0.03}),
        ),
        (
            {"class_name": "GlorotUniform", "config": {"seed": None}},
            Initializer("variance_scaling", {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform"}),
        ),
    ],
)
def test_plain_initializer(live: dict[str, Any] | None, plain: Initializer) -> None:
    assert plain_initializer(live) == plain
