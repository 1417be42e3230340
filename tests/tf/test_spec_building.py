"""Sections are built once and put together; what is built again has to be the same."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("tensorflow", reason="needs the [tf] extra")

from ckptmap.targets.variables import ZEROS
from ckptmap.tf.specs.building import Builder
from ckptmap.tf.specs.description import read_description
from ckptmap.tf.specs.inference import Built, InferenceError
from ckptmap.tf.specs.reuse import kept

SHARED = "weight_shared_convolutional_box_predictor"
DEFAULTS = read_description("ssd_mobilenet_v1_fpn").complete({})


@dataclass
class Models:
    """Stands in for live models: one variable a section, named by what decides on it, and a count of the models."""

    made: list[str] = field(default_factory=list)
    odd: str = ""

    def __call__(self, config: Mapping[str, Any]) -> tuple[Built, ...]:
        ssd = config["model"]["ssd"]
        extractor, predictor = ssd["feature_extractor"], ssd["box_predictor"][SHARED]
        self.made.append(extractor["type"])
        names = {
            "_box_predictor/head": f"head{self.odd}/{predictor['num_layers_before_predictor']}",
            "_feature_extractor/classification_backbone/conv": f"{extractor['type']}/conv",
            "_feature_extractor/_coarse_feature_layers/conv": f"level/{extractor['fpn']['max_level']}",
        }
        return tuple(Built(key, name, "float32", (1,), True, ZEROS) for key, name in names.items())


def names(build: tuple[Built, ...]) -> list[str]:
    return [built.name for built in build]


def test_sections_built_before_are_put_together() -> None:
    models = Models()
    builder = Builder(read_description("ssd_mobilenet_v1_fpn"), make=models)
    kind = "ssd_mobilenet_v1_fpn_exact_keras"
    assert names(builder.build(DEFAULTS, 0)) == ["level/7", f"{kind}/conv", "head/4"]
    builder.build({**DEFAULTS, "num_layers_before_predictor": 2}, 0)
    builder.build({**DEFAULTS, "use_explicit_padding": True}, 0)
    assert len(models.made) == 3
    both = {**DEFAULTS, "num_layers_before_predictor": 2, "use_explicit_padding": True}
    assert names(builder.build(both, 0)) == ["level/7", f"{kind}/conv", "head/2"]
    assert len(models.made) == 3
    builder.build(both, 1)
    assert len(models.made) == 4


def test_a_section_like_another_model_s_is_built_there() -> None:
    models = Models()
    builder = Builder(read_description("ssd_resnet50_v1_fpn"), make=models)
    settings = builder.description.complete({})
    kind = "ssd_resnet50_v1_fpn_exact_keras"
    builder.build(settings, 0)
    assert names(builder.build({**settings, "num_layers_before_predictor": 1}, 0)) == [
        "level/7",
        "head/1",
        f"{kind}/conv",
    ]
    assert models.made == [kind, "ssd_mobilenet_v1_fpn_exact_keras"]


def test_a_section_built_again_has_to_be_the_same() -> None:
    models = Models()
    builder = Builder(read_description("ssd_mobilenet_v1_fpn"), make=models)
    builder.build(DEFAULTS, 0)
    models.odd = "/odd"
    with pytest.raises(InferenceError, match="_box_predictor/head was built otherwise under the same settings"):
        builder.build({**DEFAULTS, "use_explicit_padding": True}, 0)


def test_backbones_are_kept_unless_the_configuration_speaks_of_them() -> None:
    numbers = itertools.count(1)
    make = kept(lambda **_: next(numbers))
    assert [make(alpha=1.0), make(alpha=0.5), make(alpha=1.0), make(alpha=1.0, conv_hyperparams=None)] == [1, 2, 1, 3]
    assert [make(conv_hyperparams="x"), make(conv_hyperparams="x")] == [4, 5]
