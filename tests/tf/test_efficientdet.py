"""AutoML's EfficientDet in the Object Detection API: restored, fine-tuned from, and equal to AutoML's own graphs.

The comparison with AutoML's graphs needs its code: ``CKPTMAP_AUTOML`` names the folder ``efficientdet`` of
google/automl (at 6a54c87). The figures of docs/efficientdet.md are made by ``tests.tf.automl_proof``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ckptmap
from ckptmap.tf.environment import tf2
from ckptmap.tf.exact import register
from ckptmap.tf.load import load_detection_model
from ckptmap.tf.models import build_model
from ckptmap.tf.specs.generate import FOLDER
from tests.convert.conftest import write_tf1
from tests.efficientdet_variables import read
from tests.tf.automl_proof import CLASSES, SIZE, Figures, prove, prove_keras, run_automl
from tests.tf.test_detection_api import assert_equal, load_fine_tune_checkpoint, saved, stored

CHECKOUT = os.environ.get("CKPTMAP_AUTOML", "")
NO_CHECKOUT = "CKPTMAP_AUTOML names no checkout of google/automl, folder efficientdet"
RAW, DECODED = 5e-6, 1e-5


def values(version: str) -> dict[str, np.ndarray]:
    """Random values, each batch norm's statistics positive."""
    generator = np.random.default_rng(3)
    return {
        name: np.abs(generator.normal(0.5, 0.1, shape)).astype(np.float32)
        for name, shape in read(version, CLASSES).items()
    }


def converted(version: str, folder: Path, **choices: Any) -> Path:
    """The folder of the new checkpoint, its config set to a small image."""
    write_tf1(folder / "old" / "model.ckpt", values(version))
    report = ckptmap.convert(folder / "old", to=f"efficientdet_{version}", output=folder / "new", **choices)
    assert report["output"] is not None
    config = folder / "new" / "pipeline.config"
    text = config.read_text(encoding="utf-8")
    for size in (512, 640):
        text = text.replace(f": {size}\n", f": {SIZE}\n")
    config.write_text(text, encoding="utf-8")
    return folder / "new"


@pytest.fixture(scope="module")
def d0(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return converted("d0", tmp_path_factory.mktemp("d0"))


def test_the_written_config_builds_the_model_that_the_checkpoint_is_for(d0: Path, tmp_path: Path) -> None:
    model = load_detection_model(d0 / "pipeline.config", d0 / "ckpt-0")  # with TensorFlow's assertions
    loaded = saved(tmp_path, "model", model)
    assert len(loaded) == 683
    assert_equal(loaded, stored(d0 / "ckpt-0", "model"))


def test_fine_tuned_from_with_another_class_count(d0: Path, tmp_path: Path) -> None:
    config = tmp_path / "training.config"
    text = (d0 / "pipeline.config").read_text(encoding="utf-8")
    config.write_text(text.replace(f"num_classes: {CLASSES}", "num_classes: 3"), encoding="utf-8")
    model = build_model(config, is_training=True)
    before = saved(tmp_path, "model", model)
    load_fine_tune_checkpoint(model, d0 / "ckpt-0", "detection", 3, SIZE)
    after, new = saved(tmp_path, "model", model), stored(d0 / "ckpt-0", "model")
    extractor = [key for key in after if key.startswith("model/_feature_extractor/")]
    assert (len(after), len(extractor)) == (683, 539)
    assert_equal({key: after[key] for key in extractor}, {key: new[key] for key in extractor})
    heads = after.keys() - set(extractor)
    assert_equal({key: after[key] for key in heads}, {key: before[key] for key in heads})


def test_the_exact_extractor_takes_the_ends_of_the_stacks(tmp_path: Path) -> None:
    new = converted("d1", tmp_path)
    extractor = load_detection_model(new / "pipeline.config", new / "ckpt-0")._feature_extractor
    network = extractor.classification_backbone
    names = ["stack_2/block_2/add", "stack_4/block_3/add", "stack_6/block_1/add"]
    ends = tf2().keras.Model(network.inputs, [network.get_layer(name).output for name in names])
    image = np.random.default_rng(0).normal(size=(1, SIZE, SIZE, 3)).astype(np.float32)
    for found, wanted in zip(extractor._run_backbone(image), ends(image), strict=True):
        assert np.array_equal(found, wanted)


@pytest.mark.matrix
def test_stock_has_the_keys_of_the_exact_extractor(tmp_path: Path) -> None:
    new = converted("d1", tmp_path, prefer="stock")
    config = new / "pipeline.config"
    assert "ssd_efficientnet-b1_bifpn_keras" in config.read_text(encoding="utf-8")
    load_detection_model(config, new / "ckpt-0")


@pytest.mark.matrix
@pytest.mark.parametrize("version", ["d0", "d1"])
def test_the_classification_backbone_restores_alone(version: str, tmp_path: Path) -> None:
    new = converted(version, tmp_path, root="feature_extractor")
    register()
    model = build_model(new / "pipeline.config", is_training=True)
    load_fine_tune_checkpoint(model, new / "ckpt-0", "classification", CLASSES, SIZE)
    loaded = saved(tmp_path, "feature_extractor", model._feature_extractor.classification_backbone)
    assert_equal(loaded, stored(new / "ckpt-0", "feature_extractor"))


@pytest.fixture(scope="module")
def automl(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Gives a folder in which AutoML's graph of a version ran."""
    if not CHECKOUT:
        pytest.skip(NO_CHECKOUT)

    @cache
    def ran(version: str, *, averages: bool = False) -> Path:
        folder = tmp_path_factory.mktemp("automl")
        run_automl(CHECKOUT, [version], folder, averages=averages)
        return folder

    return ran


def within(figures: Figures) -> bool:
    return figures.classes <= RAW and figures.boxes <= RAW and figures.decoded <= DECODED


@pytest.mark.matrix
@pytest.mark.parametrize("anchors", ["api", "automl", "automl-2020"])
@pytest.mark.parametrize("version", ["d0", "d1", "d7x"])
def test_outputs_are_those_of_automls_graph(
    version: str, anchors: Any, automl: Callable, record_property: Callable
) -> None:
    figures = prove(version, automl(version), anchors)
    record_property("figures", str(figures))
    assert within(figures), str(figures)


@pytest.mark.matrix
def test_stock_computes_something_else_from_d1_on(automl: Callable) -> None:
    assert prove("d1", automl("d1"), prefer="stock", force=True).classes > 0.001


@pytest.mark.matrix
def test_automls_keras_model_computes_the_same(automl: Callable) -> None:
    assert prove_keras(CHECKOUT, "d0", automl("d0")) == 0


@pytest.mark.matrix
def test_the_spec_of_automls_keras_model_is_what_its_code_builds(tmp_path: Path) -> None:
    if not CHECKOUT:
        pytest.skip(NO_CHECKOUT)
    command = [sys.executable, "-W", "ignore", "-m", "ckptmap.tf.specs.automl", CHECKOUT, "d0"]
    subprocess.run([*command, "--folder", str(tmp_path)], check=True, capture_output=True)
    made, shipped = (json.loads((folder / "automl_efficientdet_d0.json").read_text()) for folder in (tmp_path, FOLDER))
    assert {**made, "made_with": None} == {**shipped, "made_with": None}


@pytest.mark.matrix
def test_moving_averages_are_what_automl_evaluates(automl: Callable, record_property: Callable) -> None:
    figures = prove("d0", automl("d0", averages=True))
    record_property("figures", str(figures))
    assert within(figures), str(figures)
