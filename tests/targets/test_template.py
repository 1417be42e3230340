"""Any TF2 checkpoint as the target."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ckptmap.basics.errors import TargetError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.checkpoint.object_graph import Node, ObjectGraph, SavedTensor, SlotReference
from ckptmap.checkpoint.object_paths import object_paths
from ckptmap.targets.target import Target
from ckptmap.targets.template import as_shipped, template_target

TAIL = "/.ATTRIBUTES/VARIABLE_VALUE"
TOY_SHAPES = {
    "_feature_extractor/layer_with_weights-0/kernel": (3, 3, 3, 16),
    "_feature_extractor/layer_with_weights-1/moving_mean": (16,),
    "_box_predictor/box/0/kernel": (1, 1, 16, 12),
    "_box_predictor/class/1/kernel": (1, 1, 16, 18),
}


def inventory(shapes: dict[str, tuple[int, ...]], object_based: bool = True) -> Inventory:
    variables = {key: Variable(key, DType.FLOAT32, shape, 4) for key, shape in shapes.items()}
    return Inventory(Kind.V2, "zoo/ckpt-0", variables, object_based=object_based)


def keyed(shapes: dict[str, tuple[int, ...]], root: str = "model/") -> dict[str, tuple[int, ...]]:
    return {f"{root}{path}{TAIL}": shape for path, shape in shapes.items()}


def shapes_of(target: Target) -> dict[str, tuple[int, ...]]:
    layout = target.layout()
    return {variable.key: variable.shape for variable in layout.variables_with(layout.solve({}))}


def test_slots_and_bookkeeping_are_left_out() -> None:
    slot = f"model/dense/kernel/.OPTIMIZER_SLOT/optimizer/momentum{TAIL}"
    others = [f"{name}{TAIL}" for name in ("save_counter", "step", "optimizer/iter", "optimizer/learning_rate")]
    shapes = {**keyed({"dense/kernel": (2, 3), "dense/bias": (3,)}), slot: (2, 3), **dict.fromkeys(others, ())}
    target = template_target(inventory({**shapes, "_CHECKPOINTABLE_OBJECT_GRAPH": ()}), None)
    assert target.root == "model"
    assert shapes_of(target) == {"dense/kernel": (2, 3), "dense/bias": (3,)}
    assert target.table is None


def test_slots_that_only_the_object_graph_knows() -> None:
    keys = [f"model/dense/kernel{TAIL}", f"opt/_variables/1{TAIL}"]
    nodes = (
        Node(slots=(SlotReference(1, "m", 2),)),
        Node(tensors=(SavedTensor("VARIABLE_VALUE", "dense/kernel", keys[0]),)),
        Node(tensors=(SavedTensor("VARIABLE_VALUE", "", keys[1]),)),
    )
    target = template_target(inventory(dict.fromkeys(keys, (2,))), object_paths(ObjectGraph(nodes)))
    assert [variable.key for variable in target.variables] == ["dense/kernel"]


@pytest.mark.parametrize(
    ("above", "optimized"),
    [("net/", ("net",)), ("", ("",)), ("net/optimizer_of_mine/", ()), ("net/inner/", ("net/inner",))],
)
def test_a_model_that_was_saved_compiled_is_known(above: str, optimized: tuple[str, ...]) -> None:
    optimizer = f"{above}optimizer/_iterations{TAIL}" if optimized else f"{above}_iterations{TAIL}"
    keys = [f"net/kernel{TAIL}", optimizer]
    nodes = [Node(tensors=(SavedTensor("VARIABLE_VALUE", key, key),)) for key in keys]
    known = replace(
        object_paths(ObjectGraph((Node(), *nodes))), paths={keys[0]: "net/kernel"}, beside=frozenset(keys[1:])
    )
    target = template_target(inventory(dict.fromkeys(keys, ())), known)
    assert target.template is not None
    assert target.template.optimized == optimized
    assert [variable.key for variable in target.variables] == ["kernel"]


@pytest.mark.parametrize(
    ("path", "trainable", "initializer"),
    [
        ("_vars/net.Sconv0_bn.Smoving_mean", False, "zeros"),
        ("_vars/net.Sconv0_bn.Smoving_variance", False, "ones"),
        ("_vars/net.Sconv0_bn.Sgamma", True, "ones"),
        ("_vars/net.Sconv0.Sweights", True, "variance_scaling"),
        ("_operations/3/_kernel", True, "variance_scaling"),
        ("_operations/3/bias", True, "zeros"),
        ("bn/moving_variance", False, "ones"),
    ],
)
def test_the_last_word_of_a_path_says_what_a_variable_is(path: str, trainable: bool, initializer: str) -> None:
    target = template_target(inventory(keyed({path: (3, 4), "other/beta": (4,)})), None)
    found = next(variable for variable in target.variables if variable.key == path)
    assert (found.trainable, found.initializer.kind) == (trainable, initializer)


def test_names_come_from_the_object_graph_or_else_the_path() -> None:
    keys = [f"net/layer-1/kernel{TAIL}", f"net/layer-1/bias{TAIL}"]
    tensors = (SavedTensor("VARIABLE_VALUE", "dense/kernel", keys[0]), SavedTensor("VARIABLE_VALUE", "", keys[1]))
    target = template_target(inventory(dict.fromkeys(keys, (2,))), object_paths(ObjectGraph((Node(tensors=tensors),))))
    assert [(v.key, v.name) for v in target.variables] == [
        ("layer-1/kernel", "dense/kernel"),
        ("layer-1/bias", "layer-1/bias"),
    ]


def test_several_roots_stay_in_the_paths() -> None:
    target = template_target(inventory({f"encoder/kernel{TAIL}": (2,), f"decoder/kernel{TAIL}": (3,)}), None)
    assert target.root == ""
    assert shapes_of(target) == {"encoder/kernel": (2,), "decoder/kernel": (3,)}


def test_a_shipped_model_is_recognized_by_keys_and_shapes(toy: Target) -> None:
    target = as_shipped(template_target(inventory(keyed(TOY_SHAPES)), None), [toy])
    assert (target.name, target.table) == ("zoo/ckpt-0", "toy")
    assert shapes_of(target) == TOY_SHAPES
    assert [v.name for v in target.variables] == [
        "Conv1/kernel",
        "bn_Conv1/moving_mean",
        "BoxPredictor/BoxHead_0/BoxEncodingPredictor/kernel",
        "BoxPredictor/ClassHead_0/ClassPredictor/kernel",
    ]
    assert target.variables[0].initializer.kind == "truncated_normal"
    assert [v.part for v in target.variables] == ["backbone", "backbone", "box head", "class head"]


@pytest.mark.parametrize(
    "other",
    [
        {"_feature_extractor/layer_with_weights-0/kernel": (5, 5, 3, 16)},
        {"_feature_extractor/layer_with_weights-1/moving_mean": (17,)},
        {"_feature_extractor/layer_with_weights-2/kernel": (1,)},
    ],
)
def test_another_model_is_not(toy: Target, other: dict[str, tuple[int, ...]]) -> None:
    target = as_shipped(template_target(inventory(keyed({**TOY_SHAPES, **other})), None), [toy])
    assert target.table is None
    assert target.variables[0].name == target.variables[0].key


def test_tf1_checkpoints_are_refused() -> None:
    with pytest.raises(TargetError, match="zoo/ckpt-0: a TF1 checkpoint cannot be the target"):
        template_target(inventory({"Conv/weights": (2,)}, object_based=False), None)


def test_nothing_of_a_model() -> None:
    with pytest.raises(TargetError, match="holds no variable of a model"):
        template_target(inventory({f"save_counter{TAIL}": ()}), None)
