from __future__ import annotations

import pytest

from ckptmap.families.detection.pipeline.config import parse_config, read_config
from ckptmap.families.detection.pipeline.settings import settings, target_name

SSD = """
model { ssd {
  num_classes: 7
  feature_extractor {
    type: 'TYPE' use_depthwise: true num_layers: 3 OVERRIDE
    conv_hyperparams { batch_norm { scale: true } }
  }
  box_predictor { convolutional_box_predictor { kernel_size: 3 use_dropout: false LAYERS } }
  anchor_generator { ssd_anchor_generator { num_layers: 3 aspect_ratios: [1, 2] } }
} }
"""


def ssd(name: str = "ssd_mobilenet_v2_keras", override: str = "", layers: str = "") -> str:
    return SSD.replace("TYPE", name).replace("OVERRIDE", override).replace("LAYERS", layers)


def test_ssd() -> None:
    found = settings(parse_config(ssd()))
    assert found.target == "ssd_mobilenet_v2"
    assert found.settings == {
        "use_explicit_padding": False,
        "use_depthwise": True,
        "override_base_feature_extractor_hyperparams": False,
        "batch_norm": "scale and center",
        "num_layers": 3,
        "use_dropout": False,
        "num_layers_before_predictor": 0,
        "predictor_use_depthwise": False,
        "predictor_batch_norm": "none",
    }
    assert found.unknowns == {
        "num_classes": 7,
        "anchors_0": 3,
        "anchors_1": 3,
        "anchors_2": 3,
        "box_code_size": 4,
        "predictor_kernel": 3,
    }
    assert found.given({"num_layers", "num_classes", "other"}) == {"num_layers": 3, "num_classes": 7}


def test_shared_predictor() -> None:
    text = """
    model { ssd { num_classes: 2 feature_extractor { type: 'ssd_resnet50_v1_fpn_exact_keras' fpn { max_level: 6 } }
      box_predictor { weight_shared_convolutional_box_predictor {
        depth: 256 num_layers_before_predictor: 4 share_prediction_tower: true
        conv_hyperparams { batch_norm { scale: true } } } }
      anchor_generator { multiscale_anchor_generator { max_level: 4 aspect_ratios: [1, 2, 0.5] } } } }
    """
    found = settings(parse_config(text))
    assert (found.target, found.settings["fpn_min_level"], found.settings["fpn_max_level"]) == (
        "ssd_resnet50_v1_fpn",
        3,
        6,
    )
    assert found.settings["share_prediction_tower"] is True
    assert found.settings["num_layers_before_predictor"] == 4
    assert found.settings["predictor_batch_norm"] == "scale and center"
    assert found.unknowns == {
        "num_classes": 2,
        "anchors": 6,
        "anchors_0": 6,
        "anchors_1": 6,
        "box_code_size": 4,
        "predictor_kernel": 3,
        "predictor_depth": 256,
    }


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("num_layers_before_predictor: 2", 0),
        ("num_layers_before_predictor: 2 max_depth: 64", 2),
        ("num_layers_before_predictor: 1 min_depth: 8 max_depth: 8", 1),
    ],
)
def test_no_convolutions_of_depth_0(layers: str, expected: int) -> None:
    assert settings(parse_config(ssd(layers=layers))).settings["num_layers_before_predictor"] == expected


@pytest.mark.parametrize(
    ("name", "scale", "expected"),
    [
        ("ssd_mobilenet_v1_keras", "true", True),
        ("ssd_mobilenet_v1_exact_keras", "true", True),
        ("ssd_mobilenet_v2_keras", "true", False),
        ("ssd_mobilenet_v2_keras", "false", True),
        ("ssd_mobilenet_v2_exact_keras", "false", False),
    ],
)
def test_the_backbone_of_mobilenet_v2_keeps_its_variables_under_the_override(
    name: str, scale: str, expected: bool
) -> None:
    text = ssd(name, "override_base_feature_extractor_hyperparams: true")
    config = parse_config(text.replace("scale: true", f"scale: {scale}"))
    assert settings(config).settings["override_base_feature_extractor_hyperparams"] is expected


@pytest.mark.parametrize(
    ("name", "rest", "expected"),
    [
        ("faster_rcnn_resnet50_keras", "mask_rcnn_box_predictor { }", "faster_rcnn_resnet50"),
        (
            "faster_rcnn_resnet50_exact_keras",
            "mask_rcnn_box_predictor { predict_instance_masks: true }",
            "mask_rcnn_resnet50",
        ),
        (
            "faster_rcnn_resnet101_keras",
            "mask_rcnn_box_predictor { predict_instance_masks: true convolve_then_upsample_masks: true }",
            "mask_rcnn_resnet101_upsample",
        ),
        ("faster_rcnn_resnet101", "rfcn_box_predictor { }", "rfcn_resnet101"),
        ("faster_rcnn_resnet101_keras", "mask_rcnn_box_predictor { } } context_config {", "context_rcnn_resnet101"),
    ],
)
def test_the_family_of_an_r_cnn_is_in_its_heads(name: str, rest: str, expected: str) -> None:
    text = (
        f"model {{ faster_rcnn {{ feature_extractor {{ type: '{name}' }} second_stage_box_predictor {{ {rest} }} }} }}"
    )
    assert target_name(parse_config(text)) == expected


def test_r_cnn() -> None:
    text = """
    model { faster_rcnn { num_classes: 2 number_of_stages: 3 feature_extractor { type: 'faster_rcnn_resnet50_keras' }
      first_stage_anchor_generator { grid_anchor_generator { scales: [1, 2] aspect_ratios: [1, 2, 3] } }
      first_stage_box_predictor_conv_hyperparams { batch_norm { center: false } }
      second_stage_box_predictor { mask_rcnn_box_predictor { use_dropout: true predict_instance_masks: true } } } }
    """
    found = settings(parse_config(text))
    assert found.unknowns == {"num_classes": 2, "anchors_0": 6, "box_code_size": 4}
    assert found.settings == {
        "number_of_stages": 3,
        "rpn_batch_norm": "neither",
        "use_dropout": True,
        "share_box_across_classes": False,
        "head_batch_norm": "none",
        "mask_prediction_num_conv_layers": 2,
        "convolve_then_upsample_masks": False,
        "masks_are_class_agnostic": False,
        "mask_batch_norm": "none",
    }


def test_every_public_config_has_settings(configs) -> None:
    names = {settings(read_config(path)).target for path in sorted(configs.glob("samples_tf1/*"))}
    assert {"ssd_mobilenet_v2", "mask_rcnn_resnet50", "rfcn_resnet101", "context_rcnn_resnet101"} <= names


@pytest.mark.parametrize(
    ("arch", "expected"),
    [
        ("spaghettinet_arch_name: 'spaghettinet_edgetpu_l'", "spaghettinet_edgetpu_l"),
        ("", "spaghettinet_edgetpu_m"),
    ],
)
def test_the_architecture_of_a_spaghettinet(arch: str, expected: str) -> None:
    text = ssd("ssd_spaghettinet_exact_keras", arch)
    assert settings(parse_config(text)).settings["spaghettinet_arch_name"] == expected
    assert "spaghettinet_arch_name" not in settings(parse_config(ssd())).settings


@pytest.mark.parametrize("suffix", ["", "_keras", "_exact_keras"])
def test_a_resnet_pyramid_builds_nothing_by_settings_of_mobilenets(suffix: str) -> None:
    text = ssd(f"ssd_resnet50_v1_fpn{suffix}", "use_explicit_padding: true")
    found = settings(parse_config(text)).settings
    assert (found["use_depthwise"], found["use_explicit_padding"]) == (False, False)
