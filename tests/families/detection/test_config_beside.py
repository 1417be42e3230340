from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ckptmap.families.detection.config_beside import config_beside
from ckptmap.families.detection.recognition.architecture import Architecture, Backbone, Heads
from ckptmap.families.family import Beside, Difference

CONFIG = """\
model {{
  ssd {{
    num_classes: {classes}
    feature_extractor {{ type: "{kind}" depth_multiplier: {multiplier} }}
    box_predictor {{ convolutional_box_predictor {{ use_depthwise: {depthwise} }} }}
    anchor_generator {{
      ssd_anchor_generator {{
        num_layers: 3
        aspect_ratios: [1, 2, 0.5, 3, 0.33]
        reduce_boxes_in_lowest_layer: {reduced}
      }}
    }}
  }}
}}
"""
FIELDS = {"classes": 90, "kind": "ssd_mobilenet_v2", "multiplier": 1.0, "depthwise": "false", "reduced": "true"}
SSD = Architecture(
    "ssd_mobilenet_v2",
    "ssd",
    Backbone("mobilenet_v2", "MobileNet", 1.0),
    Heads("convolutional_box_predictor", 90, (3, 6, 6), 3),
    "ssd_mobilenet_v2",
)


def write(path: Path, **fields: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CONFIG.format(**{**FIELDS, **fields}))
    return path


def test_a_config_that_agrees(tmp_path: Path) -> None:
    config = write(tmp_path / "pipeline.config")
    assert config_beside(str(tmp_path / "model.ckpt"), SSD) == Beside(str(config), "ssd_mobilenet_v2", ())


def test_a_keras_type_is_the_same_architecture(tmp_path: Path) -> None:
    write(tmp_path / "pipeline.config", kind="ssd_mobilenet_v2_keras")
    found = config_beside(str(tmp_path / "ckpt-0"), SSD)
    assert found is not None
    assert found.differences == ()


@pytest.mark.parametrize(
    ("fields", "difference"),
    [
        ({"classes": 11}, Difference("num_classes", "11", "90")),
        ({"kind": "ssd_mobilenet_v1"}, Difference("feature_extractor type", "ssd_mobilenet_v1", "ssd_mobilenet_v2")),
        ({"multiplier": 0.75}, Difference("depth_multiplier", "0.75", "1")),
        ({"depthwise": "true"}, Difference("use_depthwise", "true", "false")),
        ({"reduced": "false"}, Difference("anchors per location", "6, 6, 6", "3, 6, 6")),
    ],
)
def test_a_config_that_speaks_of_another_model(
    tmp_path: Path, fields: dict[str, object], difference: Difference
) -> None:
    write(tmp_path / "pipeline.config", **fields)
    found = config_beside(str(tmp_path / "model.ckpt"), SSD)
    assert found is not None
    assert found.differences == (difference,)


def test_a_config_of_another_meta_architecture(tmp_path: Path) -> None:
    write(tmp_path / "pipeline.config")
    two_stages = replace(SSD, name="faster_rcnn_resnet50", meta_architecture="mask_rcnn")
    found = config_beside(str(tmp_path / "model.ckpt"), two_stages)
    assert found is not None
    assert found.differences == (Difference("model", "ssd", "faster_rcnn"),)


def test_center_net_has_no_anchors(tmp_path: Path) -> None:
    (tmp_path / "pipeline.config").write_text('model { center_net { num_classes: 3 feature_extractor { type: "x" } } }')
    center_net = Architecture("centernet_hourglass", "center_net", Backbone("hourglass", "Hourglass"), Heads("", 4))
    found = config_beside(str(tmp_path / "ckpt-0"), center_net)
    assert found is not None
    assert found.differences == (Difference("num_classes", "3", "4"),)


def test_what_the_checkpoint_does_not_tell_is_not_compared(tmp_path: Path) -> None:
    write(tmp_path / "pipeline.config", classes=11, multiplier=0.5, depthwise="true")
    silent = replace(SSD, backbone=Backbone("mobilenet_v2", "MobileNet"), heads=Heads())
    found = config_beside(str(tmp_path / "model.ckpt"), silent)
    assert found is not None
    assert found.differences == ()


def test_masks_of_an_unknown_predictor_are_not_compared(tmp_path: Path) -> None:
    predictor = "second_stage_box_predictor { mask_rcnn_box_predictor { predict_instance_masks: true } }"
    (tmp_path / "pipeline.config").write_text(f"model {{ faster_rcnn {{ {predictor} }} }}")
    silent = Architecture("faster_rcnn_resnet50", "faster_rcnn", Backbone("resnet_v1_50", "ResNet"))
    found = config_beside(str(tmp_path / "ckpt-0"), silent)
    assert found is not None
    assert found.differences == ()


@pytest.mark.parametrize("inner", ["checkpoint/ckpt-0", "saved_model/variables/variables"])
def test_the_config_of_an_export_lies_above(tmp_path: Path, inner: str) -> None:
    config = write(tmp_path / "pipeline.config")
    (tmp_path / inner).parent.mkdir(parents=True)
    found = config_beside(str(tmp_path / inner), SSD)
    assert found is not None
    assert found.path == str(config)


def test_the_only_config_of_a_folder(tmp_path: Path) -> None:
    config = write(tmp_path / "my_ssd.config")
    found = config_beside(str(tmp_path / "model.ckpt"), SSD)
    assert found is not None
    assert found.path == str(config)
    write(tmp_path / "other.config")
    assert config_beside(str(tmp_path / "model.ckpt"), SSD) is None


def test_a_config_further_up_belongs_to_something_else(tmp_path: Path) -> None:
    write(tmp_path / "pipeline.config")
    (tmp_path / "run").mkdir()
    assert config_beside(str(tmp_path / "run" / "model.ckpt"), SSD) is None


def test_an_unknown_model_is_not_compared(tmp_path: Path) -> None:
    config = write(tmp_path / "pipeline.config")
    assert config_beside(str(tmp_path / "model.ckpt"), None) == Beside(
        str(config), "ssd_mobilenet_v2", note="not compared: the checkpoint holds no detector that ckptmap knows"
    )


def test_a_config_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.config"
    path.write_text("model { ssd {")
    found = config_beside(str(tmp_path / "model.ckpt"), SSD)
    assert found is not None
    assert found.differences is None
    assert found.note.startswith("cannot be read: ")
