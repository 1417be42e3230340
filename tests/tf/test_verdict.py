"""Verdicts proven: the TF1 graph against the model of the migrated config, where only a setting decides the verdict.

The TF2 model itself is the template of the conversion, so that nothing but config and table is under test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import ckptmap
from ckptmap.pipeline.config import parse_config
from ckptmap.pipeline.migrate import Migration, migrate
from ckptmap.pipeline.verdict import Kind
from tests.tf.rows import Row

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.matrix

RAW = ("box_encodings", "class_predictions_with_background")
DETECTIONS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")


class Edited(Row):
    """A row whose TF1 config is the template with ``edits``, and whose TF2 config is the migrated one."""

    def tf1_config(self) -> str:
        text = super().tf1_config()
        for old, new in self.edits.items():
            assert old in text, f"{self.name}: the config has no {old}"
            text = text.replace(old, new, 1)
        return text


OVERRIDE = "override_base_feature_extractor_hyperparams: true\n      conv_hyperparams {\n        activation: "
BACKBONE = "conv_hyperparams {\n        activation: RELU_6"
NORM = "batch_norm { train: true scale: true center: true decay: 0.9997 epsilon: 0.001 }\n      }\n    }\n    loss"


def edited(name: str, kind: str, edits: dict[str, str] | None = None, **fields: object) -> Edited:
    return Edited(name, kind, fields={"num_classes": 3, **fields}, edits=edits or {})


def override(name: str, kind: str, activation: str, norm: str) -> Edited:
    new = NORM.replace("scale: true center: true decay: 0.9997 epsilon: 0.001", norm)
    return edited(name, kind, {NORM: new, f"      {BACKBONE}": f"      {OVERRIDE}{activation}"})


V1, V2 = "ssd_mobilenet_v1", "ssd_mobilenet_v2"
EQUAL = [
    (override("v1_override", V1, "RELU", "scale: false epsilon: 0.01"), Kind.EQUAL),
    (edited("v1_min_depth", V1, min_depth=100), Kind.EQUAL),
    (edited("v1_crossed_depths", V1, {"min_depth: 0": "min_depth: 24"}, num_layers_before_predictor=1), None),
    (override("v2_override_relu", V2, "RELU", "epsilon: 0.001"), Kind.EQUAL_WITH_EDITS),
    (override("v2_override_epsilon", V2, "RELU_6", "scale: true epsilon: 0.01"), Kind.EQUAL),
    (override("v2_override_both", V2, "RELU", "scale: true epsilon: 0.01"), Kind.EXACT),
    (edited("v2_three_quarters", V2, depth_multiplier=0.75), Kind.EQUAL),
    (edited("v2_half", V2, depth_multiplier=0.5, min_depth=16), Kind.EXACT),
    (edited("v2_half_narrow", V2, depth_multiplier=0.5, min_depth=8), Kind.EQUAL),
]


@pytest.mark.parametrize(("row", "kind"), EQUAL, ids=[str(row) for row, _ in EQUAL])
def test_what_is_called_equal_is_equal(tf1, row: Edited, kind: Kind | None, tmp_path: Path) -> None:
    ran, made = tf1(row), migrated(row)
    assert made.verdict.kind is (kind or Kind.EQUAL_WITH_EDITS)
    found = proved(ran, made, tmp_path)
    assert {name: found[name] for name in (*RAW, *DETECTIONS)} == dict.fromkeys((*RAW, *DETECTIONS), 0.0)


SIGMOID = edited(
    "v1_sigmoid",
    V1,
    {
        "apply_sigmoid_to_scores: false": "apply_sigmoid_to_scores: true",
        "score_converter: SIGMOID": "score_converter: IDENTITY",
    },
)


@pytest.mark.parametrize("row", [SIGMOID], ids=str)
def test_a_sigmoid_in_the_heads_moves_behind_them(tf1, row: Edited, tmp_path: Path) -> None:
    found = proved(tf1(row), migrated(row), tmp_path)
    assert found["class_predictions_with_background"] > 1  # logits instead of scores
    assert {name: found[name] for name in DETECTIONS} == dict.fromkeys(DETECTIONS, 0.0)


UNEQUAL = [EQUAL[5][0], EQUAL[7][0]]


@pytest.mark.parametrize("row", UNEQUAL, ids=str)
def test_what_is_called_weights_only_differs(tf1, row: Edited, tmp_path: Path) -> None:
    made = migrate(parse_config(row.tf1_config()), prefer="stock")
    assert made.verdict.kind is Kind.WEIGHTS_ONLY
    found = proved(tf1(row), made, tmp_path)
    assert min(found[name] for name in RAW) > 0.1


def migrated(row: Edited) -> Migration:
    made = migrate(parse_config(row.tf1_config()))
    assert isinstance(made, Migration)
    return made


def proved(ran, made: Migration, folder: Path) -> dict[str, float]:
    """The largest difference of each output between the TF1 graph and the migrated model with converted weights."""
    from ckptmap.tf.compare import compare
    from ckptmap.tf.environment import tf2
    from ckptmap.tf.exact import register
    from ckptmap.tf.models import build_model
    from ckptmap.tf.tf2_model import restore, run_model

    register()
    config = folder / "pipeline.config"
    config.write_text(made.text, encoding="utf-8")
    model = build_model(config)
    run_model(model, ran.image)  # makes the variables
    template = tf2().train.Checkpoint(model=model).save(str(folder / "template" / "ckpt"))
    ckptmap.convert(ran.checkpoint, to=template, table=ran.row.type, output=folder / "new")
    restore(model, folder / "new" / "ckpt-0")
    return {one.name: float(one.largest) for one in compare(ran.outputs, run_model(model, ran.image)).differences}
