"""The data flow of both sides, read from their graphs."""

import json
import zipfile

import pytest

from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.wire import bytes_field, number_field, text_field
from ckptmap.suggest.graphs import flow, graph_nodes, meta_nodes
from ckptmap.suggest.keras_graph import keras_flow, read_keras_graph
from ckptmap.suggest.layer_values import Item, Layer
from ckptmap.suggest.new_graph import new_flow, read_new_graph, saved_graph_of
from ckptmap.suggest.nodes import Node
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


@pytest.mark.parametrize("factor", ["Const", "VariableV2"])
def test_a_weight_times_a_number_is_still_its_layers_weight(factor):
    nodes = [
        Node("x", "Placeholder", ()),
        Node("a", "VariableV2", ()),
        Node("b", "VariableV2", ()),
        Node("factor", factor, ()),
        Node("first", "MatMul", ("x", "a")),
        Node("scaled", "Mul", ("b", "factor")),
        Node("second", "MatMul", ("first", "scaled")),
    ]
    assert flow(nodes, {"a": 0, "b": 1}).before == (0, 0b01)


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


def test_what_is_given_by_name_in_keras_2_counts_too(tmp_path):
    file = tmp_path / "model.json"
    file.write_text(model({"a": [], "b": [], "add": [[["a", 0, 0, {"y": ["b", 0, 0]}]]]}))
    assert read_keras_graph(file)["add"] == ("a", "b")


@pytest.mark.parametrize("history", [[], "a", ["a", 0]])
def test_only_a_list_of_two_numbers_behind_a_name_is_a_source(history, tmp_path):
    """A string and a number may be an argument of the layer's own."""
    file = tmp_path / "model.json"
    inner = {"class_name": "__keras_tensor__", "config": {"keras_history": ["a", 0, 0]}}
    file.write_text(model({"a": [], "b": [{"args": [inner, ["c", 0, "d"], history], "kwargs": {}}], "c": []}))
    assert read_keras_graph(file)["b"] == ("a",)


def test_an_archive_and_a_sequential_model(tmp_path):
    file = tmp_path / "model.keras"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", model({"a": [], "b": []}))
    assert read_keras_graph(file) == {"a": (), "b": ("a",)}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"config": {"layers": [1]}}', "[" * 100_000])
def test_what_is_no_model_is_refused(text, tmp_path):
    file = tmp_path / "model.json"
    file.write_text(text)
    with pytest.raises(CkptmapError, match="not a graph of a Keras model"):
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


def function(name, arguments, nodes, result):
    signature = text_field(1, name) + b"".join(bytes_field(2, text_field(1, one)) for one in arguments)
    body = b"".join(bytes_field(3, one) for one in nodes)
    return bytes_field(1, bytes_field(1, signature) + body + bytes_field(4, text_field(1, "y") + text_field(2, result)))


def call(name, op, attribute, called, *inputs):
    held = bytes_field(5, text_field(1, attribute) + bytes_field(2, bytes_field(10, text_field(1, called))))
    return node(name, op, *inputs) + held


BODY = (
    node("read", "ReadVariableOp", "w"),
    node("product", "MatMul", "state", "read:value:0"),
    node("out", "Identity", "product:product:0"),
)
CELL = function("body", ("state", "w"), BODY, "out:output:0")


@pytest.mark.parametrize(
    ("op", "attribute", "inputs"),
    [
        ("While", "body", ("first", "b/w")),
        ("If", "then_branch", ("x", "first", "b/w")),
        ("PartitionedCall", "f", ("first", "b/w")),
    ],
)
def test_what_a_graph_calls_stands_in_the_place_of_the_call(op, attribute, inputs):
    nodes = (
        node("x", "Placeholder"),
        node("a/w", "VarHandleOp"),
        node("b/w", "VarHandleOp"),
        node("c/w", "VarHandleOp"),
        node("a/read", "ReadVariableOp", "a/w"),
        node("first", "MatMul", "x", "a/read"),
        call("call", op, attribute, "body", *inputs),
        node("c/read", "ReadVariableOp", "c/w"),
        node("last", "MatMul", "call:output:0", "c/read"),
    )
    graph = b"".join(bytes_field(1, one) for one in nodes) + bytes_field(2, CELL)
    result = flow(graph_nodes(graph), {"a/w": 0, "b/w": 1, "c/w": 2})
    assert result.direct == (0, 0b001, 0b010)


def test_a_function_that_calls_itself_ends():
    again = function("body", ("state",), (call("inner", "PartitionedCall", "f", "body", "state"),), "inner:output:0")
    graph = bytes_field(1, node("x", "Placeholder")) + bytes_field(1, call("c", "While", "body", "body", "x"))
    assert len(graph_nodes(graph + bytes_field(2, again))) == 3


def saved_model(*, bound=(2, 3)):
    def variable(name):
        return bytes_field(1, bytes_field(7, text_field(6, f"{name}:0")))

    def child(at, name):
        return bytes_field(1, number_field(1, at) + text_field(2, name))

    root = bytes_field(1, child(1, "a") + child(2, "kernel_a") + child(3, "kernel_b"))
    objects = root + bytes_field(1, b"") + variable("dense/kernel") + variable("other/kernel")
    concrete = bytes_field(2, b"".join(number_field(2, at) for at in bound))
    objects += bytes_field(2, text_field(1, "__inference_signature_wrapper_7") + concrete)
    nodes = (
        node("read_b", "ReadVariableOp", "captured_1"),
        node("first", "MatMul", "x", "read_b:value:0"),
        node("read_a", "ReadVariableOp", "captured_0"),
        node("last", "MatMul", "first:product:0", "read_a:value:0"),
    )
    run = function("__inference_signature_wrapper_7", ("x", "captured_0", "captured_1"), nodes, "last:product:0")
    return bytes_field(2, bytes_field(2, bytes_field(2, run)) + bytes_field(7, objects))


@pytest.mark.parametrize("names", [("dense", "other"), ("kernel_a", "kernel_b")])
def test_the_function_of_a_saved_model_says_which_variables_lie_before_which(tmp_path, names):
    (tmp_path / "saved_model.pb").write_bytes(saved_model())
    leaf = "/kernel" if names[0] == "dense" else ""
    layers = [Layer(one, one, {"kernel": Item(f"{one}{leaf}", f"{one}{leaf}", (4, 4))}) for one in names]
    for path in (tmp_path, tmp_path / "saved_model.pb"):
        assert new_flow(read_new_graph(path), layers).direct == (0b10, 0)
    assert new_flow(read_new_graph(tmp_path), [Layer("z", "z", {"kernel": Item("z/w", "z/w", (4, 4))})]) is None


def test_a_saved_model_without_variables_or_damaged_is_refused(tmp_path):
    file = tmp_path / "saved_model.pb"
    file.write_bytes(saved_model(bound=()))
    with pytest.raises(CkptmapError, match="no function that reads variables"):
        read_new_graph(tmp_path)
    assert saved_graph_of(tmp_path) is None
    file.write_bytes(saved_model()[:-3])
    with pytest.raises(CkptmapError, match=r"saved_model\.pb"):
        read_new_graph(tmp_path)
    assert saved_graph_of(tmp_path / "variables" / "variables") is None


def test_a_misspelt_graph_file_has_the_nearest_name(tmp_path):
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(CkptmapError, match="no such file") as caught:
        read_keras_graph(tmp_path / "modle.json")
    assert caught.value.problem.hint == f"did you mean {tmp_path / 'model.json'}?"
