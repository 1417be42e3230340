import pytest

from ckptmap.families.detection.freezing.parts import tf1_part


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("FeatureExtractor/MobilenetV2/expanded_conv_3/expand/weights", "backbone"),
        ("FeatureExtractor/MobilenetV2/layer_19_1_Conv2d_2_1x1_256/weights", "neck"),
        ("FeatureExtractor/MobilenetV1/Conv2d_13_pointwise_2_Conv2d_3_3x3_s2_256/weights", "neck"),
        ("FeatureExtractor/MobilenetV1/Conv2d_13_pointwise/weights", "backbone"),
        ("FeatureExtractor/InceptionV2/Mixed_5c/Branch_0/Conv2d_0a_1x1/weights", "backbone"),
        ("FeatureExtractor/resnet_v1_50/fpn/projection_3/weights", "neck"),
        ("FeatureExtractor/resnet_v1_50/fpn/bottom_up_block5/weights", "neck"),
        ("BoxPredictor_0/ClassPredictor/biases", "class head"),
        ("BoxPredictor_3/BoxEncodingPredictor_depthwise/depthwise_weights", "box head"),
        ("WeightSharedConvolutionalBoxPredictor/ClassPredictor/biases", "class head"),
        ("WeightSharedConvolutionalBoxPredictor/BoxPredictionTower/conv2d_0/weights", "box head"),
        ("WeightSharedConvolutionalBoxPredictor/PredictionTower/conv2d_0/weights", "predictor"),
        ("FirstStageFeatureExtractor/resnet_v1_101/block3/unit_1/bottleneck_v1/conv1/weights", "backbone"),
        ("SecondStageFeatureExtractor/resnet_v1_101/block4/unit_1/bottleneck_v1/conv1/weights", "backbone"),
        ("Conv/weights", "proposals"),
        ("FirstStageBoxPredictor/ClassPredictor/weights", "proposals"),
        ("SecondStageBoxPredictor/BoxEncodingPredictor/weights", "box head"),
        ("SecondStageBoxPredictor/ClassPredictor/weights", "class head"),
        ("SecondStageBoxPredictor/Conv_1/weights", "mask head"),
        ("dense/kernel", ""),
    ],
)
def test_the_scope_tells_the_part(name: str, part: str) -> None:
    assert tf1_part(name) == part
