"""Real checkpoints as people left them, each with what a person would say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from ckptmap.inspection.inspector import inspect


class Row(NamedTuple):
    kind: str
    object_based: bool
    variables: int
    model: str | None
    classes: int | None
    optimizers: tuple[str, ...]
    slots: int
    averages: int
    step: int | None


V1, V2 = "V1 checkpoint", "V2 bundle"

ROWS = {
    "tf1/ft_ssd_resnet50_fpn_airplane/model.ckpt": Row(V2, False, 464, "ssd_resnet50_v1_fpn", 11, (), 0, 0, None),
    "tf1/tf1_bert_tiny_keras_bert/bert_model.ckpt": Row(V2, False, 139, "bert", None, ("AdamWeightDecay",), 92, 0, 20),
    "tf1/tf1_mtcnn_pnet/PNet-18": Row(V2, False, 31, None, None, ("Momentum",), 15, 0, None),
    "tf1/tf1_sharded2_t2t_transformer_test/model.ckpt-1": Row(V2, False, 250, None, None, ("Adam",), 162, 0, 1),
    "tf1/train_faster_rcnn_resnet101_egg/model.ckpt-0": Row(
        V2, False, 903, "faster_rcnn_resnet101", 1, ("Momentum",), 322, 0, 0
    ),
    "tf1/train_faster_rcnn_resnet101_egg/model.ckpt-11": Row(
        V2, False, 903, "faster_rcnn_resnet101", 1, ("Momentum",), 322, 0, 11
    ),
    "tf1/train_ssd_mobilenet_v1_songwenbin/model.ckpt-197793": Row(
        V2, False, 587, "ssd_mobilenet_v1", 5, ("RMSProp",), 258, 129, 197793
    ),
    "tf1/v1format_nxt_tensorflow_with_meta/model.ckpt": Row(V1, False, 14, None, None, ("Adam",), 8, 0, None),
    "tf1/v1format_session_bundle_half_plus_two/export-00000-of-00001": Row(V1, False, 2, None, None, (), 0, 0, None),
    "tf1/v1format_sugyan_regression/regression.ckpt": Row(V1, False, 2, None, None, (), 0, 0, None),
    "tf1/zoo_faster_rcnn_inception_resnet_v2_2018_01_28/model.ckpt": Row(
        V2, False, 907, "faster_rcnn_inception_resnet_v2", 90, (), 0, 0, None
    ),
    "tf1/zoo_faster_rcnn_inception_v2_2018_01_28/model.ckpt": Row(
        V2, False, 357, "faster_rcnn_inception_v2", 90, (), 0, 0, None
    ),
    "tf1/zoo_ssd_mobilenet_v1_2018_01_28/model.ckpt": Row(V2, False, 200, "ssd_mobilenet_v1", 90, (), 0, 0, None),
    "tf1/zoo_ssd_mobilenet_v2_2018_03_29/model.ckpt": Row(V2, False, 345, "ssd_mobilenet_v2", 90, (), 0, 0, None),
    "tf2/serving_saved_model_half_plus_two_cpu_00000123/variables": Row(V2, False, 5, None, None, (), 0, 0, None),
    "tf2/tf2_keras_sharded2_little_ruan/model.ckpt": Row(V2, True, 18, None, None, ("Adam",), 8, 0, 3840),
    "tf2/tf2_train_ssd_mobilenet_v2_fpnlite_anirudhan/ckpt-1": Row(
        V2, True, 387, "ssd_mobilenet_v2_fpnlite", 1, (), 0, 0, None
    ),
    "tf2/tf2_train_ssd_mobilenet_v2_fpnlite_anirudhan/ckpt-2": Row(
        V2, True, 622, "ssd_mobilenet_v2_fpnlite", 1, ("SGD",), 232, 0, None
    ),
    "tf2/tf2_train_ssd_mobilenet_v2_fpnlite_anirudhan/ckpt-6": Row(
        V2, True, 622, "ssd_mobilenet_v2_fpnlite", 1, ("SGD",), 232, 0, None
    ),
    "tf2/tf2_zoo_faster_rcnn_resnet50_640/ckpt-0": Row(V2, True, 277, "faster_rcnn_resnet50", 90, (), 0, 0, None),
    "tf2/tf2_zoo_faster_rcnn_resnet50_640/variables": Row(V2, True, 276, "faster_rcnn_resnet50", 90, (), 0, 0, None),
    "tf2/tf2_zoo_ssd_mobilenet_v1_fpn_640/ckpt-0": Row(V2, True, 335, "ssd_mobilenet_v1_fpn", 90, (), 0, 0, None),
    "tf2/tf2_zoo_ssd_mobilenet_v1_fpn_640/variables": Row(V2, True, 334, "ssd_mobilenet_v1_fpn", 90, (), 0, 0, None),
}


CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "detectors"


@pytest.mark.parametrize("path", ROWS)
def test_what_a_real_checkpoint_is(corpus: Path, path: str) -> None:
    found = inspect(corpus / path)
    architecture = found.architecture
    assert (
        Row(
            kind=found.inventory.kind.value,
            object_based=found.inventory.object_based,
            variables=len(found.inventory.variables),
            model=architecture.name if architecture else None,
            classes=architecture.document().get("num_classes") if architecture else None,
            optimizers=found.training.optimizers,
            slots=found.training.slots,
            averages=found.training.averages,
            step=found.training.step,
        )
        == ROWS[path]
    )


@pytest.mark.parametrize("path", ROWS)
def test_the_variables_are_those_that_tensorflow_lists(corpus: Path, path: str) -> None:
    listed = json.loads(_listing(corpus / path).read_text())
    variables = inspect(corpus / path).inventory.variables
    assert [[v.name, v.dtype.label, list(v.shape)] for v in variables.values()] == sorted(listed)


def test_every_listed_checkpoint_has_its_row(corpus: Path) -> None:
    assert set(corpus.glob("tf*/*/*.vars.json")) == {_listing(corpus / path) for path in ROWS}


def _listing(path: Path) -> Path:
    """What TensorFlow lists; beside a V1 shard its name has no number."""
    return path.with_name(path.name.replace("00000", "_____", 1) + ".vars.json")


def test_traits_of_a_mobilenet_v2(corpus: Path) -> None:
    architecture = inspect(corpus / "tf1/zoo_ssd_mobilenet_v2_2018_03_29").architecture
    assert architecture is not None
    assert (architecture.backbone.family, architecture.backbone.depth_multiplier) == ("MobileNet", 1.0)
    assert architecture.heads.anchors == (3, 6, 6, 6, 6, 6)
    assert architecture.heads.feature_maps == 6
    assert architecture.extractor_type == "ssd_mobilenet_v2"


def test_traits_of_a_pyramid(corpus: Path) -> None:
    architecture = inspect(corpus / "tf1/ft_ssd_resnet50_fpn_airplane").architecture
    assert architecture is not None
    assert architecture.fpn_levels == (3, 7)
    assert architecture.heads.predictor == "weight_shared_convolutional_box_predictor"
    assert architecture.heads.anchors == (6,)


@pytest.mark.parametrize(
    "folder",
    [
        "tf1/ft_ssd_resnet50_fpn_airplane",
        "tf1/train_faster_rcnn_resnet101_egg",
        "tf1/zoo_faster_rcnn_inception_resnet_v2_2018_01_28",
        "tf1/zoo_faster_rcnn_inception_v2_2018_01_28",
        "tf1/zoo_ssd_mobilenet_v1_2018_01_28",
        "tf1/zoo_ssd_mobilenet_v2_2018_03_29",
        "tf2/tf2_train_ssd_mobilenet_v2_fpnlite_anirudhan",
        "tf2/tf2_zoo_faster_rcnn_resnet50_640",
        "tf2/tf2_zoo_ssd_mobilenet_v1_fpn_640",
    ],
)
def test_the_config_beside_agrees(corpus: Path, folder: str) -> None:
    config = inspect(corpus / folder).config
    assert config is not None
    assert (config.path, config.differences) == (str(corpus / folder / "pipeline.config"), ())


def test_who_wrote_it(corpus: Path) -> None:
    assert inspect(corpus / "tf1/zoo_ssd_mobilenet_v2_2018_03_29").written_by == "1.5.0"
    assert inspect(corpus / "tf1/train_ssd_mobilenet_v1_songwenbin").written_by == ""


@pytest.mark.parametrize(
    ("name", "model", "classes"),
    [
        ("tf2_zoo_ssd_mobilenet_v2_fpnlite_320", "ssd_mobilenet_v2_fpnlite", 90),
        ("tf2_zoo_efficientdet_d1", "efficientdet_d1", 90),
    ],
)
def test_what_exported_variables_are(name: str, model: str, classes: int) -> None:
    folder = CASES / "H2-05-savedmodel-facts" / name
    if not folder.is_dir():
        pytest.skip(f"the case {folder.parent.name} (../shared/cases) is not here")
    found = inspect(folder / "variables.index")
    assert found.architecture is not None
    heads = found.architecture.heads
    assert (found.architecture.name, heads.num_classes, heads.depthwise) == (model, classes, True)
    assert found.config is not None
    assert found.config.differences == ()
    assert "tf.saved_model.load" in found.advice.note
