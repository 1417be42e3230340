"""Variables of two models brought together without a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ckptmap.tf.verify.general.side import Node, Side, Spec, Variable
from ckptmap.tf.verify.layers.pairing import Pair
from ckptmap.tf.verify.layers.variable_matching import match_variables

Array = Any


@dataclass(frozen=True)
class Chain:
    """A side of matrix products, one behind the other, in NumPy."""

    values: Mapping[str, Array]
    keys: Mapping[str, str]

    @property
    def side(self) -> Side:
        nodes, last = [Node("x", "Placeholder", ())], "x"
        variables = []
        for name, value in self.values.items():
            nodes += [Node(name, "VariableV2", ()), Node(f"{name}/read", "Identity", (name,))]
            nodes.append(Node(f"{name}/use", "MatMul", (last, f"{name}/read")))
            last = f"{name}/use"
            key = self.keys.get(name, "")
            variables.append(Variable(name, name, (f"{name}/read:0",), value.shape, "float32", key))
        ends = (Spec("x", "x:0", (None,), "float32"),), (Spec("y", f"{last}:0", (None,), "float32"),)
        return Side("", "", *ends, tuple(variables), tuple(nodes))

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> dict[str, Array]:
        assert not feeds
        return {name: self.values[name.removesuffix("/read:0")] for name in fetches}


def chain(names: str, *, start: int = 0, keys: Mapping[str, str] | None = None) -> Chain:
    generator = np.random.default_rng(start)
    return Chain({name: generator.normal(size=(3, 3)).astype(np.float32) for name in names.split()}, keys or {})


def test_names_come_first_and_weights_are_kernels() -> None:
    found = match_variables(chain("a/weights b/weights"), chain("B/kernel A/kernel", start=1))
    assert set(found.pairs) == {Pair(("a/weights",), ("A/kernel",)), Pair(("b/weights",), ("B/kernel",))}
    assert (found.only_old, found.only_new) == ((), ())


def test_values_pair_what_names_do_not() -> None:
    old = chain("a/weights b/weights")
    new = Chain({"one/kernel": old.values["b/weights"], "two/kernel": old.values["a/weights"]}, {})
    found = match_variables(old, new)
    assert set(found.pairs) == {Pair(("a/weights",), ("two/kernel",)), Pair(("b/weights",), ("one/kernel",))}


def test_the_order_of_the_computation_pairs_the_rest() -> None:
    found = match_variables(chain("a/weights b/weights"), chain("one/kernel two/kernel", start=1))
    assert found.pairs == (Pair(("a/weights",), ("one/kernel",)), Pair(("b/weights",), ("two/kernel",)))


def test_other_counts_are_left_alone() -> None:
    found = match_variables(chain("a/weights b/weights"), chain("one/kernel", start=1))
    assert found.pairs == ()
    assert (found.only_old, found.only_new) == (("a/weights", "b/weights"), ("one/kernel",))


def test_the_report_of_the_conversion_decides() -> None:
    new = chain(
        "a/kernel b/kernel c/kernel", start=1, keys={"a/kernel": "layer-1/kernel", "b/kernel": "layer-0/kernel"}
    )
    report = {
        "target_variables": [
            {"key": "model/layer-1/kernel/_value", "name": "layer-1/kernel", "source": "b/weights"},
            {"key": "model/layer-0/kernel", "name": "x", "source": "a/weights/ExponentialMovingAverage"},
            {"key": "nowhere", "name": "c/kernel", "source": ["b/weights"]},
            {"key": "nowhere", "name": "d/kernel", "source": None},
        ]
    }
    found = match_variables(chain("a/weights b/weights"), new, report)
    assert found.pairs == (Pair(("b/weights",), ("a/kernel", "c/kernel")), Pair(("a/weights",), ("b/kernel",)))
