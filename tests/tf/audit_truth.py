"""What the Object Detection API really restores: the judge of ``ckptmap audit``."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.tf.environment import import_quietly, tf1, tf2
from ckptmap.tf.models import _walk, build_model, image_size, read_pipeline
from tests.tf.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np

UNTOUCHED = 7.5
"""What every variable of a model is filled with before a restore; no saved value is that."""


@dataclass(frozen=True)
class Truth:
    """The error's type (empty: none), and the value of every variable that is not what it was, by its object path."""

    error: str
    changed: dict[str, np.ndarray]


def row(architecture: str, classes: int) -> Row:
    return Row(f"{architecture}-{classes}", architecture, fields={"num_classes": classes})


def stock_config(architecture: str, classes: int) -> str:
    """The TF2 config of the same settings with the stock Keras extractor."""
    return row(f"{architecture}_keras", classes).tf1_config()


def with_training(config: str, fields: str) -> str:
    """The config with more fields in its train_config."""
    assert config.count("train_config {") == 1
    return config.replace("train_config {", f"train_config {{ {fields}")


class Zoo:
    """Live TF2 models and checkpoints of them, each made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._models: dict[str, Any] = {}
        self._saved: dict[str, str] = {}

    def config(self, architecture: str, classes: int, kind: str = "full", version: str = "V2") -> Path:
        """A TF2 pipeline.config that asks for this type of restore."""
        path = self._folder / f"{architecture}-{classes}-{kind}-{version}.config"
        train = f'fine_tune_checkpoint_type: "{kind}" fine_tune_checkpoint_version: {version}'
        path.write_text(with_training(stock_config(architecture, classes), train), encoding="utf-8")
        return path

    def model(self, architecture: str, classes: int) -> Any:
        """The live model, its variables filled with random values when it is made."""
        name = f"{architecture}-{classes}"
        if name not in self._models:
            model = build_model(self.config(architecture, classes))
            fill(model, seed=len(self._models) + 1)
            self._models[name] = model
        return self._models[name]

    def checkpoint(self, architecture: str, classes: int, root: str) -> str:
        """The prefix of a checkpoint of the model, or of its classification backbone for root ``feature_extractor``."""
        name = f"{architecture}-{classes}-{root}"
        if name not in self._saved:
            model = self.model(architecture, classes)
            fill(model, seed=len(self._saved) + 11)
            saved = model.restore_from_objects("classification")[root] if root == "feature_extractor" else model
            checkpoint = tf2().train.Checkpoint(**{root: saved})
            self._saved[name] = checkpoint.save(str(self._folder / name / "ckpt"))
        return self._saved[name]

    def load(self, architecture: str, classes: int, path: str, kind: str, version: str = "V2") -> Truth:
        """Run the API's own ``load_fine_tune_checkpoint`` and look at what it changed."""
        model = self.model(architecture, classes)
        before = dict(variables(model))
        for variable in before.values():
            variable.assign(tf2().fill(variable.shape, tf2().cast(UNTOUCHED, variable.dtype)))
        error = _load(model, path, kind, version)
        values = {key: variable.numpy() for key, variable in before.items()}
        return Truth(error, {key: value for key, value in values.items() if (value != UNTOUCHED).all()})


def _load(model: Any, path: str, kind: str, version: str) -> str:
    library = import_quietly("object_detection.model_lib_v2")
    number = import_quietly("object_detection.protos.train_pb2").CheckpointVersion.Value(version)
    try:
        library.load_fine_tune_checkpoint(model, path, kind, number, False, None, None)
    except (AssertionError, ValueError, OSError, RuntimeError, tf2().errors.OpError) as error:
        return type(error).__name__
    return ""


def variables(model: Any) -> Iterable[tuple[str, Any]]:
    """Every variable of the model by its object path below the model."""
    checkpoint = tf2().train.Checkpoint(model=model)
    for path, value, _ in _walk(tf2().train.TrackableView, checkpoint):
        if isinstance(value, tf2().Variable) and path.startswith("model/"):
            yield path.removeprefix("model/"), value


def fill(model: Any, seed: int) -> None:
    """Random values, none of them UNTOUCHED."""
    import numpy as np

    random = np.random.default_rng(seed)
    for _, variable in variables(model):
        variable.assign(random.uniform(-1, 1, variable.shape).astype(variable.dtype.as_numpy_dtype))


def tensor(path: str, key: str) -> np.ndarray:
    """A value as TensorFlow reads it."""
    return tf2().train.load_checkpoint(path).get_tensor(key)


Wish = tuple[str, str, bool]
"""A checkpoint, fine_tune_checkpoint_type, and load_all_detection_checkpoint_vars."""


def tf1_restored(asked: Mapping[Path, Sequence[Wish]]) -> dict[Path, list[dict[str, str]]]:
    """What TF1 restores of each wish into the model of each pipeline.config.

    The name in the checkpoint by the variable's name, of every variable that is restored; ``{"": error}`` where it
    raises. Runs in one process of its own.
    """
    request = json.dumps({str(config): wishes for config, wishes in asked.items()})
    command = [sys.executable, "-W", "ignore", "-m", "tests.tf.audit_truth"]
    done = subprocess.run(command, input=request, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answers = json.loads(done.stdout.rpartition("RESULT ")[2])
    return {config: answers[str(config)] for config in asked}


def _tf1_restored(config: str, wishes: Sequence[Wish]) -> list[dict[str, str]]:
    v1 = tf1()
    pipeline = read_pipeline(config)
    with v1.Graph().as_default():
        v1.train.get_or_create_global_step()
        model = import_quietly("object_detection.builders.model_builder").build(pipeline.model, is_training=False)
        preprocessed, shapes = model.preprocess(v1.zeros([1, *image_size(pipeline), 3]))
        model.predict(preprocessed, shapes)
        return [_available(model, *wish) for wish in wishes]


def _available(model: Any, checkpoint: str, kind: str, load_all: bool) -> dict[str, str]:
    """As model_lib.py does it when it trains."""
    helper = import_quietly("object_detection.utils.variables_helper")
    try:
        wanted = model.restore_map(fine_tune_checkpoint_type=kind, load_all_detection_checkpoint_vars=load_all)
    except ValueError as error:
        return {"": type(error).__name__}
    found = helper.get_variables_available_in_checkpoint(wanted, checkpoint, include_global_step=False)
    return {variable.op.name: name for name, variable in found.items()}


if __name__ == "__main__":
    request = json.loads(sys.stdin.read())
    print("RESULT " + json.dumps({config: _tf1_restored(config, wishes) for config, wishes in request.items()}))  # noqa: T201
