from __future__ import annotations

import pytest

from ckptmap.families.detection.recognition.architecture import Architecture, Backbone, Heads
from ckptmap.families.detection.recognition.shapes import Shape
from ckptmap.families.detection.recognition.tf1 import recognize_tf1

MOBILENET_V2 = {"MobilenetV2/expanded_conv_16/project/weights": (1, 1, 960, 320)}
MOBILENET_V1 = {"MobilenetV1/Conv2d_13_pointwise/weights": (1, 1, 1024, 1024)}
RESNET_50 = {"resnet_v1_50/conv1/weights": (7, 7, 3, 64)}
RESNET_FPN = {
    **RESNET_50,
    "resnet_v1_50/fpn/projection_1/weights": (1, 1, 512, 256),
    "resnet_v1_50/fpn/projection_2/weights": (1, 1, 1024, 256),
    "resnet_v1_50/fpn/projection_3/weights": (1, 1, 2048, 256),
}


def scoped(scope: str, shapes: dict[str, Shape]) -> dict[str, Shape]:
    return {f"{scope}/{name}": shape for name, shape in shapes.items()}


def per_map(*anchors: int, classes: int = 4, depthwise: bool = False) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for n, count in enumerate(anchors):
        shapes[f"BoxPredictor_{n}/BoxEncodingPredictor/weights"] = (1, 1, 64, 4 * count)
        shapes[f"BoxPredictor_{n}/ClassPredictor/weights"] = (1, 1, 64, count * (classes + 1))
        if depthwise:
            shapes[f"BoxPredictor_{n}/ClassPredictor_depthwise/depthwise_weights"] = (3, 3, 64, 1)
    return shapes


def shared(anchors: int, classes: int, maps: int, leaf: str = "weights") -> dict[str, Shape]:
    scope = "WeightSharedConvolutionalBoxPredictor"
    shapes: dict[str, Shape] = {
        f"{scope}/BoxPredictor/{leaf}": (3, 3, 256, 4 * anchors),
        f"{scope}/ClassPredictor/{leaf}": (3, 3, 256, anchors * (classes + 1)),
    }
    if leaf == "pointwise_weights":
        shapes[f"{scope}/ClassPredictor/depthwise_weights"] = (3, 3, 256, 1)
    for n in range(maps):
        shapes[f"{scope}/ClassPredictionTower/conv2d_0/BatchNorm/feature_{n}/beta"] = (256,)
    return shapes


def second_stage(classes: int, **more: Shape) -> dict[str, Shape]:
    return {
        "FirstStageBoxPredictor/BoxEncodingPredictor/weights": (1, 1, 512, 48),
        "SecondStageBoxPredictor/ClassPredictor/weights": (2048, classes + 1),
        **{f"SecondStageBoxPredictor/{name}/weights": shape for name, shape in more.items()},
    }


def recognized(shapes: dict[str, Shape]) -> Architecture:
    found = recognize_tf1(shapes)
    assert found is not None
    return found


def test_ssd_with_a_predictor_for_each_map() -> None:
    found = recognized(scoped("FeatureExtractor", MOBILENET_V2) | per_map(3, 6, 6))
    assert found == Architecture(
        name="ssd_mobilenet_v2",
        meta_architecture="ssd",
        backbone=Backbone("mobilenet_v2", "MobileNet", 1.0),
        heads=Heads("convolutional_box_predictor", 4, (3, 6, 6), 3),
        extractor_type="ssd_mobilenet_v2",
    )


def test_ssd_with_a_shared_predictor() -> None:
    found = recognized(scoped("FeatureExtractor", RESNET_FPN) | shared(6, 11, 5))
    assert found == Architecture(
        name="ssd_resnet50_v1_fpn",
        meta_architecture="ssd",
        backbone=Backbone("resnet_v1_50", "ResNet"),
        heads=Heads("weight_shared_convolutional_box_predictor", 11, (6,), 5),
        extractor_type="ssd_resnet50_v1_fpn",
        fpn_levels=(3, 7),
    )


@pytest.mark.parametrize(
    ("extractor", "predictor", "name", "kind"),
    [
        (MOBILENET_V1, per_map(3, 6, depthwise=True), "ssdlite_mobilenet_v1", "ssd_mobilenet_v1"),
        (MOBILENET_V1, shared(6, 4, 6), "ssd_mobilenet_v1_ppn", "ssd_mobilenet_v1_ppn"),
        (RESNET_50, shared(6, 4, 6), "ssd_resnet50_v1_ppn", "ssd_resnet50_v1_ppn"),
        (
            MOBILENET_V2 | {"MobilenetV2/fpn/projection_1/weights": (1, 1, 32, 128)},
            shared(6, 4, 5, "pointwise_weights"),
            "ssd_mobilenet_v2_fpnlite",
            "ssd_mobilenet_v2_fpn",
        ),
        (
            MOBILENET_V2 | {"MnasFPN/cell_0/block_0/input_0/Conv1x1/weights": (1, 1, 96, 48)},
            shared(6, 4, 4, "pointwise_weights"),
            "ssd_mobilenet_v2_mnasfpn",
            "ssd_mobilenet_v2_mnasfpn",
        ),
        (
            MOBILENET_V1 | {"MobilenetV1/Conv2d_13_pointwise_2_Conv2d_4_2x2_s2_256/weights": (2, 2, 128, 256)},
            per_map(3, 6),
            "embedded_ssd_mobilenet_v1",
            "embedded_ssd_mobilenet_v1",
        ),
        ({"InceptionV2/Conv2d_2b_1x1/weights": (1, 1, 64, 64)}, per_map(3), "ssd_inception_v2", "ssd_inception_v2"),
        ({"InceptionV3/Conv2d_2b_3x3/weights": (3, 3, 32, 64)}, per_map(3), "ssd_inception_v3", "ssd_inception_v3"),
        (
            {"MobileDetEdgeTPU/Conv/weights": (3, 3, 3, 32)},
            per_map(3, depthwise=True),
            "ssdlite_mobiledet_edgetpu",
            "ssd_mobiledet_edgetpu",
        ),
        (
            {"MobilenetV3/expanded_conv_11/project/weights": (1, 1, 672, 112)},
            per_map(3, depthwise=True),
            "ssdlite_mobilenet_v3_large",
            "ssd_mobilenet_v3_large",
        ),
        (
            {"MobilenetV3/expanded_conv_7/project/weights": (1, 1, 144, 48)},
            per_map(3, depthwise=True),
            "ssdlite_mobilenet_v3_small",
            "ssd_mobilenet_v3_small",
        ),
        ({"cell_0/1x1/weights": (1, 1, 96, 96)}, per_map(3), "ssd_pnasnet", "ssd_pnasnet"),
        ({"spaghettinet_edgetpu_s/stem/weights": (3, 3, 3, 32)}, per_map(3), "ssd_spaghettinet", "ssd_spaghettinet"),
    ],
)
def test_ssd_variants(extractor: dict[str, Shape], predictor: dict[str, Shape], name: str, kind: str) -> None:
    found = recognized(scoped("FeatureExtractor", extractor) | predictor)
    assert (found.name, found.extractor_type) == (name, kind)


@pytest.mark.parametrize(("width", "multiplier"), [(320, 1.0), (240, 0.75), (160, 0.5), (112, 0.35), (448, 1.4)])
def test_the_depth_multiplier(width: int, multiplier: float) -> None:
    extractor = {"MobilenetV2/expanded_conv_16/project/weights": (1, 1, 960, width)}
    assert recognized(scoped("FeatureExtractor", extractor)).backbone.depth_multiplier == multiplier


def test_heads_that_contradict_each_other_leave_the_classes_open() -> None:
    shapes = scoped("FeatureExtractor", MOBILENET_V2) | per_map(3, 6)
    shapes["BoxPredictor_1/ClassPredictor/weights"] = (1, 1, 64, 6 * 9)
    assert recognized(shapes).heads.num_classes is None


def test_faster_rcnn() -> None:
    found = recognized(scoped("FirstStageFeatureExtractor", RESNET_50) | second_stage(90))
    assert found == Architecture(
        name="faster_rcnn_resnet50",
        meta_architecture="faster_rcnn",
        backbone=Backbone("resnet_v1_50", "ResNet"),
        heads=Heads("mask_rcnn_box_predictor", 90, (12,)),
        extractor_type="faster_rcnn_resnet50",
    )


@pytest.mark.parametrize(
    ("extractor", "rest", "name", "kind"),
    [
        (RESNET_50, second_stage(3, Conv_1=(3, 3, 256, 256)), "mask_rcnn_resnet50", "faster_rcnn_resnet50"),
        (
            RESNET_50,
            {**second_stage(3), "AttentionBlock1_AttentionLayer1/fully_connected/weights": (2048, 2048)},
            "context_rcnn_resnet50",
            "faster_rcnn_resnet50",
        ),
        (
            {"InceptionV2/Conv2d_2b_1x1/weights": (1, 1, 64, 64)},
            second_stage(3),
            "faster_rcnn_inception_v2",
            "faster_rcnn_inception_v2",
        ),
        ({"cell_0/a/weights": (1,), "reduction_cell_0/b": (1,)}, second_stage(3), "faster_rcnn_nas", "faster_rcnn_nas"),
        ({"cell_0/a/weights": (1,)}, second_stage(3), "faster_rcnn_pnas", "faster_rcnn_pnas"),
    ],
)
def test_two_stage_variants(extractor: dict[str, Shape], rest: dict[str, Shape], name: str, kind: str) -> None:
    found = recognized(scoped("FirstStageFeatureExtractor", extractor) | rest)
    assert (found.name, found.extractor_type) == (name, kind)


def test_rfcn_counts_classes_by_its_spatial_bins() -> None:
    found = recognized(
        scoped("FirstStageFeatureExtractor", {"resnet_v1_101/conv1/weights": (7, 7, 3, 64)})
        | {
            "SecondStageBoxPredictor/class_predictions/biases": (9 * 91,),
            "SecondStageBoxPredictor/refined_locations/biases": (9 * 90 * 4,),
        }
    )
    assert (found.name, found.heads.num_classes) == ("rfcn_resnet101", 90)


def test_automl_efficientdet() -> None:
    found = recognized(
        {
            "efficientnet-b0/stem/conv2d/kernel": (3, 3, 3, 32),
            "fpn_cells/cell_0/fnode0/op_after_combine5/conv/pointwise_kernel": (1, 1, 64, 64),
            "box_net/box-0/pointwise_kernel": (1, 1, 64, 64),
            "box_net/box-0-bn-3/beta": (64,),
            "box_net/box-0-bn-7/beta": (64,),
            "box_net/box-predict/bias": (36,),
            "class_net/class-predict/bias": (810,),
        }
    )
    assert (found.name, found.backbone.name, found.fpn_levels) == ("efficientdet_d0", "efficientnet_b0", (3, 7))
    assert (found.heads.num_classes, found.heads.anchors) == (90, (9,))


@pytest.mark.parametrize(
    ("names", "model", "classes"),
    [
        ({"MobilenetV1/Logits/Conv2d_1c_1x1/biases": (1001,)}, "mobilenet_v1", 1001),
        ({"InceptionV3/Logits/Conv2d_1c_1x1/biases": (1001,)}, "inception_v3", 1001),
        ({"InceptionResnetV2/Logits/Logits/biases": (1001,)}, "inception_resnet_v2", 1001),
        ({"resnet_v2_101/logits/biases": (1001,)}, "resnet_v2_101", 1001),
        ({"vgg_16/fc8/biases": (1000,)}, "vgg_16", 1000),
        ({"cell_0/a": (1,), "reduction_cell_0/b": (1,), "final_layer/FC/biases": (1001,)}, "nasnet", 1001),
        ({"resnet_v1_50/conv1/weights": (7, 7, 3, 64)}, "resnet_v1_50", None),
    ],
)
def test_slim_classification_networks(names: dict[str, Shape], model: str, classes: int | None) -> None:
    found = recognized(names)
    assert (found.name, found.meta_architecture, found.heads.num_classes) == (model, "classification", classes)


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"bert/embeddings/word_embeddings": (15, 4)},
        {"FeatureExtractor/MyNet/conv/weights": (3, 3, 3, 8)},
        {"FirstStageFeatureExtractor/MyNet/conv/weights": (3, 3, 3, 8)},
        {"my_resnet_v1_50/conv1/weights": (7, 7, 3, 64)},
        {"class_net/a": (1,), "box_net/b": (1,)},
        {"conv/weights": ()},
    ],
)
def test_unknown_models_stay_unknown(names: dict[str, Shape]) -> None:
    assert recognize_tf1(names) is None


def test_an_absurd_number_in_a_name_is_none() -> None:
    shapes = scoped("FeatureExtractor", MOBILENET_V2) | {
        f"BoxPredictor_{'9' * 5000}/ClassPredictor/weights": (1, 1, 1, 9)
    }
    assert recognized(shapes).heads == Heads()
