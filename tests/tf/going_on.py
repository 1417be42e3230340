"""A training that goes on: real TF1 graphs train and are saved, TF1 trains on, and so does TF2 from what was converted.

Batches are fixed and nothing is random, so that both sides differ by the order of their sums alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import ckptmap
from ckptmap.tf.classifiers import keras_of
from ckptmap.tf.environment import import_quietly, tf2

LAYOUTS = ("legacy", "keras 2.11", "keras 3")
INPUTS, HIDDEN, OUTPUTS, BATCH, TIMES = 6, 5, 2, 8, 4
RATE = 0.02
BEFORE, AFTER = 100, 50
LATE = 20_000
"""A step at which Adam's bias correction is 1 in float32."""


@dataclass(frozen=True)
class Training:
    """An optimizer of both sides: ``tf1`` makes the operation of a step from loss and step, ``tf2`` the optimizer.

    ``tf2`` takes the optimizers of a layout; ``choices`` are what the conversion is told.
    """

    name: str
    tf1: Callable[[Any, Any, Any], Any]
    tf2: Callable[[Any], Any]
    choices: dict[str, Any] = field(default_factory=dict)
    recurrent: bool = False
    start: int = 0
    layouts: tuple[str, ...] = LAYOUTS

    def __str__(self) -> str:
        return self.name


def _plain(make: Callable[[Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """An optimizer of ``tf.compat.v1.train``."""
    return lambda v1, loss, step: make(v1.train).minimize(loss, step)


def _with_moments(name: str, rate: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """An optimizer that keeps ``<weight>/<name>_m`` and ``_v``: Adam's update without bias correction.

    ``rate`` gives the learning rate from TensorFlow, a weight and its update.
    """

    def made(v1: Any, loss: Any, step: Any) -> Any:
        updates = [step.assign_add(1)]
        weights = v1.trainable_variables()
        for gradient, weight in zip(v1.gradients(loss, weights), weights, strict=True):
            first, second = (
                v1.get_variable(
                    f"{weight.op.name}/{name}_{of}", weight.shape, initializer=v1.zeros_initializer(), trainable=False
                )
                for of in "mv"
            )
            next_first = 0.9 * first + 0.1 * gradient
            next_second = 0.999 * second + 0.001 * v1.square(gradient)
            update = next_first / (v1.sqrt(next_second) + 1e-6)
            if name == "adam" and "bias" not in weight.op.name:
                update += 0.01 * weight
            trained = weight.assign(weight - rate(v1, weight, update) * update)
            updates += [trained, first.assign(next_first), second.assign(next_second)]
        return v1.group(*updates)

    return made


_adam_weight_decay = _with_moments("adam", lambda *_: 0.003)
"""BERT's optimizer, which decays kernels by the learning rate (optimization.py)."""
_lamb = _with_moments("lamb", lambda v1, weight, update: 0.01 * v1.norm(weight) / v1.norm(update))
"""The update of ALBERT's lamb_optimizer.py, of weights that are not 0, with the slots' names of other copies of it."""


def _lamb_of(optimizers: Any) -> Any:
    if hasattr(optimizers, "Lamb"):
        return optimizers.Lamb(0.01, epsilon=1e-6)
    return import_quietly("official.modeling.optimization.lamb").LAMB(0.01, epsilon=1e-6)


def _adamw(optimizers: Any) -> Any:
    if not hasattr(optimizers, "AdamW"):  # tf_keras has no legacy one; that of the Model Garden is
        legacy = import_quietly("official.modeling.optimization.legacy_adamw")
        return legacy.AdamWeightDecay(
            0.003, weight_decay_rate=0.01, epsilon=1e-6, exclude_from_weight_decay=["bias"], gradient_clip_norm=0.0
        )
    made = optimizers.AdamW(0.003, weight_decay=0.01, epsilon=1e-6)
    made.exclude_from_weight_decay(var_names=["bias"])
    return made


_RMS = {"epsilon": 1e-3, "momentum": 0.9}
_FTRL = {"l1_regularization_strength": 1e-3, "l2_regularization_strength": 1e-2}
TRAININGS = (
    Training(
        "momentum",
        _plain(lambda t: t.MomentumOptimizer(RATE, 0.9)),
        lambda o: o.SGD(RATE, momentum=0.9),
        {"learning_rate": RATE},
    ),
    Training(
        "nesterov",
        _plain(lambda t: t.MomentumOptimizer(RATE, 0.9, use_nesterov=True)),
        lambda o: o.SGD(RATE, momentum=0.9, nesterov=True),
        {"learning_rate": RATE},
    ),
    Training("adam", _plain(lambda t: t.AdamOptimizer(0.01)), lambda o: o.Adam(0.01, epsilon=1e-8)),
    Training("adagrad", _plain(lambda t: t.AdagradOptimizer(0.1)), lambda o: o.Adagrad(0.1, epsilon=0.0)),
    Training("ftrl", _plain(lambda t: t.FtrlOptimizer(0.1, **_FTRL)), lambda o: o.Ftrl(0.1, **_FTRL)),
    Training(
        "rmsprop",
        _plain(lambda t: t.RMSPropOptimizer(0.003, 0.9, **_RMS)),
        lambda o: o.RMSprop(0.003, rho=0.9, **_RMS),
    ),
    Training(
        "centered_rmsprop",
        _plain(lambda t: t.RMSPropOptimizer(0.003, 0.9, **_RMS, centered=True)),
        lambda o: o.RMSprop(0.003, rho=0.9, **_RMS, centered=True),
    ),
    Training(
        "adadelta",
        _plain(lambda t: t.AdadeltaOptimizer(1.0, 0.95, 1e-6)),
        lambda o: o.Adadelta(1.0, rho=0.95, epsilon=1e-6),
    ),
    Training(
        "lstm_with_adam",
        _plain(lambda t: t.AdamOptimizer(0.01)),
        lambda o: o.Adam(0.01, epsilon=1e-8),
        recurrent=True,
    ),
    Training("adam_weight_decay", _adam_weight_decay, _adamw, {"optimizer": "adamw"}, start=LATE),
    Training("lamb", _lamb, _lamb_of, {"optimizer": "lamb"}, start=LATE, layouts=("legacy", "keras 3")),
)

TABLE = """\
include: [{table: kinds/rnn}]
kinds:
  dense: {kernel: kernel, bias: bias}
layers:
  - {from: rnn/basic_lstm_cell, to: lstm/lstm_cell, as: lstm_cell}
  - {from: dense_2, to: dense_2, as: dense}
"""
"""Of the recurrent model; the plain one has the same names on both sides."""


@dataclass(frozen=True)
class Trained:
    """Losses of the steps after the checkpoint, and the trainable weights behind the last by their leaf names."""

    losses: np.ndarray
    weights: list[np.ndarray]
    before: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """Losses of the steps before the checkpoint."""

    def differs(self, other: Trained) -> float:
        """The largest difference of losses and weights, in the largest value of each."""
        pairs = zip((self.losses, *self.weights), (other.losses, *other.weights), strict=True)
        return max(float(np.abs(one - two).max() / np.abs(two).max()) for one, two in pairs)


def batches(*, recurrent: bool) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of every step."""
    generator = np.random.default_rng(0)
    shape = (BEFORE + AFTER, BATCH, TIMES, INPUTS) if recurrent else (BEFORE + AFTER, BATCH, INPUTS)
    inputs = generator.normal(size=shape).astype(np.float32)
    seen = inputs.sum(axis=2) if recurrent else inputs
    return inputs, (seen @ generator.normal(size=(INPUTS, OUTPUTS))).astype(np.float32)


def train_tf1(training: Training, prefix: Path, before: int = BEFORE, after: int = AFTER) -> Trained:
    """Train a TF1 graph, save it at ``prefix``, and train on."""
    v1 = tf2().compat.v1
    inputs, targets = batches(recurrent=training.recurrent)
    with v1.Graph().as_default(), v1.Session() as session:
        seen = v1.placeholder(v1.float32, (None, *inputs.shape[2:]))
        wanted = v1.placeholder(v1.float32, (None, OUTPUTS))
        hidden = _lstm(v1, seen) if training.recurrent else v1.tanh(_dense(v1, seen, "dense_1", INPUTS, HIDDEN))
        loss = v1.reduce_mean(v1.square(_dense(v1, hidden, "dense_2", HIDDEN, OUTPUTS) - wanted))
        step = v1.train.get_or_create_global_step()
        operation = training.tf1(v1, loss, step)
        session.run(v1.global_variables_initializer())
        session.run(step.assign(training.start))
        generator = np.random.default_rng(1)
        for variable in v1.trainable_variables():
            variable.load(generator.normal(0, 0.4, variable.shape.as_list()), session)

        def run(first: int, last: int) -> np.ndarray:
            feeds = [{seen: inputs[at], wanted: targets[at]} for at in range(first, last)]
            return np.array([session.run([loss, operation], feed)[0] for feed in feeds])

        earlier = run(0, before)
        v1.train.Saver().save(session, str(prefix), write_meta_graph=False)
        losses = run(before, before + after)
        last = _ordered(v1.trainable_variables(), lambda one: one.op.name)
        return Trained(losses, session.run(last), earlier)


def _dense(v1: Any, values: Any, name: str, inputs: int, units: int) -> Any:
    with v1.variable_scope(name):
        return values @ v1.get_variable("kernel", (inputs, units)) + v1.get_variable("bias", (units,))


def _lstm(v1: Any, values: Any) -> Any:
    cells = import_quietly("tensorflow.python.keras.layers.legacy_rnn.rnn_cell_impl")
    loop = import_quietly("tensorflow.python.ops.rnn")
    return loop.dynamic_rnn(cells.BasicLSTMCell(HIDDEN), values, dtype=v1.float32)[0][:, -1]


def _ordered(variables: list[Any], name: Callable[[Any], str]) -> list[Any]:
    """The weights of the last layer, which both sides have alike, its bias first."""
    return sorted((one for one in variables if "dense_2" in name(one)), key=lambda one: "kernel" in name(one))


def _model(layout: str, *, recurrent: bool) -> Any:
    keras = keras_of(3 if layout == "keras 3" else 2)
    keras.backend.clear_session()
    first = (
        keras.layers.LSTM(HIDDEN, name="lstm")
        if recurrent
        else keras.layers.Dense(HIDDEN, activation="tanh", name="dense_1")
    )
    inputs = keras.Input((TIMES, INPUTS) if recurrent else (INPUTS,))
    return keras.Model(inputs, keras.layers.Dense(OUTPUTS, name="dense_2")(first(inputs)))


def optimizers_of(layout: str) -> Any:
    """Where the optimizers of a layout are."""
    found = keras_of(3 if layout == "keras 3" else 2).optimizers
    return found.legacy if layout == "legacy" else found


def built(training: Training, layout: str) -> tuple[Any, Any]:
    """A model and its optimizer, which has its slots."""
    model, optimizer = _model(layout, recurrent=training.recurrent), training.tf2(optimizers_of(layout))
    make = optimizer.build if hasattr(optimizer, "build") else optimizer._create_all_weights
    make(model.trainable_variables)
    return model, optimizer


def convert(training: Training, source: Path, layout: str, folder: Path, **choices: Any) -> dict[str, Any]:
    """The report of converting ``source`` to a template of this layout, into ``folder``/new."""
    model, optimizer = built(training, layout)
    shutil.rmtree(folder, ignore_errors=True)
    template = tf2().train.Checkpoint(model=model, optimizer=optimizer).save(str(folder / "template" / "ckpt"))
    table = folder / "table.yaml"
    table.write_text(TABLE)
    own = {"table": table} if training.recurrent else {}
    return ckptmap.convert(source, to=template, output=folder / "new", **own, **choices)


def train_tf2(
    training: Training, layout: str, folder: Path, *, state: bool = True, before: int = BEFORE, after: int = AFTER
) -> Trained:
    """Go on in TF2 from what ``convert`` wrote; with the weights alone where not ``state``."""
    tf = tf2()
    model, optimizer = built(training, layout)
    saved = tf.train.Checkpoint(model=model, optimizer=optimizer) if state else tf.train.Checkpoint(model=model)
    saved.restore(str(folder / "new" / "ckpt-0")).assert_consumed()
    inputs, targets = batches(recurrent=training.recurrent)
    losses = []
    for at in range(before, before + after):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(inputs[at]) - targets[at]))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        losses.append(float(loss))
    last = _ordered(model.trainable_variables, lambda one: getattr(one, "path", one.name))
    return Trained(np.array(losses), [np.asarray(one) for one in last])
