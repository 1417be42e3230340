"""``ckptmap verify`` from every kind of source, for models of each family, and on migrations gone wrong."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ckptmap
from ckptmap.tf.environment import TensorFlowError, prepare
from ckptmap.tf.export import export as export_tf2
from ckptmap.tf.verify import Verification, verify
from ckptmap.tf.verify.sources import NewKind, OldKind
from tests.tf.exports import Export, export_tf1
from tests.tf.rows import Row
from tests.tf.verify.damage import convert_changed, reverse_channels

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tf.harness import Ran

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

pytestmark = pytest.mark.matrix

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
TINY, TRAINING = FIXTURES / "ssd_mobilenet_v2_tiny", FIXTURES / "ssd_mobilenet_v2_training"
RETINANET = Row("verify_retinanet", "ssd_resnet50_v1_fpn", fields={"override": "false"})
FASTER_RCNN = Row("verify_faster_rcnn", "faster_rcnn_resnet50")
MASK_RCNN = Row("verify_mask_rcnn", "faster_rcnn_resnet50", fields={"predictor": "masks", "stages": 3})
ROUNDING = 2e-6
compare = partial(verify, limit=1)
Kinds = tuple[str, OldKind]
SOURCES: tuple[Kinds, ...] = (
    ("frozen_inference_graph.pb", OldKind.FROZEN),
    ("saved_model", OldKind.SAVED_MODEL),
    ("model.ckpt.meta", OldKind.META),
)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, Path], Path]:
    """A TF1 export of a config and a checkpoint, made once."""
    made: dict[Path, Path] = {}

    def exported(config: Path, checkpoint: Path) -> Path:
        if config not in made:
            folder = made[config] = tmp_path_factory.mktemp("export")
            export_tf1([Export(str(config), str(checkpoint), str(folder / "old"))], folder / "request.json")
        return made[config] / "old"

    return exported


def every_source(ran: Ran, exported: Path) -> dict[OldKind, Path]:
    return {OldKind.SLIM: ran.folder, **{kind: exported / file for file, kind in SOURCES}}


def names(found: Verification) -> list[tuple[str, bool]]:
    return [(cause.name, cause.proven) for cause in found.causes]


def raw(found: Verification) -> dict[str, float]:
    return {one.name: one.relative for one in found.measures if not one.level and "encodings" in one.name}


@pytest.mark.parametrize(("file", "kind"), SOURCES)
def test_an_ssd_agrees_from_every_export(export: Callable, tmp_path: Path, file: str, kind: OldKind) -> None:
    old = export(TINY / "pipeline.config", TINY / "model.ckpt")
    ckptmap.convert(TINY, pipeline=TINY / "pipeline.config", output=tmp_path / "new")
    found = compare(old / file, tmp_path / "new")
    assert found.old.kind is kind
    assert found.agree
    assert {one.name: one.relative for one in found.measures if one.relative} == {}
    assert found.values.equal == 324


def test_a_saved_model_on_the_new_side(export: Callable, tmp_path: Path) -> None:
    ckptmap.convert(TINY, pipeline=TINY / "pipeline.config", output=tmp_path / "new")
    saved_model = export_tf2(tmp_path / "new", tmp_path / "saved_model")
    found = compare(export(TINY / "pipeline.config", TINY / "model.ckpt"), saved_model)
    assert (found.new.kind, found.agree) == (NewKind.SAVED_MODEL, True)
    assert {one.name for one in found.measures} >= {"raw_detection_boxes", "raw_detection_scores", "detection_boxes"}
    assert found.values.equal == 324


@pytest.mark.parametrize("row", [FASTER_RCNN], ids=str)
def test_a_saved_model_of_two_stages(tf1: Callable, export: Callable, tmp_path: Path, row: Row) -> None:
    ran = tf1(row)
    ckptmap.convert(ran.checkpoint, pipeline=ran.pipeline, output=tmp_path / "new")
    saved_model = export_tf2(tmp_path / "new", tmp_path / "saved_model")
    found = compare(export(ran.pipeline, ran.checkpoint), saved_model)
    assert (found.new.kind, found.agree) == (NewKind.SAVED_MODEL, True)
    assert {one.name for one in found.measures} >= {"raw_detection_boxes", "raw_detection_scores", "detection_boxes"}
    assert {one.name: one.relative for one in found.measures if one.relative} == {}
    assert found.values.equal == 275


def test_bgr_is_named_at_the_first_layer(tmp_path: Path) -> None:
    new = convert_changed(TINY, reverse_channels("FeatureExtractor/MobilenetV2/Conv/weights"), tmp_path / "new")
    found = compare(TINY, new)
    assert not found.agree
    assert found.first.text == "backbone: the result of FeatureExtractor/MobilenetV2/Conv"
    assert names(found) == [("BGR in place of RGB", True)]


def test_raw_weights_in_place_of_moving_averages(tmp_path: Path) -> None:
    ckptmap.convert(TRAINING, pipeline=TRAINING / "pipeline.config", output=tmp_path / "new", ema="ignore")
    found = compare(TRAINING, tmp_path / "new")
    assert not found.agree
    assert found.first.text == "backbone: the result of FeatureExtractor/MobilenetV2/Conv"
    assert names(found) == [("raw weights in place of moving averages", True)]
    assert compare(TRAINING, tmp_path / "new", weights="raw").agree


def test_a_new_class_head_is_named(tmp_path: Path) -> None:
    def change(values: dict) -> None:
        heads = [name for name in values if "ClassPredictor" in name]
        values.update({name: values[name] * 0.5 + 0.25 for name in heads})

    found = compare(TINY, convert_changed(TINY, change, tmp_path / "new"))
    assert names(found) == [("class head re-initialized", True)]
    assert found.first.text.startswith("class head at level 1: the result of BoxPredictor_0/ClassPredictor")
    assert raw(found) == {"box_encodings": 0.0}


def test_another_image_size_is_named(tmp_path: Path) -> None:
    new = tmp_path / "new"
    ckptmap.convert(TINY, pipeline=TINY / "pipeline.config", output=new)
    _edit(new, r"height: 300\s+width: 300", "height: 320 width: 320")
    found = compare(TINY, new)
    assert found.first.text == "preprocessed image"
    assert names(found) == [("preprocessing", True), ("preprocessing", True)]


@pytest.mark.parametrize("row", [RETINANET], ids=str)
def test_a_pyramid(tf1: Callable, export: Callable, tmp_path: Path, row: Row) -> None:
    ran = tf1(row)
    ckptmap.convert(ran.checkpoint, pipeline=ran.pipeline, output=tmp_path / "exact")
    ckptmap.convert(ran.checkpoint, pipeline=ran.pipeline, output=tmp_path / "stock", prefer="stock")
    for kind, old in every_source(ran, export(ran.pipeline, ran.checkpoint)).items():
        found = compare(old, tmp_path / "exact")
        assert (found.old.kind, found.agree) == (kind, True)
        assert raw(found) == {"box_encodings": 0.0}
    found = compare(export(ran.pipeline, ran.checkpoint), tmp_path / "stock")
    assert not found.agree
    assert found.first.text.startswith("feature pyramid at P3: the input of FeatureExtractor/resnet_v1_50/fpn/smooth")
    assert names(found) == [("FPN top-down path", True)]
    levels = {one.level[:2]: one.within for one in found.measures if one.name == "box_encodings" and one.level}
    assert levels == {"P3": False, "P4": True, "P5": True, "P6": True, "P7": True}


@pytest.mark.parametrize("row", [FASTER_RCNN, MASK_RCNN], ids=str)
def test_two_stages(tf1: Callable, export: Callable, tmp_path: Path, row: Row) -> None:
    ran, new = tf1(row), tmp_path / "new"
    ckptmap.convert(ran.checkpoint, pipeline=ran.pipeline, output=new)
    for kind, old in every_source(ran, export(ran.pipeline, ran.checkpoint)).items():
        found = compare(old, new)
        assert (found.old.kind, found.agree) == (kind, True)
        assert max(raw(found).values()) <= ROUNDING
    _edit(new, "maxpool_stride: 1", "maxpool_stride: 2")
    found = compare(ran.folder, new)
    assert not found.agree
    assert found.first.text.startswith("backbone: the shape of the result of SecondStageFeatureExtractor/")
    assert names(found) == [("maxpool_stride", True)]
    assert "slim runs block4 on the crops with stride 1" in found.causes[0].text


def _edit(new: Path, pattern: str, text: str) -> None:
    config = new / "pipeline.config"
    edited, count = re.subn(pattern, text, config.read_text())
    assert count == 1
    config.write_text(edited)
