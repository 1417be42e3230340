"""Object paths that do not lead through an optimizer, and all further ways to what is shared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ckptmap.checkpoint.object_graph import Child, Node, ObjectGraph, SavedTensor, variable_key
from ckptmap.checkpoint.object_graph_writing import build_object_graph
from ckptmap.checkpoint.object_paths import object_paths


def variable(key: str, name: str = "") -> Node:
    return Node(tensors=(SavedTensor("VARIABLE_VALUE", name, variable_key(key)),))


def parent(**children: int) -> Node:
    return Node(tuple(Child(name, number) for name, number in children.items()))


KERAS_3 = ObjectGraph(
    (
        parent(model=1, opt=2, save_counter=3),
        parent(_tracked=4, _operations=5),
        parent(_variables=8, _trainable_variables=9, _iterations=10),
        variable("save_counter"),
        Node((Child("0", 6),)),
        Node((Child("0", 6),)),
        parent(_kernel=7),
        variable("opt/_trainable_variables/0", "dense/kernel"),
        Node((Child("0", 10), Child("1", 11))),
        Node((Child("0", 7),)),
        variable("opt/_iterations"),
        variable("opt/_variables/1"),
    )
)


def test_a_weight_that_the_file_names_by_its_optimizer_has_the_path_of_the_model() -> None:
    found = object_paths(KERAS_3)
    assert found.paths == {
        variable_key("save_counter"): "save_counter",
        variable_key("opt/_trainable_variables/0"): "model/_tracked/0/_kernel",
    }
    assert found.links == {"model/_operations/0": "model/_tracked/0"}
    assert found.beside == {variable_key("opt/_iterations"), variable_key("opt/_variables/1")}


def test_whatever_is_called_an_optimizer_is_passed_by() -> None:
    graph = ObjectGraph((parent(net=1, _optimizer=2), parent(w=3), parent(w=3), variable("_optimizer/w")))
    found = object_paths(graph)
    assert (found.paths, found.links) == ({variable_key("_optimizer/w"): "net/w"}, {})


def test_a_circle_of_objects_ends() -> None:
    graph = ObjectGraph((parent(a=1), parent(b=2), parent(up=1, w=3), variable("a/b/w")))
    found = object_paths(graph)
    assert (found.paths, found.links) == ({variable_key("a/b/w"): "a/b/w"}, {"a/b/up": "a"})


names = st.sampled_from("abc")
trees = st.dictionaries(st.lists(names, min_size=2, max_size=4).map("/".join), st.just(""), min_size=1)


@given(trees, st.lists(st.tuples(names, names, st.integers(0, 9)), max_size=5))
def test_a_graph_made_of_paths_and_links_has_every_way_of_the_first(
    paths: dict[str, str], wanted: list[tuple[str, str, int]]
) -> None:
    whole = {path: "" for path in paths if not any(other.startswith(f"{path}/") for other in paths)}
    ends = sorted(whole)
    links = {f"{one}{other}x": ends[number % len(ends)] for one, other, number in wanted}
    first = build_object_graph(whole, links)
    found = object_paths(first)
    again = build_object_graph(dict.fromkeys(found.paths.values(), ""), found.links)
    for path in [*whole, *links]:
        key = first.key(path)
        assert key is not None
        assert again.key(path) == variable_key(found.paths[key])
