"""Audit's predictions against the real API: what it says a restore does is what the restore does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ckptmap.audit import Audit, Thresholds, audit
from ckptmap.audit.prediction import ModelFate
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.families.detection.pipeline.config import read_config
from ckptmap.families.detection.pipeline.settings import settings
from ckptmap.targets import list_targets
from ckptmap.tf.tf1.graph import Run, run_tf1
from tests.convert.conftest import write_tf1
from tests.tf.audit_truth import Zoo, row, tensor, tf1_restored, with_training

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

pytest.importorskip("tensorflow", reason="needs the [tf] extra")

ARCHITECTURES = SSD, RETINANET, RCNN = "ssd_mobilenet_v2", "ssd_resnet50_v1_fpn", "faster_rcnn_resnet50"
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
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_tf2_restores_what_audit_says(zoo: Zoo, architecture: str, kind: str, source: str) -> None:
    check(zoo, architecture, zoo.checkpoint(architecture, *SOURCES[source]), kind)


@pytest.mark.parametrize("kind", TYPES)
def test_a_checkpoint_of_another_architecture(zoo: Zoo, kind: str) -> None:
    for into, of in ((SSD, RETINANET), (RCNN, SSD)):
        assert check(zoo, into, zoo.checkpoint(of, 7, "model"), kind).prediction.error


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_types_that_are_none(zoo: Zoo, architecture: str) -> None:
    path = zoo.checkpoint(architecture, 7, "model")
    assert check(zoo, architecture, path, "fulll").prediction.hint == "did you mean full?"
    check(zoo, architecture, path, "fine_tune")


def test_version_v1_and_a_checkpoint_of_names(zoo: Zoo) -> None:
    path = zoo.checkpoint(SSD, 7, "model")
    assert check(zoo, SSD, path, "full", "V1").prediction.error == "ValueError: Checkpoint version should be V2"
    assert check(zoo, SSD, str(FIXTURE), "full").prediction.error.startswith("IOError: Checkpoint is expected")
    assert check(zoo, SSD, str(FIXTURE), "full", "V1").prediction.error.startswith("IOError: Checkpoint is expected")


TF1_WISHES = (("detection", False), ("detection", True), ("classification", False), ("full", False))


@dataclass(frozen=True)
class Graph:
    """A TF1 model: its config, and checkpoints of it with 7 classes, with 3, and of its classification network."""

    config: Path
    same: str
    other: str
    backbone: str

    @property
    def checkpoints(self) -> tuple[str, ...]:
        return (self.same, self.other, self.backbone, str(FIXTURE))


def save_graphs(architectures: Iterable[str], folder: Path, scope: str) -> dict[str, Graph]:
    places = {(name, classes): folder / f"{name}-{classes}" for name in architectures for classes in (7, 3)}
    runs = []
    for (name, classes), place in places.items():
        place.with_suffix(".config").write_text(row(name, classes).tf1_config(), encoding="utf-8")
        runs.append(Run(pipeline=str(place.with_suffix(".config")), save=str(place / "model.ckpt")))
    run_tf1(runs)
    return {name: _graph(places[name, 7], places[name, 3], scope) for name in architectures}


def _graph(same: Path, other: Path, scope: str) -> Graph:
    backbone = same.with_name(f"{same.name}-backbone") / "model.ckpt"
    with open_checkpoint(same / "model.ckpt") as checkpoint:
        names = [name for name in checkpoint.inventory.variables if name.startswith(scope)]
        write_tf1(backbone, {name.removeprefix(scope): checkpoint.read(name) for name in names})
    return Graph(same.with_suffix(".config"), f"{same}/model.ckpt", f"{other}/model.ckpt", str(backbone))


def asking(graph: Graph, folder: Path, kind: str, load_all: bool) -> Path:
    """The graph's config with this wish in its train_config."""
    train = f'fine_tune_checkpoint_type: "{kind}" load_all_detection_checkpoint_vars: {str(load_all).lower()}'
    config = folder / f"{kind}-{load_all}-{graph.config.name}"
    config.write_text(with_training(graph.config.read_text(encoding="utf-8"), train), encoding="utf-8")
    return config


@dataclass(frozen=True)
class Tf1:
    """What TF1 restores, wish by wish, of each architecture."""

    graphs: dict[str, Graph]
    truths: dict[str, list[dict[str, str]]]

    def wishes(self, architecture: str) -> list[tuple[str, str, bool]]:
        paths = self.graphs[architecture].checkpoints
        return [(path, kind, load_all) for kind, load_all in TF1_WISHES for path in paths]


TF1_MODELS = {SSD: (300, 324), "ssd_mobilenet_v1": (175, 199)}
"""Variables of the feature extractor, and of the whole model."""


def ask_tf1(folder: Path) -> Tf1:
    graphs = save_graphs(TF1_MODELS, folder, "FeatureExtractor/")
    asked = Tf1(graphs, {})
    answers = tf1_restored({graph.config: asked.wishes(name) for name, graph in graphs.items()})
    return Tf1(graphs, {name: answers[graph.config] for name, graph in graphs.items()})


@pytest.fixture(scope="module")
def asked_tf1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[Tf1]]:
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool.submit(ask_tf1, tmp_path_factory.mktemp("tf1"))


@pytest.fixture(scope="module", autouse=True)
def beside(request: pytest.FixtureRequest) -> None:
    """TF1 answers while TF2 is asked."""
    if any("asked_tf1" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("asked_tf1")


@pytest.fixture(scope="module")
def tf1_truth(asked_tf1: Future[Tf1]) -> Tf1:
    return asked_tf1.result()


@pytest.mark.parametrize("architecture", TF1_MODELS)
def test_tf1_restores_what_audit_says(tf1_truth: Tf1, architecture: str, tmp_path: Path) -> None:
    backbone, variables = TF1_MODELS[architecture]
    graph, truths, counts = tf1_truth.graphs[architecture], tf1_truth.truths[architecture], []
    for (path, kind, load_all), truth in zip(tf1_truth.wishes(architecture), truths, strict=True):
        found = audit(path, pipeline=asking(graph, tmp_path, kind, load_all), thresholds=ANYTHING)
        if found.prediction.error:
            assert truth == {"": found.prediction.error.partition(":")[0]}
        else:
            assert restored(found) == truth, (kind, load_all, path)
        counts.append(len(truth))
    boxes = 6  # the biases of the box heads: as long in the narrow model of the fixture
    assert counts == [
        *(backbone, backbone, 0, 0),  # detection, of: the same, 3 classes, the classification network, the fixture
        *(variables, variables - 12, 0, boxes),  # … with load_all_detection_checkpoint_vars
        *(0, 0, backbone, 0),  # classification
        *(1, 1, 1, 1),  # full: an error
    ]
