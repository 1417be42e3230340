from collections import Counter

import pytest

from ckptmap.families.detection.tf1_names import tf1_names
from ckptmap.mapping import load_table
from ckptmap.targets import load_target


@pytest.mark.parametrize(
    ("given", "count"),
    [({}, 324), ({"use_depthwise": True}, 344), ({"use_depthwise": True, "predictor_use_depthwise": True}, 404)],
)
def test_every_variable_of_ssd_mobilenet_v2_has_a_tf1_name(given: dict[str, object], count: int) -> None:
    target = load_target("ssd_mobilenet_v2")
    layout = target.layout((), {setting.name: setting.default for setting in target.settings} | given)
    values = {name: 8 for variable in layout.variables for name in variable.unknowns}
    names = {variable.key: variable.concrete(values).name for variable in layout.variables}
    found = tf1_names(load_table("ssd_mobilenet_v2"), layout, names, ())
    assert len(found) == len(set(found.values())) == len(names) == count
    by_name = {names[key]: name for key, name in found.items()}
    assert (
        by_name["block_3_expand_BN/moving_mean"]
        == "FeatureExtractor/MobilenetV2/expanded_conv_3/expand/BatchNorm/moving_mean"
    )
    assert (
        by_name["BoxPredictor/ConvolutionalClassHead_5/ClassPredictor/bias"] == "BoxPredictor_5/ClassPredictor/biases"
    )


def test_names_that_a_checkpoint_has_win() -> None:
    target = load_target("ssd_mobilenet_v2")
    layout = target.layout()
    known = ["FeatureExtractor/MobilenetV2/Conv/weights"]
    found = tf1_names(load_table("ssd_mobilenet_v2"), layout, {}, known)
    assert list(found.values()) == known


def test_the_stages_of_an_rcnn_and_the_network_that_no_target_name_shows() -> None:
    target = load_target("faster_rcnn_resnet50")
    layout = target.layout((), {setting.name: setting.default for setting in target.settings})
    names = {variable.key: variable.name for variable in layout.variables}
    found = tf1_names(load_table("faster_rcnn_resnet50"), layout, names, ())
    scopes = Counter("/".join(name.split("/")[:3]) for name in found.values() if "FeatureExtractor" in name)
    assert len(found) == len(names) == 275
    assert scopes == {
        "FirstStageFeatureExtractor/resnet_v1_50/conv1": 5,
        "FirstStageFeatureExtractor/resnet_v1_50/block1": 50,
        "FirstStageFeatureExtractor/resnet_v1_50/block2": 65,
        "FirstStageFeatureExtractor/resnet_v1_50/block3": 95,
        "SecondStageFeatureExtractor/resnet_v1_50/block4": 50,
    }
