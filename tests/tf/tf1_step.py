"""One training step of a TF1 graph: losses, and a checkpoint that holds gradients in place of the trained variables.

``python -m tests.tf.tf1_step PIPELINE CHECKPOINT PREFIX`` is the TF1 process. It restores CHECKPOINT and writes
``PREFIX.json`` (losses by name and the sum of the regularization terms) and the checkpoint PREFIX: gradients under
the names of the trained variables, and what the step made of the moving statistics.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

BOX, CLASS = (0.1, 0.1, 0.6, 0.6), 1
"""The one object of the image."""


def run_tf1_step(pipeline: Path, checkpoint: Path, prefix: Path) -> dict[str, float]:
    """Take the step in a TF1 process; the losses."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.tf.tf1_step", pipeline, checkpoint, prefix]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(Path(f"{prefix}.json").read_text(encoding="utf-8"))


def losses_of(tensorflow: Any, model: Any, image: np.ndarray) -> tuple[dict[str, Any], list[Any]]:
    """The model's losses for an image with one object, and its regularization terms; TF1 and TF2 alike."""
    model.provide_groundtruth(
        groundtruth_boxes_list=[tensorflow.constant([BOX], tensorflow.float32)],
        groundtruth_classes_list=[tensorflow.constant(np.eye(model.num_classes, dtype=np.float32)[[CLASS]])],
    )
    preprocessed, shapes = model.preprocess(tensorflow.constant(image))
    return model.loss(model.predict(preprocessed, shapes), shapes), model.regularization_losses()


def main(pipeline: str, checkpoint: str, prefix: str) -> None:
    """Take the step in this process."""
    from ckptmap.tf import outputs
    from ckptmap.tf.environment import import_quietly, tf1
    from ckptmap.tf.models import image_size, read_pipeline
    from ckptmap.tf.tf1.weights import assign

    v1 = tf1()
    config = read_pipeline(pipeline)
    with v1.Graph().as_default(), v1.Session() as session:
        v1.train.get_or_create_global_step()
        model = import_quietly("object_detection.builders.model_builder").build(config.model, is_training=True)
        losses, terms = losses_of(v1, model, outputs.random_image(*image_size(config), seed=1))
        trained = v1.trainable_variables()
        gradients = v1.gradients(v1.add_n([*losses.values(), *terms]), trained)
        saver = v1.train.Saver()
        saver.restore(session, checkpoint)
        found, values, sums = session.run([losses, gradients, v1.add_n(terms) if terms else v1.constant(0.0)])
        session.run(v1.get_collection(v1.GraphKeys.UPDATE_OPS))
        assign(session, dict(zip(trained, values, strict=True)))
        saver.save(session, prefix, write_meta_graph=False)
    told = {name: float(value) for name, value in found.items()}
    Path(f"{prefix}.json").write_text(json.dumps({**told, "regularization": float(sums)}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
