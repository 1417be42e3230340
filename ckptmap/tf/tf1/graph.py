"""TF1 graph-mode detection models: made, trained a little, saved by the TF1 Saver, restored, and run on an image.

TF1 and TF2 cannot share a process, so ``run_tf1`` starts one: ``python -m ckptmap.tf.tf1.graph REQUEST.json``,
where the request is ``{"runs": [{"pipeline": …, …}]}`` with the fields of ``Run``. TensorFlow's import takes 5 to 10 s:
put many runs into one request.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CheckpointError
from ckptmap.tf import outputs
from ckptmap.tf.environment import TensorFlowError, import_quietly, tf1
from ckptmap.tf.models import image_size, read_pipeline, side_inputs
from ckptmap.tf.tf1.training import train_and_save
from ckptmap.tf.tf1.weights import calibrate, randomize

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    Array = np.ndarray[Any, Any]

AVERAGE_DECAY = 0.9999  # only the names of the shadows matter for restoring them


@dataclass(frozen=True, slots=True)
class Run:
    """One TF1 model and what to do with it. Paths are files; an empty one means: not wanted.

    ``restore``: prefix of a TF1 checkpoint; without it the weights are random, from ``seed``.
    ``moving_averages``: restore the ExponentialMovingAverage shadows in place of the weights.
    ``save``: prefix to save to, as exported models are (weights and global_step). With ``train_steps`` the checkpoint
    is a training one (``<save>-<steps>``, with slots and, if the config says so, shadows), and the outputs are those of
    the trained weights. ``v1_format`` saves the old single-file format instead of a bundle.
    ``image``: an ``.npy`` of [1, height, width, 3], 0 to 255; without it a random image in the model's own size.
    ``outputs``: ``.npz`` to write raw outputs and detections to (see ``ckptmap.tf.outputs``).
    """

    pipeline: str
    seed: int = 0
    restore: str = ""
    moving_averages: bool = False
    save: str = ""
    train_steps: int = 0
    v1_format: bool = False
    image: str = ""
    outputs: str = ""


def run_tf1(runs: Iterable[Run]) -> None:
    """Execute runs, in order, in one TF1 process of their own. Raises TensorFlowError with its message on failure."""
    with tempfile.TemporaryDirectory() as directory:
        request = Path(directory) / "request.json"
        request.write_text(json.dumps({"runs": [asdict(run) for run in runs]}), encoding="utf-8")
        command = [sys.executable, "-W", "ignore", "-m", "ckptmap.tf.tf1.graph", str(request)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise TensorFlowError(f"the TF1 process failed:\n{done.stderr[-4000:]}")


def execute(run: Run) -> None:
    """Do one run. This process must be a TF1 process."""
    v1 = tf1()
    pipeline = read_pipeline(run.pipeline)
    image = _image(run, pipeline)
    with v1.Graph().as_default(), v1.Session() as session:
        placeholder = v1.placeholder(v1.float32, image.shape, name="image")
        v1.train.get_or_create_global_step()
        fetches = build(v1, pipeline, placeholder, run.seed)
        feed = {placeholder: image}
        if run.restore:
            restore(v1, session, run.restore, moving_averages=run.moving_averages)
        else:
            randomize(v1, session, run.seed)
            calibrate(v1, session, feed, run.seed)
        if run.save:
            saved = _save(v1, session, run, pipeline, image)
            if run.train_steps:
                restore(v1, session, saved, moving_averages=run.moving_averages)
        if run.outputs:
            outputs.save(run.outputs, session.run(fetches, feed))


def build(v1: Any, pipeline: Any, image: Any, seed: int, *, decoded: bool = False) -> dict[str, Any]:
    """The inference graph; tensors of the outputs, with ``decoded`` those that exported models give of them too."""
    model = import_quietly("object_detection.builders.model_builder").build(pipeline.model, is_training=False)
    preprocessed, shapes = model.preprocess(image)
    context = outputs.random_values(side_inputs(pipeline), seed)
    predictions = model.predict(preprocessed, shapes, **{name: v1.constant(value) for name, value in context.items()})
    return outputs.collect(predictions, model.postprocess(predictions, shapes), decoded=decoded)


def restore(v1: Any, session: Any, prefix: str, *, moving_averages: bool = False) -> None:
    """Restore a TF1 checkpoint into the default graph; with ``moving_averages`` the shadows in place of the weights.

    Raises CheckpointError when the checkpoint is not one of this graph.
    """
    variables: Any = v1.global_variables()
    if moving_averages:
        variables = v1.train.ExponentialMovingAverage(AVERAGE_DECAY).variables_to_restore(v1.trainable_variables())
        variables |= {variable.op.name: variable for variable in _untrained(v1)}
    try:
        v1.train.Saver(variables).restore(session, prefix)
    except (v1.errors.OpError, ValueError) as error:
        raise CheckpointError(f"the TF1 graph cannot be restored: {error}", where=prefix) from error


def _untrained(v1: Any) -> list[Any]:
    trained = {variable.op.name for variable in v1.trainable_variables()}
    return [variable for variable in v1.global_variables() if variable.op.name not in trained]


def _save(v1: Any, session: Any, run: Run, pipeline: Any, image: Array) -> str:
    """Save the weights, or train from them and save that; the checkpoint's prefix."""
    Path(run.save).parent.mkdir(parents=True, exist_ok=True)
    if run.train_steps:
        values = session.run({variable.op.name: variable for variable in v1.global_variables()})
        return train_and_save(v1, pipeline, values, image, Path(run.save), steps=run.train_steps, seed=run.seed)
    definition = import_quietly("tensorflow.core.protobuf.saver_pb2").SaverDef
    version = definition.V1 if run.v1_format else definition.V2
    saver = v1.train.Saver(write_version=version, save_relative_paths=True)
    return str(saver.save(session, run.save, write_meta_graph=False))


def _image(run: Run, pipeline: Any) -> Array:
    import numpy as np

    if run.image:
        return np.load(run.image).astype(np.float32)
    return outputs.random_image(*image_size(pipeline), seed=run.seed)


def main(request: str) -> None:
    """Read a request file and execute its runs."""
    for run in json.loads(Path(request).read_text(encoding="utf-8"))["runs"]:
        execute(Run(**run))


if __name__ == "__main__":
    main(sys.argv[1])
