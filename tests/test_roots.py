from ckptmap.roots import CLASSIFICATION, DETECTION, paths_below


def test_everything_is_below_the_model() -> None:
    assert paths_below(DETECTION, ["_box_predictor/kernel"]) == {"_box_predictor/kernel": "_box_predictor/kernel"}


def test_the_backbone_of_an_ssd_is_an_object_of_its_own() -> None:
    backbone = "_feature_extractor/classification_backbone/layer_with_weights-0/kernel"
    found = paths_below(CLASSIFICATION, [backbone, "_feature_extractor/feature_map_generator/convolutions/0/0/kernel"])
    assert found == {backbone: "layer_with_weights-0/kernel"}


def test_the_stages_of_an_rcnn_are_numbered_through() -> None:
    first = "_feature_extractor_for_proposal_features/layer_with_weights-85/gamma"
    second = "_feature_extractor_for_box_classifier_features/layer_with_weights-19/moving_mean"
    found = paths_below(CLASSIFICATION, [second, first, "_mask_rcnn_box_predictor/_box_prediction_head/kernel"])
    assert found == {first: "layer_with_weights-85/gamma", second: "layer_with_weights-105/moving_mean"}
