"""The paths that are read in one pass are those of the walk, and what is not as usual is left to the walk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.checkpoint.object_graph import (
    Node,
    ObjectGraph,
    SavedTensor,
    SlotReference,
    variable_key,
)
from ckptmap.checkpoint.object_graph_reading import parse_object_graph
from ckptmap.checkpoint.object_graph_writing import build_object_graph, format_object_graph
from ckptmap.checkpoint.object_paths import object_paths
from ckptmap.checkpoint.usual_paths import usual_paths
from tests.checkpoint.test_object_paths import KERAS_3, names, parent, trees, variable


@given(trees, st.lists(st.tuples(names, names, st.integers(0, 9)), max_size=5))
def test_the_paths_are_those_of_the_walk_in_the_same_order(
    paths: dict[str, str], wanted: list[tuple[str, str, int]]
) -> None:
    whole = {path: f"{path}:0" for path in paths if not any(other.startswith(f"{path}/") for other in paths)}
    ends = sorted(whole)
    links = {f"{one}{other}x": ends[number % len(ends)] for one, other, number in wanted}
    data = format_object_graph(build_object_graph(whole, links))
    found, walked = usual_paths(data), object_paths(parse_object_graph(data))
    assert found == walked
    assert [*found.paths] == [*walked.paths]
    assert [*found.links] == [*walked.links]


def test_a_shared_layer_and_a_circle_are_links() -> None:
    nodes = (parent(a=1, b=1), parent(c=2, up=1), parent(a=1, w=3), variable("a/c/w"))
    found = usual_paths(format_object_graph(ObjectGraph(nodes)))
    assert found is not None
    assert (found.paths, found.links) == (
        {variable_key("a/c/w"): "a/c/w"},
        {"b": "a", "a/up": "a", "a/c/a": "a"},
    )


NET = (parent(net=1), parent(w=2), variable("net/w"))


@pytest.mark.parametrize(
    "nodes",
    [
        KERAS_3.nodes,
        (parent(net=1, _optimizer=2), parent(w=3), parent(w=3), variable("net/w")),
        (parent(net=2, w=1), variable("w"), parent(w=1)),  # not numbered where it is first met
        (*NET, variable("nowhere")),
        (variable("root"),),
        (NET[0], NET[1]._replace(slots=(SlotReference(2, "m", 2),)), NET[2]),
        (NET[0], NET[1], NET[2]._replace(tensors=(SavedTensor("OTHER", "", "net/w"),))),
        (NET[0], NET[1]._replace(tensors=NET[2].tensors), NET[2]),
    ],
)
def test_what_is_not_as_usual_is_left_to_the_walk(nodes: tuple[Node, ...]) -> None:
    assert usual_paths(format_object_graph(ObjectGraph(nodes))) is None


def test_damage_is_left_to_the_walk() -> None:
    data = format_object_graph(ObjectGraph(NET))
    assert usual_paths(data) is not None
    assert usual_paths(b"") is None
    assert [end for end in range(len(data)) if usual_paths(data[:end]) is not None] == []
    for at in range(len(data)):
        damaged = usual_paths(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        if damaged is not None:  # another letter of a name
            assert damaged == object_paths(parse_object_graph(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :]))
