from __future__ import annotations

import itertools
from typing import get_args

import pytest

from ckptmap.families.detection.operations import UNTOUCHED, AnchorChoice, BoxOutputs
from ckptmap.families.detection.pipeline.classes import Classes
from ckptmap.families.detection.pipeline.config import parse_config
from ckptmap.families.detection.pipeline.efficientdet import VERSIONS, verdict, verdict_of, version_of
from ckptmap.families.detection.pipeline.efficientdet_config import boxes_of, written
from ckptmap.families.detection.pipeline.migrate import Refusal, Why, migrate
from ckptmap.families.detection.pipeline.settings import settings
from ckptmap.families.detection.pipeline.training import Checkpoint
from ckptmap.families.verdict import Kind, Prefer

CHOICES = get_args(AnchorChoice)


@pytest.mark.parametrize(("name", "anchors"), list(itertools.product(VERSIONS, CHOICES)))
def test_a_written_config_describes_its_version(name: str, anchors: AnchorChoice) -> None:
    made = written(name, anchors, Classes(7), "exact", Checkpoint("new/ckpt-0"))
    config = parse_config(made.text)
    assert config.findings == ()
    assert (config.num_classes, config.extractor_type) == (7, VERSIONS[name].exact_type)
    assert config.anchors == (9,) * (VERSIONS[name].max_level - 2)
    assert config.image_resizer.min_dimension == VERSIONS[name].image_size
    assert boxes_of(config) == (BoxOutputs() if anchors == "api" else UNTOUCHED)
    version = version_of(config)
    assert version is not None
    assert version.name == {"efficientdet_d7": "efficientdet_d6"}.get(name, name)
    assert settings(config).target == version.name
    [note] = made.notes
    assert made.text.splitlines()[note.line - 1].strip() == "anchor_generator {"


def test_the_report_says_what_was_done_to_the_boxes() -> None:
    notes = [written("efficientdet_d0", one, Classes(7), "exact", None).notes[0].text for one in CHOICES]
    assert notes == [
        "box and class outputs are reordered from AutoML's anchors to these, and boxes scaled by the box coder",
        "AutoML's anchors in AutoML's order: box and class outputs are untouched",
        "AutoML's anchors of before September 2020 in AutoML's order: box and class outputs are untouched",
    ]


def test_d7_has_larger_anchors_and_d7x_a_level_more() -> None:
    def generator(name: str) -> tuple[float, int]:
        config = parse_config(written(name, "api", Classes(7), "exact", None).text)
        own = config.model.at("anchor_generator.multiscale_anchor_generator")
        return own.number("anchor_scale"), own.integer("max_level")

    assert [generator(f"efficientdet_{one}") for one in ("d6", "d7", "d7x")] == [(4.0, 7), (5.0, 7), (4.0, 8)]


@pytest.mark.parametrize(
    ("name", "prefer", "kind", "extractor_type"),
    [
        ("efficientdet_d0", "exact", Kind.EQUAL, "ssd_efficientnet-b0_bifpn_keras"),
        ("efficientdet_d0", "stock", Kind.EQUAL, "ssd_efficientnet-b0_bifpn_keras"),
        ("efficientdet_d1", "exact", Kind.EXACT, "ssd_efficientnet-b1_bifpn_exact_keras"),
        ("efficientdet_d1", "stock", Kind.WEIGHTS_ONLY, "ssd_efficientnet-b1_bifpn_keras"),
        ("efficientdet_d7", "exact", Kind.EXACT, "ssd_efficientnet-b6_bifpn_exact_keras"),
        ("efficientdet_d7x", "exact", Kind.EXACT, "ssd_efficientnet-b7_bifpn_exact_keras"),
    ],
)
def test_verdicts(name: str, prefer: Prefer, kind: Kind, extractor_type: str) -> None:
    answer = verdict_of(VERSIONS[name], prefer)
    assert (answer.kind, answer.extractor_type) == (kind, extractor_type)


def test_automls_own_model_is_equal() -> None:
    answer = verdict("automl_efficientdet_d3")
    assert answer is not None
    assert (answer.kind, answer.extractor_type) == (Kind.EQUAL, "efficientdet_keras.EfficientDetNet")


def test_other_models_have_other_verdicts() -> None:
    assert verdict("ssd_mobilenet_v2") is None


def test_there_is_nothing_to_migrate() -> None:
    config = parse_config(written("efficientdet_d1", "api", Classes(7), "exact", None).text)
    refusal = migrate(config)
    assert isinstance(refusal, Refusal)
    assert refusal.why is Why.ALREADY_TF2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("num_iterations: 4", "num_iterations: 5"),
        ('combine_method: "fast_attention"', 'combine_method: "sum"'),
        ("depth: 88", "depth: 64"),
        ("num_layers_before_predictor: 3", "num_layers_before_predictor: 4"),
        ("add_background_class: false", "add_background_class: true"),
        ("use_depthwise: true", "use_depthwise: false"),
        ("max_level: 7\n        num_iter", "max_level: 8\n        num_iter"),
        ("efficientnet-b1", "efficientnet-b2"),
        ("weight_shared_convolutional_box_predictor {", "convolutional_box_predictor {"),
        ("box_predictor {", "unknown {"),
    ],
)
def test_a_model_with_other_variables_is_no_version(old: str, new: str) -> None:
    text = written("efficientdet_d1", "api", Classes(7), "exact", None).text
    assert old in text
    assert version_of(parse_config(text.replace(old, new))) is None
