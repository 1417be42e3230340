"""Recurrent cells of TF1 as layers of Keras: both sides' equations in NumPy, on what ``kinds/rnn`` makes of one.

The equations are those of tensorflow/python/ops/rnn_cell_impl.py and contrib/cudnn_rnn on the one side, of Keras'
LSTMCell, GRUCell and SimpleRNNCell on the other; ``tests/tf/test_recurrent.py`` runs the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import CkptmapError, TableError
from ckptmap.checkpoint.dtypes import dtype_from_label
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.mapping import load_table
from tests.convert.conftest import write_tf1

Values = Mapping[str, np.ndarray]
Step = Callable[[np.ndarray, list[np.ndarray], Values], list[np.ndarray]]
INPUT, UNITS, STEPS = 3, 4, 5


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def tf1_lstm(forget_bias: float) -> Step:
    def step(x: np.ndarray, states: list[np.ndarray], w: Values) -> list[np.ndarray]:
        h, c = states
        i, j, f, o = np.split(np.concatenate([x, h], 1) @ w["kernel"] + w["bias"], 4, axis=1)
        c = sigmoid(f + forget_bias) * c + sigmoid(i) * np.tanh(j)
        return [sigmoid(o) * np.tanh(c), c]

    return step


def tf1_gru(kernels: tuple[str, str], biases: tuple[str, str]) -> Step:
    def step(x: np.ndarray, states: list[np.ndarray], w: Values) -> list[np.ndarray]:
        (h,) = states
        r, u = np.split(sigmoid(np.concatenate([x, h], 1) @ w[kernels[0]] + w[biases[0]]), 2, axis=1)
        c = np.tanh(np.concatenate([x, r * h], 1) @ w[kernels[1]] + w[biases[1]])
        return [u * h + (1 - u) * c]

    return step


def tf1_cudnn_gru(x: np.ndarray, states: list[np.ndarray], w: Values) -> list[np.ndarray]:
    (h,) = states
    r, u = np.split(sigmoid(np.concatenate([x, h], 1) @ w["gates/kernel"] + w["gates/bias"]), 2, axis=1)
    candidate = {
        side: value @ w[f"candidate/{side}_projection/kernel"] + w[f"candidate/{side}_projection/bias"]
        for side, value in (("input", x), ("hidden", h))
    }
    return [u * h + (1 - u) * np.tanh(candidate["input"] + r * candidate["hidden"])]


def tf1_rnn(x: np.ndarray, states: list[np.ndarray], w: Values) -> list[np.ndarray]:
    return [np.tanh(np.concatenate([x, states[0]], 1) @ w["kernel"] + w["bias"])]


def keras_lstm(x: np.ndarray, states: list[np.ndarray], w: Values) -> list[np.ndarray]:
    h, c = states
    i, f, j, o = np.split(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"], 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(j)
    return [sigmoid(o) * np.tanh(c), c]


def keras_gru(x: np.ndarray, states: list[np.ndarray], w: Values) -> list[np.ndarray]:
    (h,) = states
    xz, xr, xc = np.split(x @ w["kernel"] + w["bias"], 3, axis=1)
    rz, rr, rc = np.split(w["recurrent_kernel"], 3, axis=1)
    z, r = sigmoid(xz + h @ rz), sigmoid(xr + h @ rr)
    return [z * h + (1 - z) * np.tanh(xc + (r * h) @ rc)]


def keras_gru_reset_after(x: np.ndarray, states: list[np.ndarray], w: Values) -> list[np.ndarray]:
    (h,) = states
    xz, xr, xc = np.split(x @ w["kernel"] + w["bias"][0], 3, axis=1)
    hz, hr, hc = np.split(h @ w["recurrent_kernel"] + w["bias"][1], 3, axis=1)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return [z * h + (1 - z) * np.tanh(xc + r * hc)]


def keras_rnn(x: np.ndarray, states: list[np.ndarray], w: Values) -> list[np.ndarray]:
    return [np.tanh(x @ w["kernel"] + states[0] @ w["recurrent_kernel"] + w["bias"])]


def together(gates: int) -> dict[str, tuple[int, ...]]:
    return {"kernel": (INPUT + UNITS, gates * UNITS), "bias": (gates * UNITS,)}


GRU = {"gates/kernel": (INPUT + UNITS, 2 * UNITS), "gates/bias": (2 * UNITS,)}
CELLS: dict[str, tuple[dict[str, tuple[int, ...]], Step, Step, int, int]] = {
    # kind: TF1's variables, its step, Keras' step, states, gates of Keras
    "lstm_cell": (together(4), tf1_lstm(1.0), keras_lstm, 2, 4),
    "lstm_cell_without_forget_bias": (together(4), tf1_lstm(0.0), keras_lstm, 2, 4),
    "gru_cell": (
        {**GRU, "candidate/kernel": (INPUT + UNITS, UNITS), "candidate/bias": (UNITS,)},
        tf1_gru(("gates/kernel", "candidate/kernel"), ("gates/bias", "candidate/bias")),
        keras_gru,
        1,
        3,
    ),
    "gru_block_cell": (
        {
            "w_ru": (INPUT + UNITS, 2 * UNITS),
            "w_c": (INPUT + UNITS, UNITS),
            "b_ru": (2 * UNITS,),
            "b_c": (UNITS,),
        },
        tf1_gru(("w_ru", "w_c"), ("b_ru", "b_c")),
        keras_gru,
        1,
        3,
    ),
    "cudnn_gru_cell": (
        {
            **GRU,
            "candidate/input_projection/kernel": (INPUT, UNITS),
            "candidate/input_projection/bias": (UNITS,),
            "candidate/hidden_projection/kernel": (UNITS, UNITS),
            "candidate/hidden_projection/bias": (UNITS,),
        },
        tf1_cudnn_gru,
        keras_gru_reset_after,
        1,
        3,
    ),
    "rnn_cell": (together(1), tf1_rnn, keras_rnn, 1, 1),
}


def random_values(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {name: generator.normal(0, 0.7, shape).astype(np.float32) for name, shape in shapes.items()}


def keras_shapes(kind: str, gates: int) -> dict[str, tuple[int, ...]]:
    rows = (2,) if kind == "cudnn_gru_cell" else ()
    return {
        "kernel": (INPUT, gates * UNITS),
        "recurrent_kernel": (UNITS, gates * UNITS),
        "bias": (*rows, gates * UNITS),
    }


def run(step: Step, weights: Values, states: int) -> np.ndarray:
    """The outputs of all steps for a batch of two, from states that are not zero."""
    inputs = np.random.default_rng(1).normal(size=(STEPS, 2, INPUT))
    state = list(np.random.default_rng(2).normal(size=(states, 2, UNITS)))
    outputs = []
    for x in inputs:
        state = step(x, state, weights)
        outputs.append(state[0])
    return np.stack(outputs)


def write_layer(prefix: Path, shapes: Mapping[str, tuple[int, ...]]) -> Path:
    """A TF2 checkpoint of a Keras layer with these variables."""
    float32 = dtype_from_label("float32")
    assert float32 is not None
    objects = {
        f"layer/cell/{name}": ObjectValue(f"rnn_1/cell/{name}", float32, shape, [bytes(4 * int(np.prod(shape)))])
        for name, shape in shapes.items()
    }
    write_object_checkpoint(prefix, "model", objects)
    return prefix


def converted(
    tmp_path: Path, kind: str, values: Values, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
    """What ``kinds/rnn`` makes of a cell's values in a Keras layer with these shapes."""
    table = tmp_path / "t.yaml"
    table.write_text(
        "include: [{table: kinds/rnn}]\nwhere: {n: int}\n"
        f'layers: [{{from: "rnn/cell_{{n}}", to: "rnn_{{n}}/cell", as: {kind}}}]\n'
    )
    source = write_tf1(tmp_path / "old.ckpt", {f"rnn/cell_1/{name}": value for name, value in values.items()})
    template = write_layer(tmp_path / "template", shapes)
    report = ckptmap.convert(source, to=template, table=table, output=tmp_path / "new")
    assert (report["findings"], report["summary"]["restored"]) == ([], len(shapes))
    with ckptmap.open_checkpoint(tmp_path / "new") as made:
        return {
            name: made.read(f"model/layer/cell/{name}/.ATTRIBUTES/VARIABLE_VALUE").astype(np.float64) for name in shapes
        }


@pytest.mark.parametrize("kind", CELLS)
def test_the_layer_computes_what_the_cell_did(kind: str, tmp_path: Path) -> None:
    shapes, tf1_step, keras_step, states, gates = CELLS[kind]
    values = random_values(shapes)
    made = converted(tmp_path, kind, values, keras_shapes(kind, gates))
    expected = run(tf1_step, {name: value.astype(np.float64) for name, value in values.items()}, states)
    np.testing.assert_allclose(run(keras_step, made, states), expected, rtol=0, atol=1e-6)


def test_every_kind_is_proven() -> None:
    assert {name for name in load_table("kinds/rnn").kinds if "/" not in name} == CELLS.keys()


def test_a_missing_part_of_a_cell_is_said(tmp_path: Path) -> None:
    shapes, *_ = CELLS["gru_cell"]
    values = random_values(shapes)
    del values["candidate/bias"]
    with pytest.raises(CkptmapError, match="rnn/cell_1/gates/bias needs rnn/cell_1/candidate/bias too"):
        converted(tmp_path, "gru_cell", values, keras_shapes("gru_cell", 3))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{from: a, to: b, as: rnn_cell, per_class: {axis: -1}}", "the kind .rnn_cell. is made of rules"),
        ("{from: a, to: [b, c], as: rnn_cell}", "the kind .rnn_cell. is made of rules"),
        ("{from: a, to: b, as: [rnn_cell, lstm_cell]}", "cannot be told apart"),
    ],
)
def test_a_kind_of_rules_stands_alone(rule: str, said: str, tmp_path: Path) -> None:
    table = tmp_path / "t.yaml"
    table.write_text(f"include: [{{table: kinds/rnn}}]\nlayers: [{rule}]\n")
    with pytest.raises(TableError, match=said):
        load_table(table)
