"""TF1's recurrent cells against Keras' layers, both real, on what ``kinds/rnn`` makes of the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the [tf] extra")

import ckptmap
from ckptmap.suggest import suggest
from ckptmap.tf.classifiers import keras_of
from ckptmap.tf.environment import import_quietly, tf2
from ckptmap.tf.tf2_model import restore

INPUT, UNITS, STEPS = 3, 4, 6
CELLS: dict[str, tuple[str, dict[str, Any], str, dict[str, Any], str]] = {
    # the cell of TF1, its options, the layer of Keras, its options, the kind
    "BasicLSTMCell": ("basic_lstm_cell", {}, "LSTM", {}, "lstm_cell"),
    "LSTMCell": ("lstm_cell", {"forget_bias": 0.0}, "LSTM", {}, "lstm_cell_without_forget_bias"),
    "GRUCell": ("gru_cell", {}, "GRU", {"reset_after": False}, "gru_cell"),
    "BasicRNNCell": ("basic_rnn_cell", {}, "SimpleRNN", {}, "rnn_cell"),
}
NAMES = {"LSTM": "lstm/lstm_cell", "GRU": "gru/gru_cell", "SimpleRNN": "simple_rnn/simple_rnn_cell"}


def run_tf1(cell: str, options: dict[str, Any], prefix: str, inputs: np.ndarray) -> np.ndarray:
    """Save a cell with random weights, in loops as TF1 wrote them; its outputs at every step."""
    v1 = tf2().compat.v1
    cells = import_quietly("tensorflow.python.keras.layers.legacy_rnn.rnn_cell_impl")
    loop = import_quietly("tensorflow.python.ops.rnn")
    newer = v1.control_flow_v2_enabled()
    with v1.Graph().as_default(), v1.Session() as session:
        v1.disable_control_flow_v2()
        try:
            x = v1.placeholder(v1.float32, (None, STEPS, INPUT), name="x")
            outputs, _ = loop.dynamic_rnn(getattr(cells, cell)(UNITS, **options), x, dtype=v1.float32)
        finally:
            if newer:
                v1.enable_control_flow_v2()
        generator = np.random.default_rng(0)
        for variable in v1.global_variables():
            variable.load(generator.normal(0, 0.7, variable.shape.as_list()), session)
        v1.train.Saver().save(session, prefix)
        return np.asarray(session.run(outputs, {x: inputs}))


def layer(version: int, name: str, options: dict[str, Any]) -> Any:
    keras = keras_of(version)
    keras.backend.clear_session()
    inputs = keras.Input((None, INPUT))
    return keras.Model(inputs, getattr(keras.layers, name)(UNITS, return_sequences=True, **options)(inputs))


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_keras_computes_what_the_cell_did(cell: str, version: int, tmp_path: Path) -> None:
    scope, own, name, options, kind = CELLS[cell]
    inputs = np.random.default_rng(1).normal(size=(2, STEPS, INPUT)).astype(np.float32)
    expected = run_tf1(cell, own, str(tmp_path / "model.ckpt"), inputs)
    table = tmp_path / "t.yaml"
    table.write_text(
        f"include: [{{table: kinds/rnn}}]\nlayers: [{{from: rnn/{scope}, to: {NAMES[name]}, as: {kind}}}]\n"
    )
    template = tf2().train.Checkpoint(model=layer(version, name, options)).save(str(tmp_path / "template"))
    drafted = suggest(tmp_path / "model.ckpt", to=template)
    assert f"  - {{from: rnn/{scope}, to: {NAMES[name]}, as: {kind}}}" in drafted.text.splitlines()
    assert drafted.sure
    ckptmap.convert(tmp_path / "model.ckpt", to=template, table=table, output=tmp_path / "new")
    model = layer(version, name, options)
    restore(model, tmp_path / "new" / "ckpt-0")
    np.testing.assert_allclose(np.asarray(model(inputs)), expected, rtol=0, atol=1e-6)
