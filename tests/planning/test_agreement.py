"""Names on which a source and a target agree."""

from __future__ import annotations

import pytest

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.mapping import apply_table
from ckptmap.planning.agreement import agreement
from ckptmap.targets.dims import Dim
from ckptmap.targets.target import Target, Template
from ckptmap.targets.variables import SpecVariable

Shapes = dict[str, tuple[int, ...]]


def source(names: dict[str, tuple[str, ...]], shapes: Shapes | None = None) -> Inventory:
    """Variables by name, each with its further names."""
    held = {n: Variable(n, DType.FLOAT32, (shapes or {}).get(n, (2,)), 8) for n in sorted(names)}
    return Inventory(Kind.KERAS, "source", held, names=names)


def target(names: dict[str, str], shapes: Shapes | None = None, dtype: DType = DType.FLOAT32) -> Target:
    """Variables by object path, each with its readable name."""
    variables = tuple(
        SpecVariable(key, name, dtype, tuple(map(Dim, (shapes or {}).get(key, (2,))))) for key, name in names.items()
    )
    return Target("target", variables, root="model", template=Template("target"))


def pairs(one: Inventory, other: Target) -> dict[str, str]:
    result = apply_table(agreement(one, other), one.variables)
    assert result.problems == ()
    return {assignment.sources[0]: assignment.target for assignment in result.assignments}


def test_readable_names_agree_whatever_the_paths_are() -> None:
    one = source({"a/kernel": ("layer-1/kernel",), "b/kernel": ("layer-2/kernel",)})
    other = target({"_operations/2/_kernel": "a/kernel", "_operations/1/_kernel": "b/kernel"})
    assert pairs(one, other) == {"a/kernel": "_operations/2/_kernel", "b/kernel": "_operations/1/_kernel"}


def test_a_scope_around_all_names_of_a_side_does_not_matter() -> None:
    one, other = source({"net/a/kernel": (), "net/b/bias": ()}), target({"x/k": "a/kernel", "y/b": "b/bias"})
    assert pairs(one, other) == {"net/a/kernel": "x/k", "net/b/bias": "y/b"}


def test_leaves_that_versions_of_keras_call_differently() -> None:
    one = source({"dw/depthwise_kernel": (), "d1/kernel": ()})
    assert pairs(one, target({"dw/kernel": "net/kernel", "d1/_kernel": "net/kernel"})) == {
        "dw/depthwise_kernel": "dw/kernel",
        "d1/kernel": "d1/_kernel",
    }


def test_numbers_in_the_files_of_keras_3() -> None:
    leaves = ("gamma", "beta", "moving_mean", "moving_variance")
    one = source({f"bn/{leaf}": () for leaf in leaves})
    other = target({f"layers/bn_layer/vars/{at}": f"bn/{at}" for at in range(4)})
    assert pairs(one, other) == {f"bn/{leaf}": f"layers/bn_layer/vars/{at}" for at, leaf in enumerate(leaves)}
    assert pairs(
        source({f"bn/{at}": () for at in range(4)}), target({f"m/{leaf}": f"bn/{leaf}" for leaf in leaves})
    ) == {f"bn/{at}": f"m/{leaf}" for at, leaf in enumerate(leaves)}


def test_a_layer_with_a_leaf_of_no_known_place_is_not_numbered() -> None:
    assert pairs(source({"x/kernel": (), "x/mine": ()}), target({"l/vars/0": "x/0", "l/vars/1": "x/1"})) == {}


def test_paths_win_where_more_of_them_agree_than_of_names_counted_in_the_order_of_making() -> None:
    """A second model in one process is numbered on: ``dense_1`` here is not ``dense_1`` there."""
    one = source({f"dense{n}/kernel": (f"layer-{at}/kernel",) for at, n in enumerate(("", "_1", "_2"))})
    other = target({f"layer-{at}/kernel": f"dense_{at + 1}/kernel" for at in range(3)})
    assert pairs(one, other) == {
        "dense/kernel": "layer-0/kernel",
        "dense_1/kernel": "layer-1/kernel",
        "dense_2/kernel": "layer-2/kernel",
    }


def test_what_two_variables_could_mean_agrees_with_nothing() -> None:
    other = target({"a/kernel": "net/kernel", "b/kernel": "net/kernel"})
    assert pairs(source({"net/kernel": (), "q/w": ()}), other) == {}


def test_a_whole_name_agrees_whatever_the_shapes_and_the_meaning_of_a_leaf_does_not() -> None:
    one = source({"a/kernel": (), "b/depthwise_kernel": ()}, {"a/kernel": (3,), "b/depthwise_kernel": (3,)})
    assert pairs(one, target({"x/k": "a/kernel", "y/k": "b/kernel"})) == {"a/kernel": "x/k"}


@pytest.mark.parametrize("dtype", [DType.UINT32, DType.INT64])
def test_states_of_random_layers_are_no_weights(dtype: DType) -> None:
    one = source({"a/kernel": (), "drop/seed_generator/0": ()})
    seed = target({"drop/seed_generator/vars/0": "drop/seed_generator/0"}, dtype=dtype).variables
    weight = target({"a/_kernel": "a/kernel"})
    table = agreement(one, Target("t", (*weight.variables, *seed), template=Template("t")))
    result = apply_table(table, one.variables)
    assert [drop.source for drop in result.drops] == ["drop/seed_generator/0"]
    assert [(rule.pattern.text, rule.value) for rule in table.inits] == [("drop/seed_generator/vars/0", "initializer")]


def test_nothing_agrees() -> None:
    assert agreement(source({"a/b": ()}), target({"c/d": "e/f"})).rules == ()
