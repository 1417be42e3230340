"""TF1's recurrent cells are known by their names and shapes, and inspect writes the table for them; no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml

import ckptmap
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.families.advice import advice
from ckptmap.families.known import Known
from ckptmap.families.registry import recognize
from ckptmap.inspection.inspector import inspect
from tests.convert.conftest import write_tf1
from tests.families.saved_models import saved_model

Shapes = Mapping[str, tuple[int, ...]]
PLAIN = {"kernel": (7, 16), "bias": (16,)}
GRU = {"gates/kernel": (7, 8), "gates/bias": (8,), "candidate/kernel": (7, 4), "candidate/bias": (4,)}
BLOCK_GRU = {"w_ru": (7, 8), "b_ru": (8,), "w_c": (7, 4), "b_c": (4,)}
CUDNN_GRU = {
    "gates/kernel": (7, 8),
    "gates/bias": (8,),
    "candidate/input_projection/kernel": (3, 4),
    "candidate/input_projection/bias": (4,),
    "candidate/hidden_projection/kernel": (4, 4),
    "candidate/hidden_projection/bias": (4,),
}


def known(*cells: tuple[str, Shapes]) -> Known | None:
    shapes = {f"{scope}/{leaf}": shape for scope, leaves in cells for leaf, shape in leaves.items()}
    variables = {name: Variable(name, DType.FLOAT32, shape, 0) for name, shape in shapes.items()}
    found = recognize(Inventory(Kind.V2, "old/model.ckpt", variables))
    assert found is None or isinstance(found, Known)
    return found


@pytest.mark.parametrize(
    ("scope", "leaves", "kind"),
    [
        ("rnn/basic_lstm_cell", PLAIN, "lstm_cell"),
        ("rnn/multi_rnn_cell/cell_0/lstm_cell", PLAIN, "lstm_cell"),
        ("lstm_fused_cell", PLAIN, "lstm_cell"),
        ("cudnn_lstm/cudnn_compatible_lstm_cell", PLAIN, "lstm_cell_without_forget_bias"),
        ("rnn/gru_cell", GRU, "gru_cell"),
        ("rnn/gru_block_cell", BLOCK_GRU, "gru_block_cell"),
        ("cudnn_gru/cudnn_compatible_gru_cell", CUDNN_GRU, "cudnn_gru_cell"),
        ("rnn/basic_rnn_cell", {"kernel": (7, 4), "bias": (4,)}, "rnn_cell"),
    ],
)
def test_each_cell_is_told(scope: str, leaves: Shapes, kind: str) -> None:
    found = known((scope, leaves))
    assert found is not None
    assert found.traits() == f"{scope}: {kind} of 4 units on 3"
    lines = found.remark.splitlines()
    table = yaml.safe_load("\n".join(line for line in lines if line.startswith(("include", "layers", "  - "))))
    assert [(one["from"], one["as"]) for one in table["layers"]] == [(scope, kind)]


@pytest.mark.parametrize(
    ("scope", "leaves"),
    [
        ("dense", PLAIN),
        ("rnn/lstm_cell", {**PLAIN, "w_f_diag": (4,)}),
        ("rnn/lstm_cell", {**PLAIN, "projection/kernel": (4, 2)}),
        ("rnn/basic_lstm_cell", {"kernel": (7, 15), "bias": (15,)}),
        ("rnn/basic_lstm_cell", {"kernel": (3, 16), "bias": (16,)}),
        ("rnn/basic_lstm_cell", {"kernel": (16,), "bias": (16,)}),
    ],
)
def test_what_is_none_of_these_cells(scope: str, leaves: Shapes) -> None:
    assert known((scope, leaves)) is None


def test_an_opaque_buffer_is_said() -> None:
    found = known(("cudnn_lstm", {"opaque_kernel": (1234,)}))
    assert found is not None
    assert "one opaque buffer of cuDNN" in advice(Inventory(Kind.V2, "old/model.ckpt", {}), found, ()).note


def test_a_stack_in_both_directions_is_named_as_keras_names_it() -> None:
    scopes = [f"stack/cell_{at}/bidirectional_rnn/{side}/basic_lstm_cell" for at in (0, 1) for side in ("bw", "fw")]
    found = known(("rnn/lstm_cell", PLAIN), *((scope, PLAIN) for scope in scopes))
    assert found is not None
    places = [line.split("to: ")[1].split(",")[0] for line in found.remark.splitlines() if "  - {from" in line]
    assert places == [
        "lstm/lstm_cell",
        "bidirectional/backward_lstm_1/lstm_cell",
        "bidirectional/forward_lstm_1/lstm_cell",
        "bidirectional_1/backward_lstm_2/lstm_cell",
        "bidirectional_1/forward_lstm_2/lstm_cell",
    ]


def test_the_table_that_inspect_writes_converts(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    values = {f"rnn/basic_lstm_cell/{leaf}": generator.normal(size=s).astype(np.float32) for leaf, s in PLAIN.items()}
    old = write_tf1(tmp_path / "old" / "model.ckpt", values)
    lines = inspect(old).advice.note.splitlines()
    draft = f"ckptmap suggest {old} --to mine_tf2/ckpt-1 -o my_model.yaml"
    assert lines[-1] == f"or let ckptmap draft the table: {draft}"
    table = tmp_path / "my_model.yaml"
    table.write_text("\n".join(lines[lines.index("layers:") - 1 :][:3]))
    shapes = {
        "lstm/lstm_cell/kernel": (3, 16),
        "lstm/lstm_cell/recurrent_kernel": (4, 16),
        "lstm/lstm_cell/bias": (16,),
    }
    report = ckptmap.convert(
        old, to=saved_model(tmp_path / "mine" / "ckpt-1", shapes), table=table, output=tmp_path / "new"
    )
    assert (report["findings"], report["summary"]["restored"]) == ([], 3)
    with ckptmap.open_checkpoint(tmp_path / "new") as made:
        key = next(key for key, name in made.readable_names().items() if name == "lstm/lstm_cell/bias")
        i, c, f, o = np.split(values["rnn/basic_lstm_cell/bias"], 4)
        np.testing.assert_array_equal(made.read(key), np.concatenate([i, f + 1, c, o]))


def test_an_opaque_buffer_is_cut_with_its_sizes(tmp_path: Path) -> None:
    inputs, units = 3, 4
    generator = np.random.default_rng(0)
    kernel, recurrent = generator.normal(size=(inputs, 4 * units)), generator.normal(size=(units, 4 * units))
    biases = generator.normal(size=(2, 4 * units))
    gates = [gate.T.ravel() for matrix in (kernel, recurrent) for gate in np.split(matrix, 4, axis=1)]
    opaque = np.concatenate([*gates, biases.ravel()]).astype(np.float32)  # as canonical_to_params of tf_keras
    old = write_tf1(tmp_path / "old" / "model.ckpt", {"cudnn_lstm/opaque_kernel": opaque})
    first, second = kernel.size, kernel.size + recurrent.size
    table = tmp_path / "t.yaml"
    table.write_text(f"""
variables:
  - from: cudnn_lstm/opaque_kernel
    to:
      - name: kernel
        ops: [{{slice: {{axis: 0, stop: {first}}}}}, {{reshape: [-1, {inputs}]}}, {{transpose: [1, 0]}}]
      - name: recurrent_kernel
        ops: [{{slice: {{axis: 0, start: {first}, stop: {second}}}}}, {{reshape: [-1, {units}]}}, {{transpose: [1, 0]}}]
      - {{name: bias, ops: [{{slice: {{axis: 0, start: {second}}}}}, {{reshape: [2, -1]}}, {{sum: 0}}]}}
""")
    expected = {"lstm/kernel": kernel, "lstm/recurrent_kernel": recurrent, "lstm/bias": biases.sum(0)}
    template = saved_model(tmp_path / "mine" / "ckpt-1", {name: value.shape for name, value in expected.items()})
    ckptmap.convert(old, to=template, table=table, output=tmp_path / "new")
    with ckptmap.open_checkpoint(tmp_path / "new") as made:
        names = made.readable_names()
        found = {name: made.read(key) for key, name in names.items() if name in expected}
    assert found.keys() == expected.keys()
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-6)
