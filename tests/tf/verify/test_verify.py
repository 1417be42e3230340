"""``ckptmap verify`` on a small SSD: it agrees with its conversion, and a swap of two layers is found."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.tf.environment import TensorFlowError, prepare
from tests.tf.verify.damage import convert_changed, swap

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

TINY = Path(__file__).resolve().parents[3] / "fixtures" / "ssd_mobilenet_v2_tiny"
FOUR, FIVE = (f"FeatureExtractor/MobilenetV2/expanded_conv_{number}/project" for number in (4, 5))


def run(*arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``ckptmap verify``."""
    command = [sys.executable, "-W", "ignore", "-m", "ckptmap", "verify", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images of other sizes than the model's."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(3)
    for name, size in {"wide.jpg": (200, 320), "tall.png": (64, 48)}.items():
        Image.fromarray(random.integers(0, 255, (*size, 3), np.uint8)).save(folder / name)
    (folder / "notes.txt").touch()
    return folder


def test_a_conversion_agrees_to_the_last_bit(photos: Path, tmp_path: Path) -> None:
    ckptmap.convert(TINY, pipeline=TINY / "pipeline.config", output=tmp_path / "new")
    out = tmp_path / "out"
    code, text, errors = run(TINY, tmp_path / "new", "--images", photos, "-o", out, "--min-score", "0.1")
    assert code == 0, errors
    assert errors == f"wrote {out}: report.json, report.md, report.html and the pictures\n"
    assert "the models agree: 2 images, outputs equal to the last bit" in text
    report = json.loads((out / "report.json").read_text())
    whole = {one["name"]: one["max"] for one in report["outputs"] if one["level"] is None}
    assert whole["box_encodings"] == whole["class_predictions_with_background"] == whole["detection_scores"] == 0
    levels = [one["level"] for one in report["outputs"] if one["name"] == "box_encodings"]
    assert levels[:2] == [None, "level 1 (19x19)"]
    assert len(levels) == 7
    assert report["detections"]["equal"] > 0
    assert {name: count for name, count in report["detections"].items() if name != "equal" and count} == {}
    assert (report["values"]["equal"], report["values"]["wrong"], report["parts"]) == (324, [], [])
    assert sorted((one["name"], one["height"], one["width"]) for one in report["images"]) == [
        ("tall.png", 64, 48),
        ("wide.jpg", 200, 320),
    ]
    assert sorted(file.name for file in out.iterdir()) == [
        "picture-1.png", "picture-2.png", "report.html", "report.json", "report.md",
    ]  # fmt: skip


def test_a_quantized_model_is_proven_for_its_weights_alone(tmp_path: Path) -> None:
    old = shutil.copytree(TINY, tmp_path / "old")
    with (old / "pipeline.config").open("a") as config:
        config.write("graph_rewriter { quantization { } }")
    converted = ckptmap.convert(old, pipeline=old / "pipeline.config", output=tmp_path / "new")
    assert converted["verdict"]["kind"] == "weights only"
    code, text, errors = run(old, tmp_path / "new", "--limit", "1", "--report", tmp_path / "report.json")
    assert code == 0, errors
    assert errors == f"wrote {tmp_path / 'report.json'}\n"
    assert "the weights agree, the old model run without its graph_rewriter: 1 image" in text
    assert "the models agree" not in text
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["old"]["without"] == ["graph_rewriter"]


def test_two_swapped_layers_are_named(tmp_path: Path) -> None:
    new = convert_changed(TINY, swap(f"{FOUR}/weights", f"{FIVE}/weights"), tmp_path / "new")
    code, text, errors = run(TINY, new, "--limit", "1", "--json")
    assert (code, errors) == (3, "")
    report = json.loads(text)
    assert not report["agree"]
    assert report["first_difference"] == f"backbone: the result of {FOUR}"
    assert [(cause["name"], cause["proven"]) for cause in report["causes"]] == [("swapped variables", True)]
    assert report["causes"][0]["text"] == (
        f"2 variables hold another variable's value: {FOUR}/weights (has {FIVE}/weights), "
        f"{FIVE}/weights (has {FOUR}/weights)"
    )
    before = [part["relative"] for part in report["parts"][: report["parts"].index(_first(report))]]
    assert len(before) > 50
    assert set(before) == {0.0}


def _first(report: dict) -> dict:
    return next(part for part in report["parts"] if part["differs"])
