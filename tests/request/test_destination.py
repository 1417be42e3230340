"""A pipeline.config that describes another model than the shipped target is refused, not half understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckptmap.basics.errors import ConfigError
from ckptmap.planning.choices import PlanOptions
from ckptmap.request.resolve import find_destination

RETINANET = """
model { ssd {
  num_classes: 3
  image_resizer { fixed_shape_resizer { height: 640 width: 640 } }
  feature_extractor {
    type: 'ssd_resnet50_v1_fpn'
    fpn { min_level: MIN max_level: MAX }
    conv_hyperparams {
      activation: RELU_6
      regularizer { l2_regularizer { weight: 0.0004 } }
      initializer { truncated_normal_initializer { stddev: 0.03 } }
      batch_norm { scale: true }
    }
    override_base_feature_extractor_hyperparams: true
  }
  box_coder { faster_rcnn_box_coder { } }
  matcher { argmax_matcher { } }
  similarity_calculator { iou_similarity { } }
  box_predictor { weight_shared_convolutional_box_predictor {
    depth: 256
    kernel_size: 3
    num_layers_before_predictor: LAYERS
    conv_hyperparams {
      activation: RELU_6
      regularizer { l2_regularizer { weight: 0.0004 } }
      initializer { random_normal_initializer { stddev: 0.01 } }
      NORM
    }
  } }
  anchor_generator { multiscale_anchor_generator {
    min_level: MIN max_level: MAX anchor_scale: 4.0 aspect_ratios: [1.0, 2.0, 0.5] scales_per_octave: 2
  } }
} }
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "pipeline.config"


def write(path: Path, minimum: int = 3, maximum: int = 7, layers: int = 4, norm: str = "scale: true") -> None:
    text = RETINANET.replace("MIN", str(minimum)).replace("MAX", str(maximum)).replace("LAYERS", str(layers))
    path.write_text(text.replace("NORM", f"batch_norm {{ {norm} }}" if norm else ""), encoding="utf-8")


def test_the_config_says_target_and_settings(config: Path) -> None:
    write(config, maximum=6)
    found = find_destination(None, None, config, PlanOptions())
    assert found.target.name == "ssd_resnet50_v1_fpn"
    assert found.options.settings["fpn_max_level"] == 6
    assert found.options.settings["num_layers_before_predictor"] == 4
    assert "batch_norm" not in found.options.settings  # fixed: scale and center


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minimum": 6}, "fpn_min_level is 6; the shipped target ssd_resnet50_v1_fpn covers only 2, 3, 4, 5"),
        ({"minimum": 4, "maximum": 8}, "fpn_max_level is 8; the shipped .* covers only 4, 5, 6, 7"),
        ({"layers": 9}, "num_layers_before_predictor is 9; the shipped target .* covers only 0, 1, 2, 3, 4"),
        ({"norm": "scale: false"}, "predictor_batch_norm is center; the shipped .* covers only scale and center"),
        ({"norm": ""}, "predictor_batch_norm is none; the shipped .* covers only scale and center"),
    ],
)
def test_values_that_the_target_does_not_cover(config: Path, changes: dict[str, int | str], message: str) -> None:
    write(config, **changes)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=message) as refused:
        find_destination(None, None, config, PlanOptions())
    assert str(config) in str(refused.value)
    assert "give its path with the argument to" in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("model { ssd {", "model { ssd { add_background_class: false", "add_background_class is false; the shipped"),
        ("weight_shared_convolutional_box_predictor", "convolutional_box_predictor", "box_predictor is convolutional_"),
    ],
)
def test_heads_that_no_shipped_target_has(config: Path, old: str, new: str, message: str) -> None:
    write(config)
    text = config.read_text().replace(old, new)
    config.write_text(text.replace("depth: 256", "") if new == "convolutional_box_predictor" else text)
    with pytest.raises(ConfigError, match=message):
        find_destination(None, None, config, PlanOptions())


def test_a_setting_that_the_target_does_not_know(config: Path) -> None:
    write(config)
    with pytest.raises(ConfigError, match="the shipped target ssd_mobilenet_v2 has no such setting"):
        find_destination("ssd_mobilenet_v2", None, config, PlanOptions())


def test_a_setting_given_by_hand_comes_before_the_config_s(config: Path) -> None:
    write(config, layers=9)
    found = find_destination(None, None, config, PlanOptions(settings={"num_layers_before_predictor": 3}))
    assert found.options.settings["num_layers_before_predictor"] == 3


def test_a_setting_given_by_hand_that_fits_no_model_of_the_config_s(config: Path) -> None:
    write(config)
    with pytest.raises(
        ConfigError, match="does not cover fpn_min_level 3 and fpn_max_level 6 and fpn_levels 5 together"
    ):
        find_destination(None, None, config, PlanOptions(settings={"fpn_max_level": 6}))
