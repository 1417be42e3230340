"""What has no value in a graph with conditions. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ckptmap.tf.verify.general.side import Node, Side, Spec
from ckptmap.tf.verify.layers.anatomy import Anatomy
from ckptmap.tf.verify.layers.branches import find_dead


class Told:
    """A model whose conditions are what the test says."""

    def __init__(self, nodes: Sequence[Node], conditions: Mapping[str, Any]) -> None:
        end = Spec("end", f"{nodes[-1].name}:0", (), "float32")
        self.side = Side("", "", (Spec("x", "x:0", (), "float32"),), (end,), (), tuple(nodes))
        self.asked: list[list[str]] = []
        self._conditions = conditions

    def run(self, _: Any, fetches: Sequence[str]) -> dict[str, Any]:
        self.asked.append(list(fetches))
        return {name: np.asarray(self._conditions[name]) for name in fetches}


def condition(name: str, taken: str, predicate: str) -> tuple[Node, ...]:
    """``left`` where it is true, ``right`` where it is not."""
    return (
        Node(f"{name}/Switch", "Switch", (taken, predicate)),
        Node(f"{name}/left", "Tanh", (f"{name}/Switch:1",)),
        Node(f"{name}/right", "Relu", (f"{name}/Switch",)),
    )


X = Node("x", "Placeholder", ())
P, Q = Node("p", "Less", ("x", "x")), Node("q", "Less", ("x", "x"))


def test_the_branch_that_is_not_taken_is_dead() -> None:
    nodes = (
        X,
        P,
        *condition("a", "x", "p"),
        Node("merged", "Merge", ("a/right", "a/left")),
        Node("end", "Abs", ("merged",)),
    )
    for value, dead, unit in (
        (True, {"a/right", "a/Switch:0"}, "a/left:0"),
        (False, {"a/left", "a/Switch:1"}, "a/right:0"),
    ):
        model = Told(nodes, {"p:0": value})
        found = find_dead(model, {}, ())
        assert (found, model.asked) == (dead, [["p:0"]])
        assert Anatomy(model.side, found).units["merged"].inputs == (unit,)


def test_a_condition_in_a_branch_is_asked_only_where_the_branch_is_taken() -> None:
    inner = (Node("q", "Less", ("a/left", "a/left")), *condition("b", "a/left", "q"))
    merged = (Node("b/merged", "Merge", ("b/right", "b/left")), Node("merged", "Merge", ("a/right", "b/merged")))
    nodes = (X, P, *condition("a", "x", "p"), *inner, *merged)
    taken = Told(nodes, {"p:0": True, "q:0": False})
    assert find_dead(taken, {}, ()) == {"a/Switch:0", "a/right", "b/Switch:1", "b/left"}
    assert taken.asked == [["p:0"], ["q:0"]]
    left = Told(nodes, {"p:0": False})
    assert find_dead(left, {}, ()) == {"a/Switch:1", "a/left", "q", "b/Switch", "b/left", "b/right", "b/merged"}
    assert left.asked == [["p:0"]]


def test_a_value_that_a_branch_makes_by_itself_is_dead_with_it() -> None:
    zero = Node("zero", "Const", ("^a/left",))
    nodes = (X, P, *condition("a", "x", "p"), zero, Node("merged", "Merge", ("a/right", "zero")))
    assert {"zero", "a/left"} <= find_dead(Told(nodes, {"p:0": False}), {}, ())


def test_one_of_several_branches() -> None:
    nodes = (
        X,
        P,
        Node("s", "_SwitchN", ("x", "p"), {"num_outs": 3}),
        Node("one", "Abs", ("s:1",)),
        Node("m", "Merge", ("s", "one")),
    )
    assert find_dead(Told(nodes, {"p:0": 1}), {}, ()) == {"s:0", "s:2"}
    assert find_dead(Told(nodes, {"p:0": 7}), {}, ()) == {"s:0", "s:1", "one", "m"}  # the last one, which nothing takes


def test_a_graph_without_conditions_is_not_run() -> None:
    model = Told((X, P), {})
    assert (find_dead(model, {}, ()), model.asked) == (frozenset(), [])
