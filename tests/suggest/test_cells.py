"""Recurrent cells: one old kernel for two new ones, and the forget bias that the graph shows."""

import struct

import pytest

from ckptmap.checkpoint.wire import bytes_field, fixed32_field, number_field, text_field
from ckptmap.mapping import load_table
from ckptmap.suggest.cells import forget_bias
from ckptmap.suggest.graphs import graph_nodes
from tests.suggest.conftest import write_new, write_old

LSTM = {"rnn/basic_lstm_cell/kernel": (7, 16), "rnn/basic_lstm_cell/bias": (16,)}
KERAS_LSTM = {
    "rnn/cell/kernel": ("lstm/lstm_cell/kernel", (3, 16)),
    "rnn/cell/recurrent_kernel": ("lstm/lstm_cell/recurrent_kernel", (4, 16)),
    "rnn/cell/bias": ("lstm/lstm_cell/bias", (16,)),
}
GRU = {
    "rnn/gru_cell/gates/kernel": (7, 8),
    "rnn/gru_cell/gates/bias": (8,),
    "rnn/gru_cell/candidate/kernel": (7, 4),
    "rnn/gru_cell/candidate/bias": (4,),
}
CUDNN_GRU = {
    "rnn/cell/gates/kernel": (7, 8),
    "rnn/cell/gates/bias": (8,),
    "rnn/cell/candidate/input_projection/kernel": (3, 4),
    "rnn/cell/candidate/hidden_projection/kernel": (4, 4),
    "rnn/cell/candidate/input_projection/bias": (4,),
    "rnn/cell/candidate/hidden_projection/bias": (4,),
}


def keras(width, *bias):
    return {
        "rnn/cell/kernel": ("rnn/kernel", (3, width)),
        "rnn/cell/recurrent_kernel": ("rnn/recurrent_kernel", (4, width)),
        "rnn/cell/bias": ("rnn/bias", bias),
    }


def node(name, op, *inputs, attributes=b""):
    inner = b"".join(text_field(3, one) for one in inputs)
    return bytes_field(1, text_field(1, name) + text_field(2, op) + inner + attributes)


def number(name, value, *, tensor):
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    tensor_of = bytes_field(8, number_field(1, 1) + bytes_field(2, b"") + fixed32_field(5, bits))
    held = tensor_of if tensor else fixed32_field(4, bits)
    return bytes_field(5, text_field(1, name) + bytes_field(2, held))


def cell_graph(added):
    scope = "rnn/while/basic_lstm_cell"
    return b"".join(
        (
            node("x", "Placeholder"),
            node("rnn/basic_lstm_cell/kernel", "VariableV2"),
            node("rnn/basic_lstm_cell/kernel/read", "Identity", "rnn/basic_lstm_cell/kernel"),
            node("rnn/basic_lstm_cell/bias", "VariableV2"),
            node("rnn/basic_lstm_cell/bias/read", "Identity", "rnn/basic_lstm_cell/bias"),
            node(f"{scope}/MatMul", "MatMul", "x", "rnn/basic_lstm_cell/kernel/read"),
            node(f"{scope}/enter", "Enter", "rnn/basic_lstm_cell/bias/read"),
            node(f"{scope}/BiasAdd", "BiasAdd", f"{scope}/MatMul", f"{scope}/enter"),
            node(f"{scope}/split", "Split", "axis", f"{scope}/BiasAdd"),
            node(f"{scope}/add/y", "Const", attributes=number("value", added, tensor=True)),
            node(f"{scope}/add", "Add", f"{scope}/split:2", f"{scope}/add/y"),
        )
    )


def takers(nodes):
    found = {}
    for one in nodes:
        for source in one.inputs:
            found.setdefault(source, []).append(one)
    return found


@pytest.mark.parametrize("added", [0.0, 1.0, 0.5])
def test_the_forget_bias_is_the_constant_added_to_a_gate(added):
    nodes = graph_nodes(cell_graph(added))
    assert forget_bias("rnn/basic_lstm_cell/bias", nodes, takers(nodes)) == added


def test_a_block_says_its_forget_bias_itself():
    data = node("b", "VariableV2") + node(
        "block", "BlockLSTM", "b", attributes=number("forget_bias", 0.25, tensor=False)
    )
    nodes = graph_nodes(data)
    assert forget_bias("b", nodes, takers(nodes)) == 0.25


def test_a_graph_without_gates_says_nothing():
    nodes = graph_nodes(node("b", "VariableV2") + node("add", "BiasAdd", "x", "b"))
    assert forget_bias("b", nodes, takers(nodes)) is None


def drafted(run, tmp_path, old, new, graph=None):
    """The draft's exit code and text; it has no mistakes, and the dry run of it finds all shapes right."""
    one, other = write_old(tmp_path / "old" / "m", old), write_new(tmp_path / "new" / "ckpt-1", new)
    if graph is not None:
        one.with_name("m.meta").write_bytes(bytes_field(2, graph))
    table = tmp_path / "draft.yaml"
    found = run("suggest", one, "--to", other, "-o", table)
    load_table(table)
    dry = run("convert", one, "--to", other, "--table", table, "--dry-run")
    assert dry.code == 0, dry.err
    return found.code, table.read_text()


def test_an_lstm_becomes_two_kernels_and_the_forget_bias_is_a_guess_without_a_graph(run, tmp_path):
    code, text = drafted(run, tmp_path, LSTM, KERAS_LSTM)
    assert code == 1
    assert "- {from: rnn/basic_lstm_cell, to: lstm/lstm_cell, as: lstm_cell}" in text
    assert "the forget bias is a guess" in text


@pytest.mark.parametrize(
    ("added", "code", "kind"), [(1.0, 0, "lstm_cell"), (0.0, 0, "lstm_cell_without_forget_bias"), (0.5, 1, "lstm_cell")]
)
def test_the_graph_says_which_kind_of_lstm_it_is(run, tmp_path, added, code, kind):
    found, text = drafted(run, tmp_path, LSTM, KERAS_LSTM, cell_graph(added))
    assert found == code
    assert f"as: {kind}}}" in text
    assert ("the graph adds 0.5 to the forget gate" in text) is (added == 0.5)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (GRU, keras(12, 12), "- {from: rnn/gru_cell, to: rnn, as: gru_cell}"),
        (CUDNN_GRU, keras(12, 2, 12), "- {from: rnn/cell, to: rnn, as: cudnn_gru_cell}"),
        ({"rnn/basic_rnn_cell/kernel": (7, 4), "rnn/basic_rnn_cell/bias": (4,)}, keras(4, 4), "as: rnn_cell}"),
        ({"a/w_ru": (7, 8), "a/w_c": (7, 4), "a/b_ru": (8,), "a/b_c": (4,)}, keras(12, 12), "as: gru_block_cell}"),
    ],
)
def test_other_cells_are_told_by_their_variables(run, tmp_path, old, new, rule):
    code, text = drafted(run, tmp_path, old, new)
    assert code == 0
    assert rule in text


def test_a_gru_whose_reset_comes_elsewhere_is_no_partner(run, tmp_path):
    one = write_old(tmp_path / "old" / "m", GRU)
    other = write_new(tmp_path / "new" / "ckpt-1", keras(12, 2, 12))
    refused = run("suggest", one, "--to", other)
    assert refused.code == 2
    assert "nothing in common" in refused.err


def test_a_dense_layer_of_the_shape_of_a_cell_stays_one(run, tmp_path):
    old = {**LSTM, "head/kernel": (7, 16), "head/bias": (16,)}
    new = {**KERAS_LSTM, "head/kernel": ("head/kernel", (7, 16)), "head/bias": ("head/bias", (16,))}
    _, text = drafted(run, tmp_path, old, new)
    assert "from: head, to: head, as: conv}" in text or "from: head, to: head, as: dense}" in text


def test_peepholes_make_a_cell_doubtful(run, tmp_path):
    old = {**LSTM, "rnn/basic_lstm_cell/w_f_diag": (4,)}
    one, other = write_old(tmp_path / "old" / "m", old), write_new(tmp_path / "new" / "ckpt-1", KERAS_LSTM)
    found = run("suggest", one, "--to", other)
    assert found.code == 1
    assert "has no place in a cell of Keras" in found.out or "TRUST NOTHING" in found.out
