from __future__ import annotations

import pytest

from ckptmap.basics.errors import ConfigError
from ckptmap.families.detection.pipeline.check import Mistake
from ckptmap.families.detection.pipeline.config import ImageResizer, Training, parse_config, read_config

SSD = """
model {
  ssd {
    num_classes: 7
    image_resizer { fixed_shape_resizer { height: 300 width: 320 } }
    feature_extractor { type: 'ssd_mobilenet_v2' }
    box_predictor { convolutional_box_predictor { kernel_size: 3 } }
    anchor_generator { ssd_anchor_generator { aspect_ratios: [1, 2, 0.5] num_layers: 3 } }
  }
}
train_config {
  fine_tune_checkpoint: "/a/model.ckpt"
  from_detection_checkpoint: True
  freeze_variables: ["FeatureExtractor", "x"]
}
train_input_reader { label_map_path: "a.pbtxt" }
eval_input_reader { label_map_path: "a.pbtxt" }
eval_input_reader { label_map_path: "b.pbtxt" }
graph_rewriter { quantization { delay: 1 } }
"""


def test_typed_access() -> None:
    config = parse_config(SSD)
    assert (config.architecture, config.extractor_type, config.num_classes) == ("ssd", "ssd_mobilenet_v2", 7)
    assert (config.predictor_kind, config.predictor.integer("kernel_size")) == ("convolutional_box_predictor", 3)
    assert config.anchors == (3, 4, 4)
    assert config.image_resizer == ImageResizer("fixed_shape_resizer", 300, 320)
    assert config.training == Training(
        "/a/model.ckpt", "", "V1", True, False, ("FeatureExtractor", "x"), (), True, 0.9999
    )
    assert (config.quantized, config.label_maps) == (True, ("a.pbtxt", "b.pbtxt"))
    assert [f.mistake for f in config.findings] == [Mistake.DEPRECATED]
    assert config.unreadable == ()


@pytest.mark.parametrize(
    ("generator", "anchors"),
    [
        ("ssd_anchor_generator { aspect_ratios: [1, 2] num_layers: 2 reduce_boxes_in_lowest_layer: false }", (3, 3)),
        ("ssd_anchor_generator { aspect_ratios: 1 interpolated_scale_aspect_ratio: 0 num_layers: 2 }", (3, 1)),
        ("ssd_anchor_generator { aspect_ratios: [1] scales: [0.1, 0.2] num_layers: 6 }", (3, 2)),
        ("multiscale_anchor_generator { min_level: 4 aspect_ratios: [1, 2, 0.5] }", (6, 6, 6, 6)),
        ("grid_anchor_generator { scales: [1, 2] aspect_ratios: [1, 2, 3] }", (6,)),
        (
            "flexible_grid_anchor_generator { anchor_grid { base_sizes: [1, 2] } anchor_grid { base_sizes: 1 } }",
            (2, 1),
        ),
    ],
)
def test_anchors_per_location(generator: str, anchors: tuple[int, ...]) -> None:
    assert parse_config(f"model {{ ssd {{ anchor_generator {{ {generator} }} }} }}").anchors == anchors


def test_r_cnn() -> None:
    config = parse_config(
        "model { faster_rcnn { num_classes: 2 feature_extractor { type: 'faster_rcnn_resnet50' }\n"
        "first_stage_anchor_generator { grid_anchor_generator { scales: [1, 2] aspect_ratios: 1 } }\n"
        "image_resizer { keep_aspect_ratio_resizer { } }\n"
        "second_stage_box_predictor { mask_rcnn_box_predictor { use_dropout: true } } } }"
    )
    assert (config.architecture, config.extractor_type, config.anchors) == (
        "faster_rcnn",
        "faster_rcnn_resnet50",
        (2,),
    )
    assert config.image_resizer == ImageResizer("keep_aspect_ratio_resizer", min_dimension=600, max_dimension=1024)
    assert (config.predictor_kind, config.predictor.flag("use_dropout")) == ("mask_rcnn_box_predictor", True)


def test_what_is_no_pipeline_config_is_refused() -> None:
    for text in ("", "# nothing", "item { id: 1 name: 'cat' }"):
        with pytest.raises(ConfigError, match=r"this is not a pipeline\.config"):
            parse_config(text)


def test_a_config_without_a_model_says_so_when_asked() -> None:
    config = parse_config("train_config { }", "f.config")
    assert config.architecture == ""
    with pytest.raises(ConfigError, match=r"f\.config: the config has no model"):
        _ = config.model
    with pytest.raises(ConfigError, match="the model has no anchor generator"):
        _ = parse_config("model { ssd { } }").anchors


def test_center_net_has_neither_predictor_nor_anchors() -> None:
    config = parse_config("model { center_net { num_classes: 3 } }")
    assert config.predictor_kind == ""
    with pytest.raises(ConfigError, match="center_net has no anchors"):
        _ = config.anchors


def test_every_public_config_has_an_architecture_and_classes(configs) -> None:
    seen = {read_config(path).architecture for path in sorted(configs.glob("*/*"))}
    assert seen == {"ssd", "faster_rcnn", "center_net"}
    assert all(read_config(path).num_classes > 0 for path in sorted(configs.glob("*/*")))
