"""Audit's predictions against the real API: what it says a restore does is what the restore does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ckptmap.audit import Audit, Thresholds, audit
from ckptmap.audit.model import ModelFate
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.pipeline.config import read_config
from ckptmap.pipeline.settings import settings
from ckptmap.targets import list_targets
from ckptmap.tf.tf1_graph import Run, run_tf1
from tests.convert.conftest import write_tf1
from tests.tf.audit_truth import TEMPLATES, Zoo, row, tensor, tf1_restored, with_training

if TYPE_CHECKING:
    from collections.abc import Iterable

pytest.importorskip("tensorflow")

SSD, RETINANET, RCNN = TEMPLATES
FIXTURE = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny" / "model.ckpt"
ANYTHING = Thresholds(fail_on=())
TYPES = ("full", "detection", "classification")
SOURCES = {
    "same": (7, "model"),
    "other classes": (3, "model"),
    "backbone": (7, "feature_extractor"),
    "wrong root": (7, "detector"),
}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    return Zoo(tmp_path_factory.mktemp("zoo"))


def predicted(zoo: Zoo, architecture: str, path: str, kind: str, version: str = "V2") -> Audit:
    """By the shipped spec where there is one, else by a checkpoint of the model."""
    config = zoo.config(architecture, 7, kind, version)
    known = settings(read_config(config)).target in list_targets()
    like = None if known else zoo.checkpoint(architecture, 7, "model")
    return audit(path, pipeline=config, like=like, thresholds=ANYTHING)


def restored(found: Audit) -> dict[str, str]:
    entries = found.prediction.entries
    return {entry.variable.key: entry.source for entry in entries if entry.fate is ModelFate.RESTORED}


def check(zoo: Zoo, architecture: str, path: str, kind: str, version: str = "V2") -> Audit:
    """The same error, and the same variables with the values of the same variables of the checkpoint."""
    found = predicted(zoo, architecture, path, kind, version)
    truth = zoo.load(architecture, 7, path, kind, version)
    assert found.prediction.error.partition(":")[0].replace("IOError", "OSError") == truth.error
    if truth.error in ("", "AssertionError"):
        sources = restored(found)
        assert sources.keys() == truth.changed.keys()
        for key, source in sources.items():
            assert (tensor(path, source) == truth.changed[key]).all(), (key, source)
    return found


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("architecture", TEMPLATES)
def test_tf2_restores_what_audit_says(zoo: Zoo, architecture: str, kind: str, source: str) -> None:
    check(zoo, architecture, zoo.checkpoint(architecture, *SOURCES[source]), kind)


@pytest.mark.parametrize("kind", TYPES)
def test_a_checkpoint_of_another_architecture(zoo: Zoo, kind: str) -> None:
    for into, of in ((SSD, RETINANET), (RCNN, SSD)):
        assert check(zoo, into, zoo.checkpoint(of, 7, "model"), kind).prediction.error


@pytest.mark.parametrize("architecture", TEMPLATES)
def test_types_that_are_none(zoo: Zoo, architecture: str) -> None:
    path = zoo.checkpoint(architecture, 7, "model")
    assert check(zoo, architecture, path, "fulll").prediction.hint == "did you mean full?"
    check(zoo, architecture, path, "fine_tune")


def test_version_v1_and_a_checkpoint_of_names(zoo: Zoo) -> None:
    path = zoo.checkpoint(SSD, 7, "model")
    assert check(zoo, SSD, path, "full", "V1").prediction.error == "ValueError: Checkpoint version should be V2"
    assert check(zoo, SSD, str(FIXTURE), "full").prediction.error.startswith("IOError: Checkpoint is expected")
    assert check(zoo, SSD, str(FIXTURE), "full", "V1").prediction.error.startswith("IOError: Checkpoint is expected")


def tf1_requests(folder: Path, checkpoints: Iterable[str]) -> list[tuple[Path, str, str, bool]]:
    """SSD MobileNet V2 with 7 classes, every checkpoint restored in every way."""
    requests = []
    for kind, load_all in (("detection", False), ("detection", True), ("classification", False), ("full", False)):
        config = folder / f"{kind}-{load_all}.config"
        train = f'fine_tune_checkpoint_type: "{kind}" load_all_detection_checkpoint_vars: {str(load_all).lower()}'
        config.write_text(with_training(row(SSD, 7).tf1_config(), train), encoding="utf-8")
        requests += [(config, checkpoint, kind, load_all) for checkpoint in checkpoints]
    return requests


def test_tf1_restores_what_audit_says(tmp_path: Path) -> None:
    runs = []
    for classes in (7, 3):
        config = tmp_path / f"{classes}.config"
        config.write_text(row(SSD, classes).tf1_config(), encoding="utf-8")
        runs.append(Run(pipeline=str(config), save=str(tmp_path / f"{classes}" / "model.ckpt")))
    run_tf1(runs)
    backbone = tmp_path / "backbone" / "model.ckpt"
    with open_checkpoint(runs[0].save) as checkpoint:
        scope = "FeatureExtractor/"
        names = [name for name in checkpoint.inventory.variables if name.startswith(f"{scope}MobilenetV2/expanded")]
        write_tf1(backbone, {name.removeprefix(scope): checkpoint.read(name) for name in names})
    requests = tf1_requests(tmp_path, [runs[0].save, runs[1].save, str(backbone), str(FIXTURE)])
    counts = []
    for (config, path, kind, load_all), truth in zip(requests, tf1_restored(requests), strict=True):
        found = audit(path, pipeline=config, thresholds=ANYTHING)
        if found.prediction.error:
            assert truth == {"": found.prediction.error.partition(":")[0]}
        else:
            assert restored(found) == truth, (kind, load_all, path)
        counts.append((kind, load_all, len(truth)))
    assert counts == [
        ("detection", False, 300),
        ("detection", False, 300),
        ("detection", False, 0),
        ("detection", False, 0),
        ("detection", True, 324),
        ("detection", True, 312),
        ("detection", True, 0),
        ("detection", True, 0),
        ("classification", False, 0),
        ("classification", False, 0),
        ("classification", False, len(names)),
        ("classification", False, 0),
        ("full", False, 1),
        ("full", False, 1),
        ("full", False, 1),
        ("full", False, 1),
    ]
