"""The data flow of both sides, read from their graphs."""

import json
import zipfile

import pytest

from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.wire import bytes_field, text_field
from ckptmap.suggest.graphs import Node, flow, graph_nodes, meta_nodes
from ckptmap.suggest.keras_graph import keras_flow, read_keras_graph
from ckptmap.suggest.model import Item, Layer
from tests.suggest.test_certainty import found, matched_layers, new, old


def node(name, op, *inputs):
    return text_field(1, name) + text_field(2, op) + b"".join(text_field(3, one) for one in inputs)


GRAPH = b"".join(
    bytes_field(1, one)
    for one in (
        node("x", "Placeholder"),
        node("a/w", "VariableV2"),
        node("a/w/read", "Identity", "a/w"),
        node("b/w", "VarHandleOp"),
        node("b/read", "ReadVariableOp", "b/w"),
        node("a/MatMul", "MatMul", "x", "a/w/read:0", "^x"),
        node("relu", "Relu", "a/MatMul"),
        node("b/MatMul", "MatMul", "relu", "b/read"),
        node("gradients/b", "MatMul", "b/MatMul", "a/w/read"),
        node("save/Assign", "Assign", "a/w", "b/MatMul"),
    )
)


def test_the_nodes_of_a_graph_and_of_a_meta_graph():
    nodes = graph_nodes(GRAPH)
    assert nodes[5] == Node("a/MatMul", "MatMul", ("x", "a/w/read"))
    assert meta_nodes(bytes_field(2, GRAPH)) == nodes


def test_layers_lie_before_those_that_take_their_results_and_training_does_not_count():
    assert flow(graph_nodes(GRAPH), {"a/w": 0, "b/w": 1}) == flow(graph_nodes(GRAPH), {"b/w": 1, "a/w": 0})
    result = flow(graph_nodes(GRAPH), {"a/w": 0, "b/w": 1})
    assert result.before == (0, 0b01)
    assert result.direct == (0, 0b01)


def test_a_graph_of_something_else_says_nothing():
    assert flow(graph_nodes(GRAPH), {"other/w": 0}) is None


def test_a_loop_ends():
    nodes = [
        Node("w", "VariableV2", ()),
        Node("start", "Placeholder", ()),
        Node("merge", "Merge", ("start", "next")),
        Node("cell", "MatMul", ("merge", "w")),
        Node("next", "NextIteration", ("cell",)),
    ]
    assert flow(nodes, {"w": 0}).before == (0,)


KERAS_2 = {"a": [], "b": [[["a", 0, 0, {}]]], "c": [[["a", 0, 0, {}]]], "add": [[["b", 0, 0, {}], ["c", 0, 0, {}]]]}
HISTORY = {name: {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}} for name in "abc"}
KERAS_3 = {
    "a": [],
    "b": [{"args": [HISTORY["a"]], "kwargs": {}}],
    "c": [{"args": [HISTORY["a"]], "kwargs": {}}],
    "add": [{"args": [[HISTORY["b"], HISTORY["c"]]], "kwargs": {}}],
}


def model(nodes):
    return json.dumps(
        {"config": {"layers": [{"config": {"name": name}, "inbound_nodes": n} for name, n in nodes.items()]}}
    )


@pytest.mark.parametrize("nodes", [KERAS_2, KERAS_3])
def test_who_takes_whose_results_in_a_keras_model(nodes, tmp_path):
    file = tmp_path / "model.json"
    file.write_text(model(nodes))
    assert read_keras_graph(file) == {"a": (), "b": ("a",), "c": ("a",), "add": ("b", "c")}


def test_an_archive_and_a_sequential_model(tmp_path):
    file = tmp_path / "model.keras"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", model({"a": [], "b": []}))
    assert read_keras_graph(file) == {"a": (), "b": ("a",)}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"config": {"layers": [1]}}', "[" * 100_000])
def test_what_is_no_model_is_refused(text, tmp_path):
    file = tmp_path / "model.json"
    file.write_text(text)
    with pytest.raises(CkptmapError, match="no graph of a Keras model"):
        read_keras_graph(file)


def test_layers_without_weights_are_looked_through():
    layers = [
        Layer(f"net/{name}", name, {"kernel": Item(f"net/{name}/kernel", name, (2, 2))}) for name in ("a", "b", "d")
    ]
    graph = {"a": (), "b": ("a",), "c": ("a",), "add": ("b", "c"), "d": ("add",)}
    result = keras_flow(graph, layers)
    assert result.before == (0, 0b001, 0b011)
    assert result.direct == (0, 0b001, 0b011)


BRANCHES = [
    Node("image", "Placeholder", ()),
    *(Node(f"{name}/weights", "VariableV2", ()) for name in ("stem", "left", "right", "more")),
    Node("stem/MatMul", "MatMul", ("image", "stem/weights")),
    Node("left/MatMul", "MatMul", ("stem/MatMul", "left/weights")),
    Node("right/MatMul", "MatMul", ("stem/MatMul", "right/weights")),
    Node("more/MatMul", "MatMul", ("right/MatMul", "more/weights")),
    Node("add", "Add", ("left/MatMul", "more/MatMul")),
]


def test_two_graphs_tell_branches_of_one_shape_apart():
    one = old(("stem", (4, 8)), ("left", (8, 8)), ("right", (8, 8)), ("more", (8, 8)))
    other = new(("p", (8, 8)), ("q", (8, 8)), ("r", (8, 8)), ("s", (4, 8)))
    graph = {"s": (), "q": ("s",), "r": ("s",), "p": ("q",), "add": ("p", "r")}
    pairs = found(matched_layers(one, other, BRANCHES, graph))
    assert pairs == {"stem": ("s", True), "left": ("r", True), "right": ("q", True), "more": ("p", True)}


def test_two_graphs_leave_branches_that_are_the_same_in_doubt():
    one = old(("stem", (4, 8)), ("left", (8, 8)), ("right", (8, 8)))
    other = new(("p", (8, 8)), ("q", (8, 8)), ("s", (4, 8)))
    nodes = [node for node in BRANCHES if "more" not in node.name and node.name != "add"]
    pairs = found(matched_layers(one, other, nodes, {"s": (), "q": ("s",), "p": ("s",)}))
    assert {scope: sure for scope, (_, sure) in pairs.items()} == {"stem": True, "left": False, "right": False}
