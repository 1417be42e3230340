from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.checkpoint.object_graph import (
    Child,
    Node,
    ObjectGraph,
    SavedTensor,
    SlotReference,
    escape_name,
    unescape_name,
    variable_key,
)
from ckptmap.checkpoint.object_graph_reading import parse_object_graph, parse_saved_names
from ckptmap.checkpoint.object_graph_writing import build_object_graph, format_object_graph, smallest_graph
from ckptmap.checkpoint.wire import FormatError, bytes_field, number_field, text_field


@pytest.mark.parametrize(
    ("name", "part"), [("a", "a"), ("a/b.c", "a.Sb..c"), ("..S", "....S"), (".S/", "..S.S"), ("", "")]
)
def test_names_in_keys(name: str, part: str) -> None:
    assert escape_name(name) == part
    assert unescape_name(part) == name


def test_a_key() -> None:
    assert variable_key("model/layer/kernel") == "model/layer/kernel/.ATTRIBUTES/VARIABLE_VALUE"


def test_the_smallest_graph() -> None:
    graph = build_object_graph({"model/a.Sb/w": "layer/w", "model/c": "c", "save_counter": "save_counter"})
    assert graph.nodes == (
        Node((Child("model", 1), Child("save_counter", 2))),
        Node((Child("a/b", 3), Child("c", 4))),
        Node((), (SavedTensor("VARIABLE_VALUE", "save_counter", "save_counter/.ATTRIBUTES/VARIABLE_VALUE"),)),
        Node((Child("w", 5),)),
        Node((), (SavedTensor("VARIABLE_VALUE", "c", "model/c/.ATTRIBUTES/VARIABLE_VALUE"),)),
        Node((), (SavedTensor("VARIABLE_VALUE", "layer/w", "model/a.Sb/w/.ATTRIBUTES/VARIABLE_VALUE"),)),
    )
    assert graph.root_names == ("model", "save_counter")
    assert graph.names.full_names["model/a.Sb/w/.ATTRIBUTES/VARIABLE_VALUE"] == "layer/w"


def test_a_link_is_one_more_edge_to_the_same_object() -> None:
    graph = build_object_graph({"m/long/0/w": "w", "m/b": "b"}, {"m/2/x": "m/long/0"})
    assert graph.nodes == (
        Node((Child("m", 1),)),
        Node((Child("long", 2), Child("b", 3), Child("2", 4))),
        Node((Child("0", 5),)),
        Node((), (SavedTensor("VARIABLE_VALUE", "b", "m/b/.ATTRIBUTES/VARIABLE_VALUE"),)),
        Node((Child("x", 5),)),
        Node((Child("w", 6),)),
        Node((), (SavedTensor("VARIABLE_VALUE", "w", "m/long/0/w/.ATTRIBUTES/VARIABLE_VALUE"),)),
    )
    assert graph.key("m/2/x/w") == graph.key("m/long/0/w")


def test_a_variable_is_found_along_the_names_of_its_objects() -> None:
    key = "model/variables/0/.ATTRIBUTES/VARIABLE_VALUE"
    graph = ObjectGraph(
        (
            Node((Child("model", 1),)),
            Node((Child("a/b", 2), Child("variables", 3))),
            Node((Child("w", 4),)),
            Node((Child("0", 4),)),
            Node((), (SavedTensor("OTHER", "w", "other"), SavedTensor("VARIABLE_VALUE", "w", key))),
        )
    )
    assert graph.key("model/a.Sb/w") == graph.key("model/variables/0") == key
    assert graph.key("model/a.Sb/v") is None
    assert graph.key("model/a.Sb") is None


def test_the_bytes_of_a_graph() -> None:
    root = b"\x0a\x05\x08\x01\x12\x01v" + b"\x2a\x02\x08\x01"
    tensor = b"\x0a\x0eVARIABLE_VALUE" + b"\x12\x01n" + b"\x1a\x1cv/.ATTRIBUTES/VARIABLE_VALUE"
    leaf = b"\x12\x31" + tensor + b"\x2a\x02\x08\x01"
    assert format_object_graph(build_object_graph({"v": "n"})) == b"\x0a\x0b" + root + b"\x0a\x37" + leaf


def test_a_variable_may_have_children() -> None:
    graph = build_object_graph({"v": "v", "v/slot": "v/slot"})
    assert graph.nodes[1].children == (Child("slot", 2),)
    assert graph.nodes[1].tensors[0].full_name == "v"


@pytest.mark.parametrize("path", ["model//w", "/w", "w/", ""])
def test_empty_names_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="empty name"):
        build_object_graph({path: "w"})


def test_a_variable_may_come_behind_its_children() -> None:
    graph = build_object_graph({"v/slot": "v/slot", "w": "w", "v": "v"})
    assert [[child.name for child in node.children] for node in graph.nodes] == [["v", "w"], ["slot"], [], []]
    assert [[tensor.full_name for tensor in node.tensors] for node in graph.nodes] == [[], ["v"], ["w"], ["v/slot"]]


def test_slots() -> None:
    key = "w/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE"
    graph = ObjectGraph(
        (
            Node((Child("w", 1),), (), (SlotReference(1, "m", 2),)),
            Node((), (SavedTensor("VARIABLE_VALUE", "w", "w/.ATTRIBUTES/VARIABLE_VALUE"),)),
            Node((), (SavedTensor("VARIABLE_VALUE", "w/m", key),)),
        )
    )
    assert parse_object_graph(format_object_graph(graph)) == graph
    assert graph.names.slot_keys == {key}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (bytes_field(1, bytes_field(1, number_field(1, 7))), "names an object that it does not hold"),
        (bytes_field(1, bytes_field(1, number_field(1, -1))), "names an object that it does not hold"),
        (bytes_field(1, bytes_field(3, number_field(3, 1))), "names an object that it does not hold"),
        (b"\x0a\x09\x00", "past the end"),
        (b"\x08\x01", "stored as a number"),
    ],
)
def test_damaged_graphs(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse_object_graph(data)


def test_a_graph_of_more_than_16_mib() -> None:
    long = "n" * 1000
    variables = {f"model/{long}/{number}": f"{long}/{number}" for number in range(9_000)}
    raw = b"".join(smallest_graph(variables))
    assert len(raw) > 1 << 24
    names = parse_saved_names(raw)
    assert names.full_names == {variable_key(path): name for path, name in variables.items()}
    assert names.slot_keys == frozenset()
    assert parse_object_graph(raw).names == names


def test_more_children_than_a_graph_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ckptmap.checkpoint.object_graph_reading._MAX_REFERENCES", 3)
    child = bytes_field(1, number_field(1, 0) + text_field(2, "a"))
    tensor = bytes_field(2, text_field(1, "VARIABLE_VALUE"))
    assert len(parse_object_graph(bytes_field(1, child * 2) + bytes_field(1, tensor)).nodes) == 2
    for nodes in ((child * 4,), (child * 2, tensor * 2), (tensor * 4,)):
        with pytest.raises(FormatError, match="claim more than 3 children and values"):
            parse_object_graph(b"".join(bytes_field(1, node) for node in nodes))


def test_fields_in_another_order_and_longer_numbers() -> None:
    """Nothing that TensorFlow writes, but the same message: the quick way reads it as the thorough one does."""
    tensor = text_field(3, "k/.ATTRIBUTES/VARIABLE_VALUE") + text_field(2, "n") + text_field(1, "VARIABLE_VALUE")
    long_length = b"\x12" + bytes([len(tensor) | 0x80, 0]) + tensor
    child = bytes_field(1, text_field(2, "w") + number_field(1, 1))
    raw = bytes_field(1, b"\x2a\x02\x08\x01" + child) + bytes_field(1, long_length)
    graph = parse_object_graph(raw)
    assert graph.nodes[0].children == (Child("w", 1),)
    assert graph.nodes[1].tensors == (SavedTensor("VARIABLE_VALUE", "n", "k/.ATTRIBUTES/VARIABLE_VALUE"),)
    assert parse_saved_names(raw) == graph.names


def test_cycles_are_no_trouble() -> None:
    graph = ObjectGraph((Node((Child("self", 0), Child("next", 1))), Node((Child("back", 0),))))
    assert parse_object_graph(format_object_graph(graph)) == graph


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_names_round_trip(name: str) -> None:
    assert unescape_name(escape_name(name)) == name
    assert "/" not in escape_name(name)


parts = st.text("ab./é", min_size=1, max_size=4).map(escape_name)


@given(
    st.dictionaries(st.lists(parts, min_size=1, max_size=4).map("/".join), st.text(max_size=5).filter(str.isprintable))
)
def test_graphs_round_trip_and_lead_to_each_variable(variables: dict[str, str]) -> None:
    graph = build_object_graph(variables)
    assert parse_object_graph(format_object_graph(graph)) == graph
    for path, full_name in variables.items():
        node = graph.nodes[0]
        for part in path.split("/"):
            node = graph.nodes[{child.name: child.node for child in node.children}[unescape_name(part)]]
        assert node.tensors == (SavedTensor("VARIABLE_VALUE", full_name, variable_key(path)),)
