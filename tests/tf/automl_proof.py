"""AutoML's TF1 EfficientDet against the Object Detection API, through the product; the table of docs/efficientdet.md.

    python -m tests.tf.automl_proof CHECKOUT d0 d1 d7x

For each version: AutoML's own TF1 graph with random weights (``tests.tf.automl_graph``), its checkpoint converted with
``ckptmap.convert`` under each choice of anchors, restored with TensorFlow's assertions into the model of the
pipeline.config that the conversion wrote, with another image size, and run on the same image.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

import ckptmap
from ckptmap.families.detection.operations import AnchorChoice
from ckptmap.families.detection.pipeline.efficientdet import LOWEST_LEVEL, VERSIONS
from ckptmap.tf import outputs
from ckptmap.tf.environment import same_kernels, tf2
from ckptmap.tf.load import load_detection_model
from tests.efficientdet_reference import flat, ratios_first

SIZE, CLASSES, SEED = 256, 7, 1


@dataclass(frozen=True)
class Figures:
    """The largest differences of raw outputs and of decoded boxes' corners, in parts of the largest value."""

    version: str
    anchors: AnchorChoice
    extractor_type: str
    restored: int
    classes: float
    boxes: float
    decoded: float

    def __str__(self) -> str:
        figures = " | ".join(f"{value:.1e}" for value in (self.classes, self.boxes, self.decoded))
        return f"| {self.version} | `{self.anchors}` | `{self.extractor_type}` | {self.restored} | {figures} |"


def run_automl(checkout: str, versions: Sequence[str], folder: Path, *, averages: bool = False) -> None:
    """AutoML's graphs, all in one process: ``folder``/<version>/model.ckpt and outputs.npz for each."""
    places = {version: folder / version for version in versions}
    for place in places.values():
        place.mkdir(parents=True)
    request = folder / "request.json"
    common = {"size": SIZE, "num_classes": CLASSES, "seed": SEED, "average": averages}
    request.write_text(json.dumps([{"version": v, "folder": str(p), **common} for v, p in places.items()]))
    _run("tests.tf.automl_graph", checkout, str(request))


def _run(module: str, *arguments: str) -> None:
    """A module with AutoML's code on its path, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def prove(version: str, folder: Path, anchors: AnchorChoice = "api", **choices: Any) -> Figures:
    """Convert what ``run_automl`` left in ``folder``/<version>, run it in TF2, compare."""
    new, target = folder / f"{version}_{anchors}", f"efficientdet_{version}"
    report = ckptmap.convert(folder / version, to=target, output=new, anchors=anchors, **choices)
    assert report["output"] is not None, report["findings"]
    own, config = VERSIONS[target].image_size, new / "pipeline.config"
    config.write_text(config.read_text(encoding="utf-8").replace(f": {own}\n", f": {SIZE}\n"), encoding="utf-8")
    expected = reference(version, folder, anchors)
    found = detect(load_detection_model(config, new / "ckpt-0"))
    return Figures(
        version=version.upper().replace("X", "x"),
        anchors=anchors,
        extractor_type=report["verdict"]["extractor_type"],
        restored=report["summary"]["restored"],
        classes=relative(expected["class_predictions_with_background"], found["class_predictions_with_background"]),
        boxes=relative(expected["box_encodings"], found["box_encodings"]),
        decoded=relative(expected["decoded"], found["decoded"]),
    )


def relative(reference: np.ndarray, other: np.ndarray) -> float:
    """The largest difference in parts of the reference's largest value."""
    assert reference.shape == other.shape
    return float(np.abs(reference - other).max() / np.abs(reference).max())


def prove_keras(checkout: str, version: str, folder: Path) -> float:
    """The same for AutoML's own Keras model: the largest difference of any raw output, in parts of the largest."""
    new = folder / f"{version}_keras"
    ckptmap.convert(folder / version, to=f"automl_efficientdet_{version}", output=new)
    what = [checkout, version, str(SIZE), str(CLASSES), str(new / "ckpt-0"), str(new / "outputs.npz")]
    _run("tests.tf.automl_keras", *what)
    found = outputs.load(new / "outputs.npz")
    expected = outputs.load(folder / version / "outputs.npz")
    return max(relative(expected[name], found[name]) for name in expected if not name.startswith("decoded"))


def reference(version: str, folder: Path, anchors: AnchorChoice) -> dict[str, np.ndarray]:
    """AutoML's outputs in the order of the new model's anchors, boxes in the units of its box coder."""
    ran = outputs.load(folder / version / "outputs.npz")
    levels = range(LOWEST_LEVEL, VERSIONS[f"efficientdet_{version}"].max_level + 1)
    own = {
        "class_predictions_with_background": flat([ran[f"class_{level}"] for level in levels]),
        "box_encodings": flat([ran[f"box_{level}"] for level in levels]),
        "decoded": ran["decoded_2020" if anchors == "automl-2020" else "decoded"] / SIZE,
    }
    if anchors != "api":
        return own
    ordered = {name: ratios_first(values) for name, values in own.items()}
    return ordered | {"box_encodings": ordered["box_encodings"] * np.array([10, 10, 5, 5], np.float32)}


def detect(model: Any) -> dict[str, np.ndarray]:
    """Raw outputs and decoded boxes, normalized, of a model of the Object Detection API for the same image."""
    tensorflow = tf2()

    def run(image: Any) -> dict[str, Any]:
        found = model.predict(*model.preprocess(image))
        boxes, _ = model._batch_decode(found["box_encodings"], found["anchors"])
        raw = {name: found[name] for name in ("class_predictions_with_background", "box_encodings")}
        return raw | {"decoded": boxes}

    image = tensorflow.constant(outputs.random_image(SIZE, SIZE, seed=SEED))
    return {name: tensor.numpy() for name, tensor in tensorflow.function(run, autograph=False)(image).items()}


def rows(checkout: str, versions: Sequence[str]) -> Iterator[Figures]:
    """The figures of each version under each choice of anchors."""
    with tempfile.TemporaryDirectory() as folder:
        run_automl(checkout, versions, Path(folder))
        for version in versions:
            yield from (prove(version, Path(folder), anchors) for anchors in get_args(AnchorChoice))


def main(checkout: str, *versions: str) -> None:
    """Print the table."""
    same_kernels()
    head = "version | `--anchors` | TF2 type | variables restored | class outputs | box outputs | decoded boxes"
    sys.stdout.write(f"| {head} |\n|---|---|---|---|---|---|---|\n")
    for row in rows(checkout, versions):
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
