"""A spec from one live model and another spec's heads."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ckptmap.targets import load_target
from ckptmap.targets.dims import Dim
from ckptmap.targets.spec_compression import expand
from ckptmap.targets.template import usual_initializer
from ckptmap.targets.variables import SpecVariable
from ckptmap.tf.specs.alike import alike
from ckptmap.tf.specs.generate import FOLDER
from ckptmap.tf.specs.inference import InferenceError

if TYPE_CHECKING:
    from ckptmap.targets.target import Target

LIKE = json.loads((FOLDER / "ssd_inception_v2.json").read_text(encoding="utf-8"))
GIVEN = {"num_classes": 3, "box_code_size": 4, "predictor_kernel": 1, **{f"anchors_{n}": 2 for n in range(6)}}
DEPTH, OTHER = 576, 96  # of the first feature map


def live_model() -> Target:
    """A model with the heads of ssd_inception_v2, the first on a map of another depth, and one variable of its own."""
    like = load_target("ssd_inception_v2")
    layout = like.layout((), GIVEN)
    variables = [one for one in layout.variables if one.part != "backbone"]
    own = "_feature_extractor/_tf1_style_var_store/_vars/FeatureExtractor.Sconv0.Sweights"
    heads = tuple(
        SpecVariable(
            one.key,
            one.name,
            one.dtype,
            tuple(Dim(OTHER if dim == Dim(DEPTH) else dim.value(GIVEN) or 0) for dim in one.dims),
        )
        for one in variables
    )
    kernel = SpecVariable(
        own,
        "FeatureExtractor/conv0/weights",
        heads[0].dtype,
        (Dim(3), Dim(3), Dim(3), Dim(96)),
        initializer=usual_initializer("weights"),
        part="backbone",
    )
    return replace(like, variables=(kernel, *heads), settings=(), unknowns={}, table=None)


def test_the_extractor_is_the_models_and_the_heads_are_the_others_on_its_maps() -> None:
    spec = alike("ssd_pnasnet", LIKE, live_model())
    entries = {entry["key"]: entry for entry in expand(spec["variables"])}
    assert (spec["name"], spec["generator"]) == (
        "ssd_pnasnet",
        "python -m ckptmap.tf.specs.alike ssd_pnasnet ssd_inception_v2",
    )
    own = [entry for key, entry in entries.items() if "_tf1_style_var_store" in key]
    assert [(entry["name"], entry["dims"]) for entry in own] == [("FeatureExtractor/conv0/weights", [3, 3, 3, 96])]
    head = "_box_predictor/_prediction_heads/box_encodings/{}/_box_encoder_layers/0/kernel"
    assert entries[head.format(0)]["dims"] == ["predictor_kernel", "predictor_kernel", 96, "box_code_size*anchors_0"]
    assert entries[head.format(1)]["dims"] == ["predictor_kernel", "predictor_kernel", 1024, "box_code_size*anchors_1"]
    assert "use_depthwise" not in [setting["name"] for setting in spec["settings"]]
    assert spec["fixed"]["use_depthwise"] is False


def test_other_heads_are_refused() -> None:
    model = live_model()
    with pytest.raises(InferenceError, match="the heads are not those of ssd_inception_v2"):
        alike("ssd_pnasnet", LIKE, replace(model, variables=model.variables[:-1]))
