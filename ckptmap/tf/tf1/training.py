"""Checkpoints as TF1 training leaves them: optimizer slots, moving averages, global_step, a state file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.tf.environment import import_quietly
from ckptmap.tf.tf1.weights import assign

if TYPE_CHECKING:
    from pathlib import Path

    Array = np.ndarray[Any, Any]

SHADOW = "/ExponentialMovingAverage"


def train_and_save(
    tf1: Any, pipeline: Any, values: dict[str, Array], image: Array, prefix: Path, *, steps: int, seed: int
) -> str:
    """Train the TF1 model from ``values`` for a few steps with the config's own optimizer and save everything.

    ``values`` holds the model's variables by name, ``image`` is [1, height, width, 3] in 0 to 255. The optimizer's
    slots are TensorFlow's (RMSProp and RMSProp_1, Momentum, Adam), as are the ``ExponentialMovingAverage`` shadows
    when ``use_moving_average`` is set. The shadows are then scattered by a hundredth, so that they can be told from
    the weights after few steps. Returns the prefix of the checkpoint, ``<prefix>-<global_step>``.
    """
    with tf1.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(seed)
        step = tf1.train.get_or_create_global_step()
        train = _train_operation(tf1, pipeline, image, step)
        session.run(tf1.global_variables_initializer())
        _start_from(tf1, session, values)
        for _ in range(steps):
            session.run(train)
        _scatter_shadows(tf1, session, seed)
        saver = tf1.train.Saver(save_relative_paths=True)
        return str(saver.save(session, str(prefix), global_step=step, write_meta_graph=False))


def _train_operation(tf1: Any, pipeline: Any, image: Array, step: Any) -> Any:
    """One step: loss with regularization, gradients, batch-norm updates, moving averages, global_step + 1."""
    optimizers = import_quietly("object_detection.builders.optimizer_builder")
    config = type(pipeline.train_config.optimizer)()
    config.CopyFrom(pipeline.train_config.optimizer)
    config.use_moving_average = False  # its class is contrib's; the average is applied below, as that class does
    optimizer, _ = optimizers.build(config, global_step=step)
    minimize = optimizer.minimize(_loss(tf1, pipeline, image), global_step=step)
    with tf1.control_dependencies([minimize, *tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)]):
        if not pipeline.train_config.optimizer.use_moving_average:
            return tf1.no_op()
        decay = pipeline.train_config.optimizer.moving_average_decay
        return tf1.train.ExponentialMovingAverage(decay).apply(tf1.trainable_variables())


def _loss(tf1: Any, pipeline: Any, image: Array) -> Any:
    """The model's own losses for one image with one object in it."""
    builder = import_quietly("object_detection.builders.model_builder")
    model = builder.build(pipeline.model, is_training=True)
    one_hot = np.eye(model.num_classes, dtype=np.float32)[:1]
    model.provide_groundtruth(
        groundtruth_boxes_list=[tf1.constant([[0.1, 0.1, 0.6, 0.6]], tf1.float32)],
        groundtruth_classes_list=[tf1.constant(one_hot)],
    )
    preprocessed, shapes = model.preprocess(tf1.constant(image))
    losses = model.loss(model.predict(preprocessed, shapes), shapes)
    return tf1.add_n([*losses.values(), *model.regularization_losses()])


def _start_from(tf1: Any, session: Any, values: dict[str, Array]) -> None:
    """Give the weights and their shadows their values; the slots stay as the optimizer initializes them."""
    starts = {variable: values.get(variable.op.name.removesuffix(SHADOW)) for variable in tf1.global_variables()}
    assign(session, {variable: value for variable, value in starts.items() if value is not None})


def _scatter_shadows(tf1: Any, session: Any, seed: int) -> None:
    generator = np.random.default_rng(seed)
    shadows = [variable for variable in tf1.global_variables() if variable.op.name.endswith(SHADOW)]
    noise = [generator.normal(1, 1e-2, variable.shape.as_list()).astype(np.float32) for variable in shadows]
    values = session.run(shadows)
    assign(session, {shadows[i]: values[i] * noise[i] for i in range(len(shadows))})
