from __future__ import annotations

from dataclasses import replace

import pytest

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.families.advice import advice
from ckptmap.families.detection.recognition.architecture import Architecture, Backbone
from ckptmap.families.family import Beside, Difference

LITE = Architecture(
    "ssdlite_mobilenet_v2", "ssd", Backbone("mobilenet_v2", "MobileNet"), extractor_type="ssd_mobilenet_v2"
)
INVENTORY = Inventory(Kind.V2, "old/model.ckpt", {})


def test_a_model_with_a_target() -> None:
    found = advice(INVENTORY, LITE, {"ssd_mobilenet_v2"})
    assert found.command == "ckptmap convert old/model.ckpt --to ssd_mobilenet_v2 -o ssdlite_mobilenet_v2_tf2"
    assert found.note == ""


def test_a_target_of_the_very_name_comes_first() -> None:
    found = advice(INVENTORY, LITE, {"ssd_mobilenet_v2", "ssdlite_mobilenet_v2"})
    assert "--to ssdlite_mobilenet_v2 " in found.command


def test_d6_may_be_d7() -> None:
    d6 = Architecture("efficientdet_d6", "efficientdet", Backbone("efficientnet_b6", "EfficientNet"))
    found = advice(INVENTORY, d6, {"efficientdet_d6"})
    assert found.command == "ckptmap convert old/model.ckpt --to efficientdet_d6 -o efficientdet_d6_tf2"
    assert found.note == "EfficientDet D7 has the same variables as D6: for one, use --to efficientdet_d7"


def test_a_path_is_quoted() -> None:
    found = advice(Inventory(Kind.V2, "my models/model.ckpt", {}), LITE, {"ssd_mobilenet_v2"})
    assert found.command.startswith("ckptmap convert 'my models/model.ckpt' --to ")


def test_a_config_that_agrees_knows_the_settings() -> None:
    config = Beside("old/pipeline.config", "ssd_mobilenet_v2", ())
    found = advice(INVENTORY, LITE, {"ssd_mobilenet_v2"}, config)
    assert found.command == (
        "ckptmap convert old/model.ckpt --pipeline old/pipeline.config -o ssdlite_mobilenet_v2_tf2"
    )


@pytest.mark.parametrize(
    "config",
    [
        Beside("pipeline.config", "ssd_mobilenet_v2", (Difference("num_classes", "11", "90"),)),
        Beside("pipeline.config", "ssd_mobilenet_v2", None, "cannot be read"),
        Beside("pipeline.config", "ssd_mobilenet_v2_keras", ()),
    ],
)
def test_any_other_config_does_not(config: Beside) -> None:
    assert " --to ssd_mobilenet_v2 " in advice(INVENTORY, LITE, {"ssd_mobilenet_v2"}, config).command


def test_no_target() -> None:
    found = advice(INVENTORY, LITE, ())
    assert found.command == ""
    assert found.note.startswith("no target for ssdlite_mobilenet_v2 is shipped: ")


def test_no_counterpart() -> None:
    homeless = replace(LITE, name="faster_rcnn_vgg", extractor_type="faster_rcnn_vgg")
    found = advice(INVENTORY, homeless, {"ssd_mobilenet_v2"})
    assert found.command == ""
    assert found.note == (
        "the Object Detection API has no Keras faster_rcnn_vgg: draft a table for your own TF2 model, then convert "
        "with it:\nckptmap suggest old/model.ckpt --to mine_tf2/ckpt-1 -o my_model.yaml\n"
        "ckptmap convert old/model.ckpt --table my_model.yaml --to mine_tf2/ckpt-1 -o new"
    )


def test_an_unknown_model() -> None:
    assert advice(INVENTORY, None, {"ssd_mobilenet_v2"}).note.startswith("unknown to ckptmap: ")


def test_a_tf2_checkpoint() -> None:
    found = advice(replace(INVENTORY, object_based=True), LITE, {"ssd_mobilenet_v2"})
    assert (found.command, found.note) == ("", "a TF2 checkpoint already: restore it with tf.train.Checkpoint")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Kind.SAVED_MODEL, "model/layer-1/kernel/.ATTRIBUTES/VARIABLE_VALUE"),
        (Kind.V2, "_model/_box_predictor/trainable_variables/0/.ATTRIBUTES/VARIABLE_VALUE"),
        (Kind.V2, "_model/_feature_extractor/variables/8/.ATTRIBUTES/VARIABLE_VALUE"),
    ],
)
def test_the_variables_of_a_saved_model(kind: Kind, name: str) -> None:
    variables = {name: Variable(name, DType.FLOAT32, (1,), 4)}
    found = advice(Inventory(kind, "variables", variables, object_based=True), LITE, {"ssd_mobilenet_v2"})
    assert found.command == ""
    assert "load its folder with tf.saved_model.load, or take the checkpoint" in found.note


@pytest.mark.parametrize(
    ("kind", "has"),
    [("ssd_mobilenet_v1_fpn", True), ("faster_rcnn_resnet50", True), ("faster_rcnn_inception_v2", True), ("", False)],
)
def test_counterparts(kind: str, has: bool) -> None:
    assert bool(replace(LITE, extractor_type=kind).homeless) is not has


def test_one_of_several_has_a_table_and_an_output_of_its_own() -> None:
    found = advice(INVENTORY, None, (), name="zoo/one 1")
    assert found.note.splitlines()[1:] == [
        "ckptmap suggest old/model.ckpt --to mine_tf2/ckpt-1 -o 'zoo-one 1.yaml'",
        "ckptmap convert old/model.ckpt --table 'zoo-one 1.yaml' --to mine_tf2/ckpt-1 -o 'new/zoo/one 1'",
    ]
    known = advice(INVENTORY, LITE, {"ssd_mobilenet_v2"}, name="a")
    assert known.command.endswith(" -o ssdlite_mobilenet_v2_tf2/a")
