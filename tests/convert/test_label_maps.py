"""Label maps on real indexes: what moves in the class heads of an SSD, a RetinaNet and a Faster R-CNN."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import ckptmap
from ckptmap.mapping.ops_classes import Classes

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus" / "tf1"
SHARED_HEAD = "WeightSharedConvolutionalBoxPredictor/WeightSharedConvolutionalClassHead/ClassPredictor"
BOX_HEAD = "mask_rcnn_keras_box_predictor/mask_rcnn_box_head/BoxEncodingPredictor_dense"
CLASS_HEAD = "mask_rcnn_keras_box_predictor/mask_rcnn_class_head/ClassPredictor_dense"

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real files (../shared/corpus) is not here")


def write_map(path: Path, names: Sequence[str]) -> Path:
    path.write_text("".join(f"item {{ id: {at} name: '{name}' }}\n" for at, name in enumerate(names, 1)))
    return path


def moved(
    source: str, folder: Path, old: Sequence[str], new: Sequence[str]
) -> dict[str, tuple[tuple[int, ...], Classes]]:
    """The shape and the operation of each variable whose class slices move."""
    maps = write_map(folder / "old.pbtxt", old), write_map(folder / "new.pbtxt", new)
    made = ckptmap.plan(CORPUS / source, pipeline=CORPUS / source / "pipeline.config", label_maps=maps)
    assert made.summary["reinitialized"] == made.summary["missing"] == made.summary["unused"] == 0
    return {
        record.variable.name: (record.variable.shape, operation)
        for record in made.targets
        for operation in record.ops
        if isinstance(operation, Classes)
    }


def test_a_convolutional_head_for_each_feature_map(tmp_path: Path) -> None:
    """Ninety classes become two: the third of the old ones and a new one; the boxes are for all classes."""
    old = [f"c{at}" for at in range(1, 91)]
    found = moved("zoo_ssd_mobilenet_v1_2018_01_28", tmp_path, old, ["c3", "mine"])
    assert {operation for _, operation in found.values()} == {Classes(-1, 1, 91, (0, 3, -1))}
    heads = [
        f"BoxPredictor/ConvolutionalClassHead_{at}/ClassPredictor/{leaf}"
        for at in range(6)
        for leaf in ("bias", "kernel")
    ]
    assert sorted(found) == sorted(heads)
    assert found[heads[0]][0] == (3 * 3,)
    assert found[heads[2]][0] == (6 * 3,)


def test_a_head_that_all_levels_share(tmp_path: Path) -> None:
    """The model has eleven classes; numbers that neither label map names go with the classes that go."""
    found = moved("ft_ssd_resnet50_fpn_airplane", tmp_path, ["airplane"], ["bird", "airplane"])
    operation = Classes(-1, 1, 12, (0, -1, 1))
    assert found == {
        f"{SHARED_HEAD}/kernel": ((3, 3, 256, 18), operation),
        f"{SHARED_HEAD}/bias": ((18,), operation),
    }


def test_fully_connected_heads_with_boxes_for_each_class(tmp_path: Path) -> None:
    found = moved("train_faster_rcnn_resnet101_egg", tmp_path, ["egg"], ["hen", "egg", "fox"])
    boxes, classes = Classes(-1, 4, 1, (-1, 0, -1)), Classes(-1, 1, 2, (0, -1, 1, -1))
    assert found == {
        f"{BOX_HEAD}/kernel": ((2048, 12), boxes),
        f"{BOX_HEAD}/bias": ((12,), boxes),
        f"{CLASS_HEAD}/kernel": ((2048, 4), classes),
        f"{CLASS_HEAD}/bias": ((4,), classes),
    }
