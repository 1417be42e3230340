"""Paths of the convolutions of a weight-shared predictor."""

from __future__ import annotations

from ckptmap.families.detection.object_links import tower_links

TOWERS = "_box_predictor/_base_tower_layers_for_heads"
CONVOLUTIONS = "_box_predictor/_head_scope_conv_layers"


def test_each_map_of_each_head_leads_to_the_convolutions_of_its_tower() -> None:
    paths = [
        f"{CONVOLUTIONS}/BoxPredictionTower/0/kernel",
        f"{CONVOLUTIONS}/BoxPredictionTower/1/kernel",
        f"{CONVOLUTIONS}/ClassPredictionTower/0/depthwise_kernel",
        f"{CONVOLUTIONS}/ClassPredictionTower/0/pointwise_kernel",
        f"{TOWERS}/box_encodings/0/1/moving_mean",
        f"{TOWERS}/box_encodings/0/1/gamma",
        f"{TOWERS}/box_encodings/0/4/moving_mean",
        f"{TOWERS}/box_encodings/1/1/moving_mean",
        f"{TOWERS}/class_predictions_with_background/0/1/moving_mean",
    ]
    assert tower_links(paths) == {
        f"{TOWERS}/box_encodings/0/0": f"{CONVOLUTIONS}/BoxPredictionTower/0",
        f"{TOWERS}/box_encodings/0/3": f"{CONVOLUTIONS}/BoxPredictionTower/1",
        f"{TOWERS}/box_encodings/1/0": f"{CONVOLUTIONS}/BoxPredictionTower/0",
        f"{TOWERS}/class_predictions_with_background/0/0": f"{CONVOLUTIONS}/ClassPredictionTower/0",
    }


def test_a_shared_tower_lies_below_the_box_head() -> None:
    paths = [f"{CONVOLUTIONS}/PredictionTower/0/kernel", f"{TOWERS}/box_encodings/0/1/moving_mean"]
    assert tower_links(paths) == {f"{TOWERS}/box_encodings/0/0": f"{CONVOLUTIONS}/PredictionTower/0"}


def test_other_predictors_have_one_path_to_each_layer() -> None:
    assert tower_links(["_box_predictor/_prediction_heads/box_encodings/0/_box_encoder_layers/0/kernel"]) == {}
    assert tower_links([f"{TOWERS}/box_encodings/0/2/moving_mean"]) == {}
