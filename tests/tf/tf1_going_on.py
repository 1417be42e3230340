"""A detector's training in TF1: some steps, a checkpoint with all that training keeps, some steps more.

``python -m tests.tf.tf1_going_on PIPELINE CHECKPOINT PREFIX BEFORE AFTER`` is the TF1 process. It starts from
CHECKPOINT and writes ``PREFIX-<BEFORE>``, ``PREFIX-<BEFORE+AFTER>`` and the total losses of all steps to
``PREFIX.json``. Then it takes the last steps again, a few times, from weights that are one rounding away, and writes
``PREFIX-nudged0-<BEFORE+AFTER>`` and so on: how far they are apart is what noise becomes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.tf.tf1_step import losses_of

ROUNDING = 2.0**-23
"""Of a float32."""
NUDGES = 4


def run_tf1(pipeline: Path, checkpoint: Path, prefix: Path, before: int, after: int) -> dict[str, list[float]]:
    """Train in a TF1 process; the losses ``before`` and ``after`` the checkpoint, and those ``nudged0`` and so on."""
    command = [sys.executable, "-W", "ignore", "-m", __name__, pipeline, checkpoint, prefix, before, after]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(Path(f"{prefix}.json").read_text(encoding="utf-8"))


def main(pipeline: str, checkpoint: str, prefix: str, before: str, after: str) -> None:
    """Train in this process."""
    from ckptmap.tf import outputs
    from ckptmap.tf.environment import import_quietly, tf1
    from ckptmap.tf.models import image_size, read_pipeline
    from ckptmap.tf.tf1.weights import assign

    v1 = tf1()
    config = read_pipeline(pipeline)
    with v1.Graph().as_default(), v1.Session() as session:
        step = v1.train.get_or_create_global_step()
        model = import_quietly("object_detection.builders.model_builder").build(config.model, is_training=True)
        losses, _ = losses_of(v1, model, outputs.random_image(*image_size(config), seed=1))
        weights = v1.train.Saver(v1.global_variables())
        total = v1.add_n(list(losses.values()))  # weight decay is the model's, and not of the optimizer
        averaged, config.train_config.optimizer.use_moving_average = (
            config.train_config.optimizer.use_moving_average,
            False,  # its class is contrib's; the average is applied below, as that class does
        )
        optimizer, _ = import_quietly("object_detection.builders.optimizer_builder").build(
            config.train_config.optimizer, global_step=step
        )
        with v1.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            operation = optimizer.minimize(total, global_step=step)
        if averaged:
            decay = config.train_config.optimizer.moving_average_decay
            with v1.control_dependencies([operation]):
                operation = v1.train.ExponentialMovingAverage(decay, step).apply(v1.trainable_variables())
        session.run(v1.global_variables_initializer())
        weights.restore(session, checkpoint)
        if averaged:
            session.run([v1.assign(one, owner) for owner, one in _shadows(v1)])
        session.run(step.assign(0))
        saver = v1.train.Saver(max_to_keep=None)

        def run(steps: str) -> list[float]:
            return [float(session.run([total, operation])[0]) for _ in range(int(steps))]

        def save(name: str) -> None:
            saver.save(session, name, global_step=step, write_meta_graph=False)

        told = {"before": run(before)}
        save(prefix)
        told["after"] = run(after)
        save(prefix)
        trained = v1.trainable_variables()
        for number in range(NUDGES):
            saver.restore(session, f"{prefix}-{before}")
            signs = np.random.default_rng(number)
            values = [one * (1 + signs.choice([-1, 1], one.shape) * ROUNDING) for one in session.run(trained)]
            assign(session, dict(zip(trained, values, strict=True)))
            told[f"nudged{number}"] = run(after)
            save(f"{prefix}-nudged{number}")
    Path(f"{prefix}.json").write_text(json.dumps(told), encoding="utf-8")


def _shadows(v1):
    named = {one.op.name: one for one in v1.global_variables()}
    ending = "/ExponentialMovingAverage"
    return [(named[name.removesuffix(ending)], one) for name, one in named.items() if name.endswith(ending)]


if __name__ == "__main__":
    main(*sys.argv[1:])
