"""Detectors whose training goes on: the API's models and optimizers take steps in TF1, and the same steps in TF2.

One image, nothing drawn at random, and batch norms that keep their statistics: with those of each image, weights of no
training make noise a thousand times larger within ten steps, in TF1 too. Two stages crop by a product of matrices: with
``crop_and_resize`` TF1's own noise is 4e-7 of a loss in one run and 2e-4 in another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import ckptmap
from ckptmap.tf import outputs
from ckptmap.tf.environment import tf2
from ckptmap.tf.exact import register
from ckptmap.tf.load import latest_checkpoint
from ckptmap.tf.models import read_pipeline
from tests.tf.beside_tf1 import BesideTF1
from tests.tf.harness import Ran
from tests.tf.rows import ALL_SAMPLED, BATCH_NORM, EDITS, EXACT, Row
from tests.tf.tf1_going_on import NUDGES, run_tf1
from tests.tf.tf1_step import losses_of

BEFORE, AFTER = 20, 10
MOMENTUM = """momentum_optimizer {
      learning_rate { constant_learning_rate { learning_rate: 0.001 } }
      momentum_optimizer_value: 0.9
    }"""
"""What the configs of the rows have."""
SLOW = MOMENTUM.replace("0.001", "0.0001")
RMSPROP = """rms_prop_optimizer {
      learning_rate { exponential_decay_learning_rate {
        initial_learning_rate: 0.0001 decay_steps: 5 decay_factor: 0.95 } }
      momentum_optimizer_value: 0.9
      decay: 0.8
      epsilon: 0.1
    }"""
_NORM = BATCH_NORM.replace("}", "train: false }")
_FROZEN = {"freeze_batchnorm": "true", "batch_norm": _NORM, "predictor_batch_norm": _NORM}
_SMALL = {"depth_multiplier": 0.35, "override": "true"}
GOING_ON = (
    (Row("go_on_momentum", "ssd_mobilenet_v2", EXACT, {**_SMALL, **_FROZEN}), SLOW),
    (Row("go_on_rmsprop", "ssd_mobilenet_v2", EXACT, {**_SMALL, **_FROZEN, "use_moving_average": "true"}), RMSPROP),
    (Row("go_on_retinanet", "ssd_resnet50_v1_fpn", EXACT, {"layer_depth": 32, **_FROZEN}), SLOW),
    (Row("go_on_faster_rcnn", "faster_rcnn_resnet50", EDITS, {"size": 128, "matmul_crop": "true"}), SLOW),
)


@dataclass(frozen=True)
class Steps:
    """The losses of the steps behind the checkpoint, and the folder of a TF2 checkpoint of what they leave."""

    losses: np.ndarray
    folder: Path


@dataclass(frozen=True)
class Going(BesideTF1):
    """TF1's steps and what they are one rounding away, TF2's with the optimizer's state and with the weights alone."""

    report: Mapping[str, Any]
    before: np.ndarray
    start: Path
    tf1: Steps
    nudged: tuple[Steps, ...]
    carried: Steps
    alone: Steps

    def way(self, steps: Steps) -> float:
        """See ``BesideTF1``."""
        return apart(self.tf1.folder, steps.folder, self.start)


def config_with(ran: Ran, optimizer: str, path: Path) -> Path:
    """The row's config at ``path`` with this optimizer; two stages sample everything."""
    text = ran.pipeline.read_text().replace(MOMENTUM, optimizer)
    path.write_text(text.replace("second_stage_batch_size: 8", ALL_SAMPLED))
    assert optimizer in text
    return path


def go_on(ran: Ran, optimizer: str, folder: Path) -> Going:
    """Train in TF1, convert, take the last steps in TF2 twice, below ``folder``."""
    pipeline, old = config_with(ran, optimizer, folder / "old.config"), folder / "old"
    told = {name: np.array(losses) for name, losses in run_tf1(pipeline, ran.checkpoint, old, BEFORE, AFTER).items()}
    nudged = [f"nudged{number}" for number in range(NUDGES)]
    ends = {name: f"{name}-{BEFORE + AFTER}" for name in nudged}
    checkpoints = {"new": BEFORE, "end": BEFORE + AFTER, **ends}
    reports = {
        name: ckptmap.convert(f"{old}-{which}", pipeline=pipeline, output=folder / name, optimizer="found")
        for name, which in checkpoints.items()
    }
    ckptmap.convert(f"{old}-{BEFORE}", pipeline=pipeline, output=folder / "weights", ema="ignore", step=True)
    sides = _Trainer(folder / "new" / "pipeline.config", ran.row.size)
    return Going(
        reports["new"],
        told["before"],
        folder / "new",
        Steps(told["after"], folder / "end"),
        tuple(Steps(told[name], folder / name) for name in nudged),
        sides.go_on(folder / "new", folder / "carried", state=True),
        sides.go_on(folder / "weights", folder / "alone", state=False),
    )


class _Trainer:
    """The API's model in TF2, which its optimizers train."""

    def __init__(self, pipeline: Path, size: int) -> None:
        """Make the model with its variables."""
        tensorflow = tf2()
        register()
        from object_detection.builders import model_builder

        config = read_pipeline(pipeline)
        model = model_builder.build(config.model, is_training=True)
        image = outputs.random_image(size, size, seed=1)

        @tensorflow.function(autograph=False)
        def losses_and_gradients() -> tuple[Any, Any]:
            with tensorflow.GradientTape() as tape:
                losses, _ = losses_of(tensorflow, model, image)
                total = tensorflow.add_n(list(losses.values()))
            return total, tape.gradient(total, model.trainable_variables)

        self._model, self._config, self._losses_and_gradients = (
            model,
            config.train_config.optimizer,
            losses_and_gradients,
        )
        with _learning():
            losses_and_gradients()

    def go_on(self, start: Path, folder: Path, *, state: bool) -> Steps:
        """Take the steps from the checkpoint in ``start``, and save what they leave in ``folder``."""
        from object_detection.builders import optimizer_builder

        tensorflow = tf2()
        step = tensorflow.Variable(0, trainable=False, dtype=tensorflow.int64)
        optimizer, _ = optimizer_builder.build(self._config, global_step=step)
        if self._config.use_moving_average:
            optimizer.shadow_copy(self._model)
        objects = {"model": self._model, "step": step, **({"optimizer": optimizer} if state else {})}
        status = tensorflow.train.Checkpoint(**objects).restore(latest_checkpoint(start))
        losses = []
        with _learning():
            for _ in range(AFTER):
                total, gradients = self._losses_and_gradients()
                optimizer.apply_gradients(zip(gradients, self._model.trainable_variables, strict=True))
                step.assign_add(1)
                losses.append(float(total))
        status.assert_consumed()  # the optimizer makes its slots in its first step
        tensorflow.train.Checkpoint(model=self._model, step=step).save(str(folder / "ckpt"))
        return Steps(np.array(losses), folder)


@contextmanager
def _learning() -> Iterator[None]:
    """Keras' learning phase, as the API's own step sets it."""
    backend = tf2().keras.backend
    backend.set_learning_phase(True)
    try:
        yield
    finally:
        backend.set_learning_phase(False)


def apart(expected: Path, found: Path, start: Path) -> float:
    """How far the weights of two folders are apart, in the way that training has gone from a third."""
    read = [tf2().train.load_checkpoint(latest_checkpoint(folder)) for folder in (expected, found, start)]
    keys = [key for key in read[0].get_variable_to_shape_map() if key.startswith("model/") and "SLOT" not in key]
    away, gone = 0.0, 0.0
    for key in keys:
        one, other, before = (reader.get_tensor(key).astype(np.float64) for reader in read)
        away += float(((one - other) ** 2).sum())
        gone += float(((one - before) ** 2).sum())
    return (away / gone) ** 0.5
