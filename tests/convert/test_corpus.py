"""Real TF1 checkpoints fit the shipped targets whole, and the targets are what real TF2 checkpoints hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import ckptmap
from ckptmap.families.detection.pipeline.config import read_config
from ckptmap.families.detection.pipeline.models import SLIM_ONLY_RCNN, SLIM_ONLY_SSD
from ckptmap.planning.choices import PlanOptions
from ckptmap.request.resolve import find_destination
from ckptmap.targets import load_target

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of real checkpoints (../shared/corpus) is not here"
)
FPNLITE = {"use_depthwise": True, "predictor_use_depthwise": True, "share_prediction_tower": True}
SHARED_BOX = {"share_box_across_classes": True}


EGG = "train_faster_rcnn_resnet101_egg"
DETECTORS = (
    # checkpoint, target, classes, variables restored, dropped, superseded by their moving averages
    ("ft_ssd_resnet50_fpn_airplane/model.ckpt", "ssd_resnet50_v1_fpn", 11, 463, 1, 0),
    ("train_ssd_mobilenet_v1_songwenbin/model.ckpt-197793", "ssd_mobilenet_v1", 5, 199, 259, 129),
    ("zoo_ssd_mobilenet_v1_2018_01_28/model.ckpt", "ssd_mobilenet_v1", 90, 199, 1, 0),
    ("zoo_ssd_mobilenet_v2_2018_03_29/model.ckpt", "ssd_mobilenet_v2", 90, 344, 1, 0),
    (f"{EGG}/model.ckpt-0", "faster_rcnn_resnet101", 1, 530, 373, 0),
    (f"{EGG}/model.ckpt-11", "faster_rcnn_resnet101", 1, 530, 373, 0),
    ("zoo_faster_rcnn_inception_resnet_v2_2018_01_28/model.ckpt", "faster_rcnn_inception_resnet_v2", 90, 906, 1, 0),
    ("zoo_faster_rcnn_inception_v2_2018_01_28/model.ckpt", "faster_rcnn_inception_v2", 90, 356, 1, 0),
)
DETECTOR_FOLDERS = ("zoo_*", "ft_*", "train_*")


def unreadable(checkpoint: Path) -> bool:
    """What a download left in the place of an index: a Git-LFS pointer, a PaxHeader record."""
    return "lfs_pointers" in str(checkpoint) or "paxheader" in str(checkpoint)


@needs_corpus
def test_every_detector_of_the_corpus_is_here() -> None:
    indexes = [path for folder in DETECTOR_FOLDERS for path in (CORPUS / "tf1").glob(f"{folder}/*.index")]
    found = [path.relative_to(CORPUS / "tf1").with_suffix("").as_posix() for path in indexes if not unreadable(path)]
    assert sorted(found) == sorted(one[0] for one in DETECTORS)


@needs_corpus
@pytest.mark.parametrize(("source", "target", "classes", "restored", "dropped", "superseded"), DETECTORS)
def test_a_dry_run_accounts_for_every_variable(
    source: str, target: str, classes: int, restored: int, dropped: int, superseded: int
) -> None:
    report = ckptmap.convert(CORPUS / "tf1" / source, to=target, output=None, index_only=True)
    assert report["output"] is None
    assert report["findings"] == []
    assert report["summary"] == {
        "restored": restored,
        "mapped": restored,
        "dropped": dropped,
        "superseded": superseded,
        "partly restored": 0,
        "reinitialized": 0,
        "missing": 0,
        "unused": 0,
    }
    listed = [name for name, *_ in json.loads((CORPUS / "tf1" / f"{source}.vars.json").read_text())]
    assert sorted(one["name"] for one in report["source_variables"]) == sorted(listed)
    assert len(listed) == restored + dropped + superseded
    assert report["target"]["dimensions"]["num_classes"] == classes


@needs_corpus
def test_what_shapes_show_is_not_assumed() -> None:
    report = ckptmap.convert(
        CORPUS / "tf1" / DETECTORS[-1][0], to=DETECTORS[-1][1], output=None, index_only=True, no_pipeline=True
    )
    assert report["target"]["settings"]["share_box_across_classes"] is False
    assert [one["setting"] for one in report["target"]["assumed"]] == ["use_dropout"]


@needs_corpus
@pytest.mark.parametrize(
    ("source", "verdict", "tf2_type"),
    [
        (DETECTORS[0][0], "equal with the slim-exact extractor", "ssd_resnet50_v1_fpn_exact_keras"),
        (DETECTORS[2][0], "equal", "ssd_mobilenet_v1_keras"),
        (DETECTORS[3][0], "equal", "ssd_mobilenet_v2_keras"),
        (DETECTORS[5][0], "equal with these config edits", "faster_rcnn_resnet101_keras"),
        (DETECTORS[6][0], "equal with the slim-exact extractor", "faster_rcnn_inception_resnet_v2_exact_keras"),
        (DETECTORS[7][0], "equal with the slim-exact extractor", "faster_rcnn_inception_v2_exact_keras"),
    ],
)
def test_with_the_config_beside_it_nothing_is_assumed(source: str, verdict: str, tf2_type: str) -> None:
    checkpoint = CORPUS / "tf1" / source
    report = ckptmap.convert(checkpoint, pipeline=checkpoint.parent / "pipeline.config", output=None, index_only=True)
    assert report["findings"] == report["target"]["assumed"] == []
    assert (report["summary"]["missing"], report["summary"]["unused"]) == (0, 0)
    assert (report["verdict"]["kind"], report["verdict"]["extractor_type"]) == (verdict, tf2_type)


@needs_corpus
def test_the_targets_cover_every_config_of_a_type_that_tf1_alone_has() -> None:
    found: Counter[str] = Counter()
    for path in sorted((CORPUS / "configs").glob("*/*.config")):
        config = read_config(path)
        if config.extractor_type in (*SLIM_ONLY_SSD, *SLIM_ONLY_RCNN):
            found[find_destination(None, None, path, PlanOptions()).target.name] += 1
    assert found == {
        "embedded_ssd_mobilenet_v1": 1,
        "faster_rcnn_inception_v2": 9,
        "faster_rcnn_nas": 2,
        "mask_rcnn_inception_v2": 3,
        "ssd_inception_v2": 3,
        "ssd_inception_v3": 2,
        "ssd_mobiledet_cpu": 1,
        "ssd_mobiledet_dsp": 1,
        "ssd_mobiledet_edgetpu": 1,
        "ssd_mobiledet_gpu": 1,
        "ssd_mobilenet_edgetpu": 2,
        "ssd_mobilenet_v1_ppn": 1,
        "ssd_mobilenet_v2_mnasfpn": 1,
        "ssd_mobilenet_v3_large": 2,
        "ssd_mobilenet_v3_small": 1,
    }


@needs_corpus
def test_every_zoo_model_of_the_corpus_is_compared() -> None:
    found = [path.parent.name for path in (CORPUS / "tf2").glob("tf2_zoo_*/ckpt-0.index")]
    assert sorted(found) == ["tf2_zoo_faster_rcnn_resnet50_640", "tf2_zoo_ssd_mobilenet_v1_fpn_640"]


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
