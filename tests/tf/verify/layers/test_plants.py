"""Faults are planted in the Keras model: the walk names the layer and the cause. The right pair agrees."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from ckptmap.basics.errors import CkptmapError
from ckptmap.tf.environment import import_quietly, tensorflow_alone
from ckptmap.tf.verify.layers import Explanation, Pair, explain
from ckptmap.tf.verify.layers.causes import Known
from ckptmap.tf.verify.measuring import ROUNDING
from tests.tf.verify.layers.models import MODELS, PLANTS, RAW, Model, Plant
from tests.tf.verify.layers.sides import Run, keras3, tf1

QUICK = (
    ("plain", "swapped"), ("plain", "valid"), ("plain", "scale"), ("plain", "raw"), ("plain", "leaky"),
    ("resnet", "epsilon unit1_b_bn"), ("resnet", "training unit2_a_bn"), ("lstm", "forget"), ("transformer", "gelu"),
)  # fmt: skip


@cache
def old_side(name: str) -> tuple[Run, dict[str, Any]]:
    model = MODELS[name]
    return tf1(model.old, (None, *model.shape[1:]), model.dtype)


def converted(model: Model, values: dict[str, Any]) -> tuple[dict[str, Any], list[Pair]]:
    """What the new variables should hold, and the pairs."""
    made = model.convert(values)
    sources = {name for names, _ in made.values() for name in names}
    plain = [name for name in values if name not in sources]
    groups: dict[tuple[str, ...], list[str]] = {}
    for new, (names, _) in made.items():
        groups.setdefault(names, []).append(new)
    pairs = [Pair((name,), (name,)) for name in plain]
    pairs += [Pair(names, tuple(new)) for names, new in groups.items()]
    return {name: values[name] for name in plain} | {new: value for new, (_, value) in made.items()}, pairs


def explained(model: Model, fault: str = "", plant: Plant | None = None) -> Explanation:
    _, values = old_side(model.name)
    wanted, pairs = converted(model, values)
    planted = plant.values(wanted) if plant else {}
    checkpoint = {}
    if plant and plant.cause == RAW:
        # the graph runs with its averages, which stand as the weights; the raw weights are beside them
        checkpoint = dict(planted)
    return compared(model, fault, wanted | dict(planted), pairs, Known(wanted, checkpoint))


def compared(model: Model, fault: str, held: dict[str, Any], pairs: list[Pair], known: Known) -> Explanation:
    before, _ = old_side(model.name)
    tensorflow_alone()
    keras = import_quietly("keras")
    built = model.new(keras, fault)
    after = keras3(built, (None, *model.shape[1:]), held, model.dtype)
    generator = np.random.default_rng(3)
    if model.dtype == "int32":
        given = generator.integers(0, int(model.scale), model.shape).astype(np.int32)
    else:
        given = (np.abs(generator.normal(size=model.shape)) * model.scale).astype(np.float32)
    feeds = {before.side.inputs[0].tensor: given}, {after.side.inputs[0].tensor: given}
    outputs = [(before.side.outputs[0].tensor, after.side.outputs[0].tensor)]
    return explain(before, after, pairs, feeds, outputs, known=known)


@pytest.mark.parametrize(("name", "one", "other"), [("dnn", "dense1", "dense2"), ("plain", "conv2", "conv3")])
def test_layers_that_a_table_gave_each_others_place_are_named(name: str, one: str, other: str) -> None:
    """The table says so, and the conversion did it: all values are as they should be by the table."""
    model = MODELS[name]
    wanted, pairs = converted(model, old_side(name)[1])
    leaves = [leaf for leaf in ("kernel", "bias") if f"{one}/{leaf}" in wanted]
    crossing = {f"{a}/{leaf}": f"{b}/{leaf}" for leaf in leaves for a, b in ((one, other), (other, one))}
    held = {new: wanted[crossing.get(new, new)] for new in wanted}
    crossed = [Pair(pair.old, tuple(crossing.get(new, new) for new in pair.new)) for pair in pairs]
    found = compared(model, "", held, crossed, Known(held, {}))
    assert [cause.name for cause in found.causes] == ["swapped layers"], (found.first, found.causes)
    assert one in found.causes[0].text
    assert other in found.causes[0].text


def quick(plant: Plant) -> Any:
    few = (plant.model, plant.fault) in QUICK
    return pytest.param(plant, id=str(plant), marks=() if few else pytest.mark.matrix)


@pytest.mark.parametrize("plant", [quick(plant) for plant in PLANTS])
def test_a_planted_fault_is_found_and_named(plant: Plant) -> None:
    found = explained(MODELS[plant.model], plant.fault, plant)
    assert found.first is not None
    assert found.first.layer.name == plant.layer, found.first.text
    assert [cause.name for cause in found.causes] == [plant.cause], found.causes
    assert all(cause.proven for cause in found.causes), found.causes


@pytest.mark.parametrize(
    "name", [name if name in ("plain", "lstm") else pytest.param(name, marks=pytest.mark.matrix) for name in MODELS]
)
def test_the_right_pair_agrees(name: str) -> None:
    found = explained(MODELS[name])
    assert found.first is None
    assert found.causes == ()
    assert all(step.relative is not None and step.relative <= ROUNDING for step in found.steps)
    assert found.steps[-1].is_output
    assert len(found.steps) > 4


@pytest.mark.parametrize(("also", "larger"), [(False, []), (True, [("logits", ["zeroed bias"])])])
def test_a_small_difference_hides_no_large_one_behind_it(*, also: bool, larger: list[tuple[str, list[str]]]) -> None:
    """What the small one grows to by itself is no other difference."""
    model = MODELS["plain"]
    wanted, pairs = converted(model, old_side("plain")[1])
    held = wanted | {"conv1/kernel": wanted["conv1/kernel"] * np.float32(1.0001)}
    if also:
        held["logits/bias"] = np.zeros_like(held["logits/bias"])
    found = compared(model, "", held, pairs, Known(wanted, {}))
    assert found.first is not None
    assert (found.first.layer.name, [cause.name for cause in found.causes]) == ("conv1", ["scaled values"])
    assert [(one.first.layer.name, [cause.name for cause in one.causes]) for one in found.larger] == larger


def test_a_difference_that_the_next_layer_makes_up_for_is_none() -> None:
    """The new model doubles what the conversion halves in the kernel behind it."""
    model = MODELS["plain"]
    wanted, pairs = converted(model, old_side("plain")[1])
    halved = wanted | {"conv3/kernel": wanted["conv3/kernel"] / 2}
    found = compared(model, "doubled", halved, pairs, Known(halved, {}))
    assert found.first is None
    assert [step.name for step in found.steps if step.relative is not None and step.relative > 0.1] == ["conv3"]
    zeroed = halved | {"logits/bias": np.zeros_like(halved["logits/bias"])}
    found = compared(model, "doubled", zeroed, pairs, Known(halved, {}))
    assert found.first is not None
    assert (found.first.layer.name, [cause.name for cause in found.causes]) == ("logits", ["zeroed bias"])


def test_at_least_forty_faults_in_ten_models() -> None:
    assert len(MODELS) == 10
    assert len(PLANTS) >= 40
    assert {plant.model for plant in PLANTS} == set(MODELS)
    assert len({str(plant) for plant in PLANTS}) == len(PLANTS)


def test_models_with_nothing_in_common_are_refused() -> None:
    before, _ = old_side("plain")
    with pytest.raises(CkptmapError, match="no layer in common"):
        explain(before, before, [Pair(("conv1/kernel",), ("another/kernel",))], ({}, {}), [])


def test_progress_is_told() -> None:
    told: list[str] = []
    before, values = old_side("plain")
    feeds = {before.side.inputs[0].tensor: np.zeros(MODELS["plain"].shape, np.float32)}
    output = before.side.outputs[0].tensor
    pairs = [Pair((name,), (name,)) for name in values]
    found = explain(before, before, pairs, (feeds, feeds), [(output, output)], say=told.append)
    assert found.first is None
    assert told == ["comparing layers 1 to 8 of 8"]


def test_a_model_that_gives_another_result_each_time_is_called_so() -> None:
    def noisy(v1: Any, get: Any, x: Any) -> Any:
        y = v1.matmul(x, get("first/kernel", (10, 6)))
        return v1.matmul(v1.nn.dropout(y, rate=0.5), get("second/kernel", (6, 3)))

    def quiet(v1: Any, get: Any, x: Any) -> Any:
        return v1.matmul(v1.matmul(x, get("first/kernel", (10, 6))), get("second/kernel", (6, 3)))

    (before, values), (after, _) = (tf1(build, (None, 10)) for build in (noisy, quiet))
    given = np.ones((4, 10), np.float32)
    feeds = tuple({side.side.inputs[0].tensor: given} for side in (before, after))
    outputs = [(before.side.outputs[0].tensor, after.side.outputs[0].tensor)]
    found = explain(before, after, [Pair((name,), (name,)) for name in values], (feeds[0], feeds[1]), outputs)
    assert found.first is not None
    assert found.first.text == "after first (MatMul)"
    assert [(cause.name, cause.proven) for cause in found.causes] == [("randomness", True)]
    assert found.causes[0].text == "the old model gives another result each time"
