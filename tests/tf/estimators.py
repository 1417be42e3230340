"""TensorFlow's canned Estimators against Keras 2 and 3: a row each, and its proof.

    python -m tests.tf.estimators TABLE.md

A row's TF1 checkpoint has the names and shapes of a canned Estimator and random weights. NumPy says what the Estimator
computes; checked once against the Estimators of TensorFlow 2.15, v1 and v2, trained for three steps: up to 3e-7 apart.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import ckptmap
from ckptmap.tf.classifiers import keras_of
from ckptmap.tf.environment import tf2
from ckptmap.tf.tf2_model import restore
from tests.convert.conftest import write_tf1
from tests.tf.proving import Proof, prove_rows

Array = np.ndarray[Any, Any]
Values = Mapping[str, Array]
NOISE = 5e-6
"""Of the logits' spread."""
EMBEDDED, NUMBERS = (5, 3), 2
LINEAR = {"age_bucketized": 4, "color": 5, "income": NUMBERS}
"""The columns of the linear part, and what each is long."""
_COLUMN = "dnn/input_from_feature_columns/input_layer/color_embedding/embedding_weights"


@dataclass(frozen=True)
class Row:
    """One Estimator: ``hidden`` layers (none: it has no deep part), whether there is a linear part, in one Keras."""

    keras: int
    hidden: tuple[int, ...]
    linear: bool
    outputs: int
    norm: bool = False

    def __str__(self) -> str:
        parts = ["dnn" if self.hidden else "", "linear" if self.linear else "", "norm" if self.norm else ""]
        return "-".join(filter(None, [*parts, "x".join(map(str, self.hidden)), f"keras{self.keras}"]))

    @property
    def kind(self) -> str:
        if not self.hidden:
            return "Linear"
        return "DNNLinearCombined" if self.linear else "DNN"


def _rows() -> Iterator[Row]:
    for keras in (2, 3):
        for hidden, norm in (((8, 4), False), ((16,), True), ((12, 6, 3), True)):
            yield Row(keras, hidden, linear=False, outputs=3, norm=norm)
        for hidden in ((8, 4), (16,)):
            yield Row(keras, hidden, linear=True, outputs=1)
        yield Row(keras, (), linear=True, outputs=3)


ROWS = {str(row): row for row in _rows()}
QUICK = "dnn-linear-8x4-keras3"


def shapes_of(row: Row) -> dict[str, tuple[int, ...]]:
    """Names and shapes as the Estimators save them."""
    found: dict[str, tuple[int, ...]] = {_COLUMN: EMBEDDED} if row.hidden else {}
    before = EMBEDDED[1] + NUMBERS
    for at, width in enumerate(row.hidden):
        layer = f"dnn/hiddenlayer_{at}"
        found |= {f"{layer}/kernel": (before, width), f"{layer}/bias": (width,)}
        if row.norm:
            leaves = ("beta", "gamma", "moving_mean", "moving_variance")
            found |= {f"{layer}/batchnorm_{at}/{leaf}": (width,) for leaf in leaves}
        before = width
    if row.hidden:
        found |= {"dnn/logits/kernel": (before, row.outputs), "dnn/logits/bias": (row.outputs,)}
    if row.linear:
        found |= {f"linear/linear_model/{name}/weights": (long, row.outputs) for name, long in LINEAR.items()}
        found["linear/linear_model/bias_weights"] = (row.outputs,)
    return found


def random_values(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    generator = np.random.default_rng(3)
    return {
        name: generator.uniform(0.5, 1.5, shape).astype(np.float32)
        if name.endswith(("gamma", "variance"))
        else generator.normal(0, 0.7, shape).astype(np.float32)
        for name, shape in shapes.items()
    }


def some_examples() -> dict[str, Array]:
    """Six examples: numbers, a category as its number, categories as counts."""
    generator = np.random.default_rng(5)
    color = generator.integers(0, EMBEDDED[0], 6)
    return {
        "income": generator.normal(size=(6, NUMBERS)).astype(np.float32),
        "color_id": color.astype(np.int32),
        "color": np.eye(EMBEDDED[0], dtype=np.float32)[color],
        "age_bucketized": np.eye(4, dtype=np.float32)[generator.integers(0, 4, 6)],
    }


def run_estimator(values: Values, examples: Mapping[str, Array], epsilon: float = 1e-3) -> Array:
    """The logits of a canned Estimator, in 64 bits: its deep part and its linear one added."""
    held = {name: np.asarray(value, np.float64) for name, value in values.items()}
    found: Array = np.zeros(1)
    if "dnn/logits/bias" in held:
        x = np.concatenate([held[_COLUMN][examples["color_id"]], examples["income"]], axis=1)
        for at in range(sum(name.startswith("dnn/hidden") and name.endswith("/kernel") for name in held)):
            layer = f"dnn/hiddenlayer_{at}"
            x = np.maximum(x @ held[f"{layer}/kernel"] + held[f"{layer}/bias"], 0)
            norm = f"{layer}/batchnorm_{at}"
            if f"{norm}/beta" in held:
                scale = held[f"{norm}/gamma"] / np.sqrt(held[f"{norm}/moving_variance"] + epsilon)
                x = (x - held[f"{norm}/moving_mean"]) * scale + held[f"{norm}/beta"]
        found = x @ held["dnn/logits/kernel"] + held["dnn/logits/bias"]
    if "linear/linear_model/bias_weights" in held:
        found = found + held["linear/linear_model/bias_weights"]
        for name in LINEAR:
            found = found + examples[name] @ held[f"linear/linear_model/{name}/weights"]
    return found


def keras_model(row: Row) -> Any:
    """The same in Keras, with TF1's names; docs/estimators.md shows it."""
    keras = keras_of(row.keras)
    keras.backend.clear_session()
    layers = keras.layers

    class Bias(layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.bias = self.add_weight(name="bias", shape=(shape[-1],), initializer="zeros")

        def call(self, x: Any) -> Any:
            return x + self.bias

    inputs = {name: keras.Input((long,), name=name) for name, long in LINEAR.items()}
    inputs["color_id"] = keras.Input((), dtype="int32", name="color_id")
    parts = []
    if row.hidden:
        embedded = layers.Embedding(*EMBEDDED, name="color_embedding")(inputs["color_id"])
        x = layers.Concatenate()([embedded, inputs["income"]])
        for at, width in enumerate(row.hidden):
            x = layers.Dense(width, activation="relu", name=f"hiddenlayer_{at}")(x)
            if row.norm:
                x = layers.BatchNormalization(name=f"batchnorm_{at}")(x)
        parts.append(layers.Dense(row.outputs, name="logits")(x))
    if row.linear:
        columns = [layers.Dense(row.outputs, use_bias=False, name=f"linear_{n}")(inputs[n]) for n in LINEAR]
        parts.append(Bias(name="linear_bias")(layers.Add()(columns)))
    return keras.Model(inputs, layers.Add()(parts) if len(parts) > 1 else parts[0])


def prove(row: Row, folder: Path) -> Proof:
    """Convert a row's checkpoint, restore and run it."""
    values, examples = random_values(shapes_of(row)), some_examples()
    slots = {f"{name}/Adagrad": value for name, value in values.items() if "moving" not in name}
    old = write_tf1(folder / "old" / "model.ckpt", {**values, **slots, "global_step": np.asarray(7, np.int64)})
    template = tf2().train.Checkpoint(model=keras_model(row)).save(str(folder / "mine" / "ckpt"))
    report = ckptmap.convert(old, to=template, output=folder / "new")
    assert report["output"] is not None, report["findings"]
    model = keras_model(row)
    restore(model, folder / "new" / "ckpt-0")
    expected = run_estimator(values, examples)
    found = np.asarray(model(examples, training=False))
    summary = report["summary"]
    return Proof(
        report["verdict"]["kind"],
        len(report["target_variables"]),
        summary["restored"],
        summary["unused"],
        float(np.abs(found - expected).max() / expected.std()),
    )


def as_expected(proof: Proof) -> bool:
    """Whether every variable found its place, and the logits are the Estimator's."""
    return (proof.restored, proof.unused, proof.verdict) == (proof.variables, 0, "equal") and proof.difference <= NOISE


def table(proofs: Sequence[tuple[Row, Proof]]) -> str:
    """The proofs in Markdown, a line a row."""
    head = "| Estimator | hidden layers | batch norm | outputs | Keras | variables | verdict | difference |\n"
    lines = (
        f"| {row.kind} | {', '.join(map(str, row.hidden))} | {'yes' if row.norm else ''} | {row.outputs} | "
        f"{row.keras} | {proof.variables} | {proof.verdict} | {proof.difference:.1e} |\n"
        for row, proof in proofs
    )
    return head + "|---|---|---|---|---|---|---|---|\n" + "".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Prove the rows and write their table; 1 where one is not as expected."""
    return prove_rows("tests.tf.estimators", ROWS, prove, lambda _, proof: as_expected(proof), table, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
