from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from ckptmap.mapping.slots import Slot, classify

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
W = "Conv/weights"


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
        ("training/Conv/weights/Adam", Slot("slot", W, "Adam", "Adam")),
        ("OptimizeLoss/Conv/weights/Adam_1", Slot("slot", W, "Adam", "Adam_1")),
        ("training/Ftrl/Conv/weights/accumulator", Slot("slot", W, "Ftrl", "accumulator")),
        ("training/Ftrl/Conv/weights/linear", Slot("slot", W, "Ftrl", "linear")),
        ("training_2/Adam/Conv/weights/m", Slot("slot", W, "Adam", "m")),
        ("Adam/Conv/weights/vhat_1", Slot("slot", W, "Adam", "vhat_1")),
        ("SGD/Conv/weights/momentum", Slot("slot", W, "SGD", "momentum")),
        ("global_step", Slot("bookkeeping", None, None, "bookkeeping: the training step")),
        ("beta1_power", Slot("bookkeeping", None, "Adam", "bookkeeping: a running power of the Adam optimizer")),
        (
            "training/beta2_power_1",
            Slot("bookkeeping", None, "Adam", "bookkeeping: a running power of the Adam optimizer"),
        ),
        ("training/Adam/iter", Slot("bookkeeping", None, "Adam", "bookkeeping: iter of the Adam optimizer")),
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
    assert classify([W, name]) == {name: slot}


@pytest.mark.parametrize(
    "name",
    [
        "Conv/weights",
        "Dense/weights/Momentum",
        "tower/Conv/weights/Adam",
        "Adam/Dense/weights/m",
        "Conv/weights/m",
        "beta",
        "lstm/learning_rate",
        "Conv/act_quant/weights",
        "quantizer/min",
    ],
)
def test_a_weight_is_no_slot(name):
    assert classify(["Conv/weights", name]) == {}


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
    names = [name for name, _, _ in json.loads(path.read_text())]
    assert Counter((slot.kind, slot.optimizer) for slot in classify(names).values()) == counts
