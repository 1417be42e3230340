"""Graphs that the Object Detection API's exporter wrote years ago: ``verify`` knows what they do otherwise.

Of these exports only graph, config and the checkpoint's index are at hand: random values take the place of the real.
"""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ckptmap
from ckptmap.tf.environment import TensorFlowError, prepare
from ckptmap.tf.verify import Verification, verify
from ckptmap.tf.verify.sources import OldKind
from tests.convert.conftest import write_tf1

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

RAW = ("box_encodings", "class_predictions_with_background")
CORPUS = Path(__file__).resolve().parents[3].parent / "shared" / "corpus" / "tf1"
pytestmark = [
    pytest.mark.matrix,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real files (../shared/corpus) is not here"),
]


def with_random_values(export: Path, folder: Path) -> Path:
    """A copy of an export whose variables have values."""
    with ckptmap.open_checkpoint(export) as checkpoint:
        variables = checkpoint.inventory.variables
    random = np.random.default_rng(4)
    write_tf1(
        folder / "model.ckpt",
        {name: value(random, name.rpartition("/")[2], one.shape) for name, one in variables.items()},
    )
    for name in ("model.ckpt.meta", "pipeline.config"):
        shutil.copyfile(export / name, folder / name)
    return folder


def value(random: np.random.Generator, leaf: str, shape: tuple[int, ...]) -> np.ndarray:
    """A small value, so that no score saturates: saturated ones tie, and rounding decides which box is kept."""
    if leaf == "global_step":
        return np.array(0, np.int64)
    if leaf in ("gamma", "moving_variance"):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    inputs = math.prod(shape[:2] if leaf == "depthwise_weights" else shape[:-1])
    return (random.normal(size=shape) * (math.sqrt(1 / inputs) if len(shape) > 1 else 0.1)).astype(np.float32)


def verified(name: str, folder: Path, **choices: Any) -> Verification:
    old = with_random_values(CORPUS / name, folder / "old")
    ckptmap.convert(old, pipeline=old / "pipeline.config", output=folder / "new")
    return verify(old, folder / "new", limit=1, **choices)


def test_a_fine_tuned_retinanet_agrees(tmp_path: Path) -> None:
    found = verified("ft_ssd_resnet50_fpn_airplane", tmp_path)
    assert (found.old.kind, found.agree, found.values.equal) == (OldKind.META, True, 463)
    assert {one.relative for one in found.measures} == {0.0}


@pytest.mark.parametrize(
    ("name", "variables"), [("zoo_ssd_mobilenet_v1_2018_01_28", 199), ("zoo_ssd_mobilenet_v2_2018_03_29", 344)]
)
def test_the_zoos_first_exports_agree_but_for_what_they_suppress(name: str, variables: int, tmp_path: Path) -> None:
    found = verified(name, tmp_path)
    assert (found.old.kind, found.values.equal) == (OldKind.META, variables)
    assert found.images[0].finding.raw_agrees
    assert found.parting == "post-processing: the raw outputs agree"
    assert [(cause.name, cause.proven) for cause in found.causes] == [("clipping before suppression", True)]


@pytest.mark.parametrize("name", ["zoo_ssd_mobilenet_v1_2018_01_28", "ft_ssd_resnet50_fpn_airplane"])
def test_todays_graph_of_such_an_export_is_equal(name: str, tmp_path: Path) -> None:
    found = verified(name, tmp_path, pipeline=CORPUS / name / "pipeline.config")
    assert (found.old.kind, found.agree) == (OldKind.SLIM, True)
    assert {one.relative for one in found.measures if one.name in RAW} == {0.0}
