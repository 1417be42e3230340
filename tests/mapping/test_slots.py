from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Variable
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.mapping.roles import roles
from ckptmap.mapping.slots import Slot, averages_of, classify

CASES = Path(__file__).parents[3] / "shared" / "cases"
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
W = "Conv/weights"


def variables(shapes: dict[str, tuple[int, ...]]) -> dict[str, Variable]:
    return {name: Variable(name, DType.FLOAT32, shape, 0) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        ("Conv/weights/ExponentialMovingAverage", Slot("ema", W, None, "ExponentialMovingAverage")),
        ("Conv/weights/Momentum", Slot("slot", W, "Momentum", "Momentum")),
        ("Conv/weights/RMSProp", Slot("slot", W, "RMSProp", "RMSProp")),
        ("Conv/weights/RMSProp_1", Slot("slot", W, "RMSProp", "RMSProp_1")),
        ("Conv/weights/Adam", Slot("slot", W, "Adam", "Adam")),
        ("Conv/weights/Adam_1", Slot("slot", W, "Adam", "Adam_1")),
        ("Conv/weights/adam_m", Slot("slot", W, "AdamWeightDecay", "adam_m")),
        ("Conv/weights/adam_v", Slot("slot", W, "AdamWeightDecay", "adam_v")),
        ("Conv/weights/Adagrad", Slot("slot", W, "Adagrad", "Adagrad")),
        ("Conv/weights/Ftrl", Slot("slot", W, "Ftrl", "Ftrl")),
        ("Conv/weights/Ftrl_1", Slot("slot", W, "Ftrl", "Ftrl_1")),
        ("training/Conv/weights/Adam", Slot("slot", W, "Adam", "Adam", "training")),
        ("tower_0/training/Conv/weights/Adam", Slot("slot", W, "Adam", "Adam", "tower_0/training")),
        ("Conv/weights/Adam_G", Slot("slot", W, "Adam", "Adam_G")),
        ("Conv/weights/Adam_G_1", Slot("slot", W, "Adam", "Adam_G_1")),
        ("Conv/weights/generator_opt", Slot("slot", W, "generator_opt", "generator_opt")),
        ("mine/Conv/weights/ExponentialMovingAverage", Slot("ema", W, None, "ExponentialMovingAverage", "mine")),
        ("Conv/weights/part_0/Ftrl_1", Slot("slot", W, "Ftrl", "Ftrl_1")),
        ("Conv/weights/t_0/Adagrad", Slot("slot", W, "Adagrad", "Adagrad")),
        ("Conv/weights_slot_v", Slot("slot", W, "Adafactor", "slot_v")),
        ("Conv/weights_slot_m", Slot("slot", W, "Adafactor", "slot_m")),
        ("train/Conv/weights/Adafactor", Slot("slot", W, "Adafactor", "Adafactor", "train")),
        ("OptimizeLoss/Conv/weights/Adam_1", Slot("slot", W, "Adam", "Adam_1", "OptimizeLoss")),
        ("training/Ftrl/Conv/weights/accumulator", Slot("slot", W, "Ftrl", "accumulator", "training/Ftrl")),
        ("training/Ftrl/Conv/weights/linear", Slot("slot", W, "Ftrl", "linear", "training/Ftrl")),
        ("training_2/Adam/Conv/weights/m", Slot("slot", W, "Adam", "m", "training_2/Adam")),
        ("Adam/Conv/weights/vhat_1", Slot("slot", W, "Adam", "vhat_1", "Adam")),
        ("SGD/Conv/weights/momentum", Slot("slot", W, "SGD", "momentum", "SGD")),
        ("global_step", Slot("bookkeeping", None, None, "bookkeeping: the training step")),
        ("beta1_power", Slot("bookkeeping", None, "Adam", "bookkeeping: a running power of the Adam optimizer")),
        (
            "training/beta2_power_1",
            Slot("bookkeeping", None, "Adam", "bookkeeping: a running power of the Adam optimizer"),
        ),
        ("training/Adam/iter", Slot("bookkeeping", None, "Adam", "bookkeeping: iter of the Adam optimizer")),
        ("training/Ftrl/beta", Slot("bookkeeping", None, "Ftrl", "bookkeeping: beta of the Ftrl optimizer")),
        (
            "training/Ftrl/l1_regularization_strength",
            Slot("bookkeeping", None, "Ftrl", "bookkeeping: l1_regularization_strength of the Ftrl optimizer"),
        ),
        ("Adam/learning_rate", Slot("bookkeeping", None, "Adam", "bookkeeping: learning_rate of the Adam optimizer")),
        ("Conv/weights_quant/min", Slot("quantization", W, None, "range of quantization-aware training")),
        ("Conv/act_quant/max", Slot("quantization", None, None, "range of quantization-aware training")),
        (
            "Conv/act_quant/Conv/act_quant/min/biased",
            Slot("quantization", None, None, "range of quantization-aware training"),
        ),
        (
            "Conv/act_quant/Conv/act_quant/max/local_step",
            Slot("quantization", None, None, "range of quantization-aware training"),
        ),
        ("fake_quantization_step", Slot("quantization", None, None, "step counter of quantization-aware training")),
    ],
)
def test_each_form(name, slot):
    shape = () if slot.kind in ("bookkeeping", "quantization") else (3, 4)
    assert classify(variables({W: (3, 4), name: shape})) == {name: slot}


@pytest.mark.parametrize(
    "name",
    [
        "Conv/weights",
        "Dense/weights/Momentum",
        "tower/Dense/weights/Adam",
        "Conv/weights_slot_vr",
        "Conv/weights/mask",
        "Conv/weights/log_sigma",
        "Adam",
        "Conv/Adam",
        "training/Adam/beta",
        "head/_slot_v",
        "Adam/Dense/weights/m",
        "Conv/weights/m",
        "beta",
        "lstm/learning_rate",
        "Conv/act_quant/weights",
        "quantizer/min",
    ],
)
def test_a_weight_is_no_slot(name):
    assert classify(variables({"Conv/weights": (3, 4), name: (3, 4)})) == {}


@pytest.mark.parametrize(
    ("checkpoint", "counts"),
    [
        ("tf1_bert_tiny_keras_bert/bert_model.ckpt", {("slot", "AdamWeightDecay"): 92, ("bookkeeping", None): 1}),
        ("tf1_mtcnn_pnet/PNet-18", {("slot", "Momentum"): 15}),
        (
            "tf1_sharded2_t2t_transformer_test/model.ckpt-1",
            {("slot", "Adam"): 162, ("bookkeeping", "Adam"): 2, ("bookkeeping", None): 1},
        ),
        ("train_faster_rcnn_resnet101_egg/model.ckpt-11", {("slot", "Momentum"): 322, ("bookkeeping", None): 1}),
        (
            "train_ssd_mobilenet_v1_songwenbin/model.ckpt-197793",
            {("slot", "RMSProp"): 258, ("ema", None): 129, ("bookkeeping", None): 1},
        ),
        ("v1format_nxt_tensorflow_with_meta/model.ckpt", {("slot", "Adam"): 8, ("bookkeeping", "Adam"): 2}),
        ("zoo_ssd_mobilenet_v2_2018_03_29/model.ckpt", {("bookkeeping", None): 1}),
    ],
)
def test_real_checkpoints(checkpoint, counts):
    path = CORPUS / "tf1" / f"{checkpoint}.vars.json"
    if not path.is_file():
        pytest.skip("the corpus of real checkpoints is not on this machine")
    shapes = {name: tuple(shape) for name, _, shape in json.loads(path.read_text())}
    assert Counter((slot.kind, slot.optimizer) for slot in classify(variables(shapes)).values()) == counts


def test_the_rows_and_columns_of_adafactor_lack_a_dimension_of_their_owner():
    found = classify(variables({"a/k": (8, 16), "a/k_slot_vr": (16,), "a/k_slot_vc": (8,), "a/q_slot_vc": (8,)}))
    assert found == {
        "a/k_slot_vr": Slot("slot", "a/k", "Adafactor", "slot_vr"),
        "a/k_slot_vc": Slot("slot", "a/k", "Adafactor", "slot_vc"),
    }


def test_the_slots_of_a_part_are_as_large_as_the_part():
    shapes = {
        "emb": (30, 8),
        "emb/part_0/Adagrad": (10, 8),
        "emb/part_1/Adagrad": (20, 8),
        "emb/part_2/Adagrad": (10, 4),
    }
    assert list(classify(variables(shapes))) == ["emb/part_0/Adagrad", "emb/part_1/Adagrad"]


def test_an_owner_of_another_shape_is_none():
    assert classify(variables({"w": (3,), "w/Adam": (4,), "x/w/Momentum": (3, 1)})) == {}


def test_the_longest_owner_that_fits_is_the_owner():
    found = classify(variables({"w": (3,), "a/w": (5,), "a/w/Adam": (3,), "b/a/w/Adam": (5,)}))
    assert found == {
        "a/w/Adam": Slot("slot", "w", "Adam", "Adam", "a"),
        "b/a/w/Adam": Slot("slot", "a/w", "Adam", "Adam", "b"),
    }


def test_of_several_moving_averages_the_plainest_is_taken():
    ema = "ExponentialMovingAverage"
    shapes = dict.fromkeys(["w", f"w/{ema}", f"w/{ema}_1", f"a/w/{ema}", "v", f"b/v/{ema}"], (3,))
    for names in (list(shapes), list(reversed(shapes))):
        found = classify(variables({name: shapes[name] for name in names}))
        assert averages_of(found) == {"w": f"w/{ema}", "v": f"b/v/{ema}"}


def test_two_slots_of_an_optimizer_whose_name_says_nothing():
    found = classify(variables({"w": (3,), "w/mine": (3,), "w/mine_1": (3,), "w/other": (3,)}))
    assert {name: slot.optimizer for name, slot in found.items()} == {"w/mine": "mine", "w/mine_1": "mine"}


def test_a_keras_optimizer_of_any_name_counts_its_steps():
    shapes = {"w": (3,), "mine/w/m": (3,), "mine/w/v": (3,), "mine/iter": (), "mine/beta_1": (), "other/w/m": (3,)}
    found = classify(variables(shapes))
    assert {name: slot.kind for name, slot in found.items()} == {
        "mine/w/m": "slot",
        "mine/w/v": "slot",
        "mine/iter": "bookkeeping",
        "mine/beta_1": "bookkeeping",
    }


def test_slots_that_keras_only_numbered():
    shapes = {"w": (3,), "Adam/iterations": (), "training/Adam/Variable": (3,), "training/Adam/Variable_1": (3,)}
    found = classify(variables({**shapes, "Adam/Variable_x": (3,), "net/Variable": (3,)}))
    assert [name for name, slot in found.items() if slot.kind == "slot"] == list(shapes)[2:]


COMPONENTS = st.sampled_from(["net", "w", "kernel", "Adam", "Momentum_D", "train", "ema", "m", "part_0", "b_1", "opt"])
NAMES = st.lists(COMPONENTS, min_size=1, max_size=5).map("/".join)
SHAPES = st.lists(st.integers(1, 4), max_size=3).map(tuple)
SCOPES = st.lists(st.from_regex(r"[a-z]{1,6}(_[0-9])?", fullmatch=True), max_size=4).map("/".join)
LEAVES = st.sampled_from(["Adam", "Adam_1", "Adam_G", "Momentum", "RMSProp_1", "MyAdagrad", "Ftrl", "D_opt", "LAMB"])


@given(SCOPES, NAMES, LEAVES, SHAPES)
def test_a_slot_is_one_below_any_scope(scope, owner, leaf, shape):
    name = f"{scope}/{owner}/{leaf}" if scope else f"{owner}/{leaf}"
    slot = classify(variables({owner: shape, name: shape})).get(name)
    assert slot is not None
    assert (slot.kind, slot.owner, slot.label, slot.scope) == ("slot", owner, leaf, scope)


@given(st.dictionaries(NAMES, SHAPES, max_size=12))
def test_only_what_is_as_large_as_a_variable_in_its_name_is_a_slot(shapes):
    for name, slot in classify(variables(shapes)).items():
        assert slot.owner in shapes
        assert f"{slot.scope}/".lstrip("/") + slot.owner in name
        assert len(shapes[slot.owner]) == len(shapes[name])


@given(SCOPES, LEAVES, SHAPES)
def test_a_weight_that_ends_as_a_slot_but_has_no_owner_stays_a_weight(scope, leaf, shape):
    name = f"{scope}/{leaf}" if scope else leaf
    assert classify(variables({name: shape, "other": shape, f"{name}x": shape})) == {}


@pytest.mark.parametrize(
    ("case", "weights", "parameters", "counts"),
    [
        ("detectors/H2-04-slots-under-a-scope", 2, 9, {"slot": 4, "ema": 2, "bookkeeping": 2}),
        ("models/L15/tf1", 31, None, {"slot": 56, "bookkeeping": 1}),
    ],
)
def test_the_cases(case, weights, parameters, counts):
    if not (CASES / case).is_dir():
        pytest.skip("the cases that went wrong are not on this machine")
    with open_checkpoint(CASES / case) as checkpoint:
        held = checkpoint.inventory.variables
        found = roles(checkpoint.inventory)
    assert Counter(slot.kind for slot in found.values()) == counts
    left = [variable for name, variable in held.items() if name not in found]
    assert len(left) == weights
    assert parameters is None or sum(variable.elements for variable in left) == parameters
