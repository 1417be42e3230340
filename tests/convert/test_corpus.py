"""Real TF1 checkpoints fit the shipped targets whole, and the targets are what real TF2 checkpoints hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import ckptmap
from ckptmap.targets import load_target

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of real checkpoints (../shared/corpus) is not here"
)
FPNLITE = {"use_depthwise": True, "predictor_use_depthwise": True, "share_prediction_tower": True}
SHARED_BOX = {"share_box_across_classes": True}


@needs_corpus
@pytest.mark.parametrize(
    ("source", "target", "variables", "classes"),
    [
        ("ft_ssd_resnet50_fpn_airplane", "ssd_resnet50_v1_fpn", 463, 11),
        ("train_faster_rcnn_resnet101_egg/model.ckpt-11", "faster_rcnn_resnet101", 530, 1),
        ("zoo_faster_rcnn_inception_resnet_v2_2018_01_28", "faster_rcnn_inception_resnet_v2", 906, 90),
    ],
)
def test_every_variable_of_the_target_is_restored(source: str, target: str, variables: int, classes: int) -> None:
    plan = ckptmap.plan(CORPUS / "tf1" / source, to=target)
    summary = plan.summary
    assert (summary["restored"], summary["mapped"]) == (variables, variables)
    assert (summary["reinitialized"], summary["missing"], summary["unused"]) == (0, 0, 0)
    assert plan.findings == ()
    assert plan.unknowns["num_classes"] == classes


@needs_corpus
@pytest.mark.parametrize(
    ("checkpoint", "target", "settings", "classes"),
    [
        ("tf2_zoo_ssd_mobilenet_v1_fpn_640/ckpt-0", "ssd_mobilenet_v1_fpn", {}, 90),
        ("tf2_train_ssd_mobilenet_v2_fpnlite_anirudhan/ckpt-6", "ssd_mobilenet_v2_fpn", FPNLITE, 1),
        ("tf2_zoo_faster_rcnn_resnet50_640/ckpt-0", "faster_rcnn_resnet50", SHARED_BOX, 90),
    ],
)
def test_keys_and_shapes_are_those_of_real_tf2_checkpoints(
    checkpoint: str, target: str, settings: Mapping[str, Any], classes: int
) -> None:
    template = load_target(CORPUS / "tf2" / checkpoint).layout()
    real = {one.key: one.shape for one in template.variables_with(template.solve({}))}
    shipped = load_target(target)
    layout = shipped.layout((), {**{one.name: one.default for one in shipped.settings}, **settings})
    solution = layout.solve(real)
    assert solution.problems == ()
    assert solution.values["num_classes"] == classes
    assert {one.key: one.shape for one in layout.variables_with(solution)} == real
