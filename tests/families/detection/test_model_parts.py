"""Parts of a model told from object paths."""

from __future__ import annotations

import pytest

from ckptmap.families.detection.model_parts import part_of


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("_feature_extractor/classification_backbone/layer_with_weights-0/kernel", "backbone"),
        ("_feature_extractor/feature_map_generator/convolutions/2/0/kernel", "neck"),
        ("_box_predictor/_prediction_heads/box_encodings/0/_box_encoder_layers/0/kernel", "box head"),
        ("_box_predictor/_prediction_heads/class_predictions_with_background/0/x", "class head"),
        ("_box_predictor/_shared_nets/0/0/kernel", "predictor"),
        ("_feature_extractor_for_box_classifier_features/layer_with_weights-0/kernel", "backbone"),
        ("_first_stage_box_predictor_first_conv/0/kernel", "proposals"),
        ("_mask_rcnn_box_predictor/_box_prediction_head/_box_encoder_layers/1/kernel", "box head"),
        ("_first_stage_box_predictor/_prediction_heads/class_predictions_with_background/0/x", "proposals"),
        ("_box_predictor/_base_tower_layers_for_heads/box_encodings/0/1/gamma", "predictor"),
        ("_box_predictor/_head_scope_conv_layers/BoxPredictionTower/0/kernel", "predictor"),
        ("_context_feature_extract_fn/_key_proj/projection/kernel", "neck"),
        ("_rfcn_box_predictor/_shared_conv_layers/0/kernel", "predictor"),
        ("_feature_extractor/_efficientnet/layer_with_weights-0/kernel", "backbone"),
        ("_feature_extractor/_bifpn_stage/node_input_blocks/0/0/1/0/kernel", "neck"),
        ("backbone/_blocks/0/_depthwise_conv/depthwise_kernel", "backbone"),
        ("fpn_cells/cells/0/fnodes/0/WSM", "neck"),
        ("class_net/classes/pointwise_kernel", "class head"),
        ("class_net/bns/0/0/gamma", "predictor"),
        ("dense/kernel", ""),
    ],
)
def test_part_of(key: str, part: str) -> None:
    assert part_of(key) == part
