from ckptmap.families.detection.roots import CLASSIFICATION, DETECTION, paths_below


def test_everything_is_below_the_model() -> None:
    assert paths_below(DETECTION, ["_box_predictor/kernel"]) == {"_box_predictor/kernel": "_box_predictor/kernel"}


def test_the_backbone_of_an_ssd_is_an_object_of_its_own() -> None:
    backbone = "_feature_extractor/classification_backbone/layer_with_weights-0/kernel"
    found = paths_below(CLASSIFICATION, [backbone, "_feature_extractor/feature_map_generator/convolutions/0/0/kernel"])
    assert found == {backbone: "layer_with_weights-0/kernel"}


def test_the_backbone_of_efficientdet_is_found_in_the_model_that_its_pyramid_takes() -> None:
    below = "_feature_extractor/_efficientnet/layer_with_weights-0/kernel"
    top = "_feature_extractor/classification_backbone/layer_with_weights-128/kernel"
    found = paths_below(CLASSIFICATION, [below, top, "_feature_extractor/_bifpn_stage/node_input_blocks/0/bias"])
    assert found == {below: "layer_with_weights-0/kernel", top: "layer_with_weights-128/kernel"}


def test_slims_own_code_has_the_names_of_slims_classification_network() -> None:
    held = "_feature_extractor/_tf1_style_var_store/_vars/FeatureExtractor.SInceptionV2"
    first = f"{held}.SConv2d_2b_1x1.Sweights"
    extra = f"{held}.SMixed_5c_1_Conv2d_2_1x1_256.Sweights"
    second = (
        "_feature_extractor_for_box_classifier_features/_tf1_style_var_store/_vars/"
        "SecondStageFeatureExtractor.SInceptionV2.SMixed_5a.SBranch_0.SConv2d_0a_1x1.Sweights"
    )
    assert paths_below(CLASSIFICATION, [first, extra, second, "_box_predictor/kernel"]) == {
        first: "InceptionV2.SConv2d_2b_1x1.Sweights",
        second: "InceptionV2.SMixed_5a.SBranch_0.SConv2d_0a_1x1.Sweights",
    }


def test_the_stages_of_an_rcnn_are_numbered_through() -> None:
    first = "_feature_extractor_for_proposal_features/layer_with_weights-85/gamma"
    second = "_feature_extractor_for_box_classifier_features/layer_with_weights-19/moving_mean"
    found = paths_below(CLASSIFICATION, [second, first, "_mask_rcnn_box_predictor/_box_prediction_head/kernel"])
    assert found == {first: "layer_with_weights-85/gamma", second: "layer_with_weights-105/moving_mean"}
