from __future__ import annotations

import time

import pytest

from ckptmap.families.detection.recognition.architecture import Architecture
from ckptmap.families.detection.recognition.shapes import Shape
from ckptmap.families.detection.recognition.tf2 import recognize_tf2

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


def keys(root: str, shapes: dict[str, Shape]) -> dict[str, Shape]:
    return {f"{root}{name}{VALUE}": shape for name, shape in shapes.items()}


def resnet(units: int) -> list[Shape]:
    """Stem, first shortcut and the last kernel of each unit: what tells the depths apart."""
    return [(7, 7, 3, 64), (1, 1, 64, 256), *[(1, 1, 64, 256)] * units]


def mobilenet_v2() -> list[Shape]:
    return [(3, 3, 3, 32), *[(3, 3, 96, 1)] * 17, *[(1, 1, 16, 96)] * 15, (1, 1, 160, 960)]


def layers(scope: str, shapes: list[Shape]) -> dict[str, Shape]:
    return {f"{scope}/layer_with_weights-{n}/kernel": shape for n, shape in enumerate(shapes)}


def ssd_heads(outputs: list[tuple[int, int]]) -> dict[str, Shape]:
    heads = "_box_predictor/_prediction_heads"
    shapes: dict[str, Shape] = {}
    for n, (boxes, classes) in enumerate(outputs):
        shapes[f"{heads}/box_encodings/{n}/_box_encoder_layers/0/bias"] = (boxes,)
        shapes[f"{heads}/class_predictions_with_background/{n}/_class_predictor_layers/0/bias"] = (classes,)
    return shapes


def recognized(shapes: dict[str, Shape]) -> Architecture:
    found = recognize_tf2(shapes)
    assert found is not None
    return found


@pytest.mark.parametrize("root", ["model/", "_model/", ""])
def test_ssd(root: str) -> None:
    extractor = layers("_feature_extractor/classification_backbone", mobilenet_v2())
    found = recognized(keys(root, extractor | ssd_heads([(12, 3 * 8), (24, 6 * 8)])))
    assert (found.name, found.extractor_type) == ("ssd_mobilenet_v2", "ssd_mobilenet_v2")
    assert (found.heads.num_classes, found.heads.anchors, found.backbone.depth_multiplier) == (7, (3, 6), 1.0)


@pytest.mark.parametrize(("units", "depth"), [(16, 50), (33, 101), (50, 152)])
def test_retinanet(units: int, depth: int) -> None:
    shapes = layers("_feature_extractor/classification_backbone", resnet(units)) | {
        "_feature_extractor/_fpn_features_generator/residual_blocks/0/0/kernel": (1, 1, 1024, 256),
        "_feature_extractor/_fpn_features_generator/residual_blocks/1/0/kernel": (1, 1, 512, 256),
        "_feature_extractor/_coarse_feature_layers/0/0/kernel": (3, 3, 256, 256),
        "_feature_extractor/_coarse_feature_layers/1/0/kernel": (3, 3, 256, 256),
        "_box_predictor/_box_prediction_head/_box_encoder_layers/0/bias": (24,),
        "_box_predictor/_prediction_heads/class_predictions_with_background/_class_predictor_layers/0/bias": (18,),
    }
    found = recognized(keys("model/", shapes))
    assert (found.name, found.fpn_levels) == (f"ssd_resnet{depth}_v1_fpn", (3, 7))
    assert (found.heads.num_classes, found.heads.anchors) == (2, (6,))


def test_two_stages_add_up_to_the_backbone() -> None:
    shapes = (
        layers("_feature_extractor_for_proposal_features", resnet(13))
        | layers("_feature_extractor_for_box_classifier_features", [(1, 1, 512, 2048)] * 3)
        | {
            "_first_stage_box_predictor/_prediction_heads/box_encodings/0/_box_encoder_layers/0/bias": (48,),
            "_mask_rcnn_box_predictor/_class_prediction_head/_class_predictor_layers/1/bias": (91,),
        }
    )
    found = recognized(keys("model/", shapes))
    assert (found.name, found.heads.num_classes, found.heads.anchors) == ("faster_rcnn_resnet50", 90, (12,))
    masks = {"_mask_rcnn_box_predictor/_third_stage_heads/mask_predictions/_mask_predictor_layers/0/bias": (256,)}
    found = recognized(keys("model/", shapes | masks))
    assert (found.name, found.meta_architecture, found.heads.mask) == ("mask_rcnn_resnet50", "mask_rcnn", True)


def test_a_saved_model_numbers_its_variables() -> None:
    shapes = {f"_feature_extractor/variables/{n}": shape for n, shape in enumerate(resnet(16))}
    predictor: list[Shape] = [(3, 3, 256, 24), (24,), (3, 3, 256, 42), (42,), (3, 3, 256, 256), (256,)]
    shapes |= {f"_box_predictor/variables/{n}": shape for n, shape in enumerate(predictor)}
    found = recognized(keys("_model/", shapes))
    assert (found.name, found.heads.num_classes, found.heads.anchors) == ("ssd_resnet50_v1_fpn", 6, (6,))


def numbered(part: str, shapes: list[Shape]) -> dict[str, Shape]:
    """A part's variables as the API's exporter lists them."""
    return {f"{part}/trainable_variables/{n}": shape for n, shape in enumerate(shapes)}


def separable(inputs: int, outputs: int) -> list[Shape]:
    return [(3, 3, inputs, 1), (1, 1, inputs, outputs), (outputs,)]


def test_a_saved_models_predictor_may_be_depthwise() -> None:
    shared = [*separable(128, 24), *separable(128, 42), *separable(128, 128)]
    extractor = numbered("_feature_extractor", mobilenet_v2())
    found = recognized(keys("_model/", extractor | numbered("_box_predictor", shared)))
    assert (found.name, found.heads.depthwise) == ("ssd_mobilenet_v2_fpnlite", True)
    assert (found.heads.num_classes, found.heads.anchors) == (6, (6,))
    per_map = [*separable(96, 12), *separable(64, 24), *separable(96, 9), *separable(64, 18)]
    found = recognized(keys("_model/", extractor | numbered("_box_predictor", per_map)))
    assert (found.name, found.heads.depthwise) == ("ssdlite_mobilenet_v2", True)
    assert (found.heads.num_classes, found.heads.anchors) == (2, (3, 6))


def test_what_a_saved_models_predictor_does_not_tell_stays_open() -> None:
    """Two heads alone are those of one feature map, or of all."""
    predictor: list[Shape] = [(3, 3, 256, 24), (24,), (3, 3, 256, 42), (42,)]
    shapes = numbered("_feature_extractor", mobilenet_v2()) | numbered("_box_predictor", predictor)
    found = recognized(keys("_model/", shapes))
    heads = found.heads
    assert (heads.predictor, heads.num_classes, heads.anchors) == ("", 6, (6,))
    assert found.extractor_type == ""  # with a pyramid or without


def test_two_stages_of_a_saved_model() -> None:
    second: list[Shape] = [(2048, 360), (360,), (2048, 91), (91,)]
    shapes = {
        **numbered("_feature_extractor_for_proposal_features", resnet(16)),
        **numbered("_first_stage_box_predictor", [(1, 1, 512, 48), (48,), (1, 1, 512, 24), (24,)]),
        **numbered("_mask_rcnn_box_predictor", second),
    }
    found = recognized(keys("_model/", shapes))
    assert (found.name, found.heads.num_classes, found.heads.anchors) == ("faster_rcnn_resnet50", 90, (12,))
    assert not found.heads.mask
    masks = [*second, (3, 3, 2048, 256), (256,), (1, 1, 256, 90), (90,)]
    found = recognized(keys("_model/", shapes | numbered("_mask_rcnn_box_predictor", masks)))
    assert (found.name, found.heads.mask, found.heads.num_classes) == ("mask_rcnn_resnet50", True, 90)
    pyramid = numbered("_feature_extractor_for_proposal_features", [*resnet(16), (1, 1, 2048, 256)])
    assert recognized(keys("_model/", shapes | pyramid)).extractor_type == "faster_rcnn_resnet50_fpn"


def test_an_efficientdet_of_a_saved_model() -> None:
    network: list[Shape] = [(3, 3, 3, 32), *[(5, 5, 96, 1)] * 23, (1, 1, 1152, 320), (1, 1, 320, 88)]
    pyramid = separable(88, 88) * 32
    predictor = [*separable(88, 36), *separable(88, 9 * 20), *separable(88, 88)]
    shapes = numbered("_feature_extractor", [*network, *pyramid]) | numbered("_box_predictor", predictor)
    found = recognized(keys("_model/", shapes))
    assert (found.name, found.extractor_type) == ("efficientdet_d1", "ssd_efficientnet-b1_bifpn")
    assert (found.heads.num_classes, found.heads.anchors, found.heads.depthwise) == (20, (9,), True)


def test_optimizer_slots_are_no_layers() -> None:
    extractor = layers("_feature_extractor/classification_backbone", mobilenet_v2())
    slots = {f"model/{name}/.OPTIMIZER_SLOT/optimizer/momentum{VALUE}": shape for name, shape in extractor.items()}
    found = recognized(keys("model/", extractor | ssd_heads([(12, 6)])) | slots)
    assert (found.name, found.heads.num_classes) == ("ssd_mobilenet_v2", 1)


@pytest.mark.parametrize(
    ("blocks", "width", "channels", "name", "backbone"),
    [
        (16, 320, 64, "efficientdet_d0", "b0"),
        (23, 320, 88, "efficientdet_d1", "b1"),
        (23, 352, 112, "efficientdet_d2", "b2"),
    ],
)
def test_efficientdet(blocks: int, width: int, channels: int, name: str, backbone: str) -> None:
    network: list[Shape] = [(3, 3, 3, 32), *[(5, 5, 96, 1)] * blocks, (1, 1, 1152, width)]
    heads = "_box_predictor/_prediction_heads/class_predictions_with_background/_class_predictor_layers/0"
    shapes = layers("_feature_extractor/_efficientnet", network) | {
        "_box_predictor/_box_prediction_head/_box_encoder_layers/0/depthwise_kernel": (3, 3, channels, 1),
        "_box_predictor/_box_prediction_head/_box_encoder_layers/0/bias": (36,),
        f"{heads}/bias": (9 * 20,),
    }
    found = recognized(keys("model/", shapes))
    assert (found.name, found.extractor_type) == (name, f"ssd_efficientnet-{backbone}_bifpn")
    assert (found.heads.num_classes, found.heads.anchors) == (20, (9,))


def test_a_claim_of_many_feature_maps_costs_little() -> None:
    extractor = layers("_feature_extractor/classification_backbone", mobilenet_v2())
    started = time.process_time()
    assert recognized(keys("model/", extractor | ssd_heads([(12, 6)] * 20_000))).heads.anchors == ()
    assert time.process_time() - started < 5


def test_center_net() -> None:
    shapes = {
        "_feature_extractor/_network/hourglass_network/0/encoder_block1/0/conv/kernel": (3, 3, 256, 256),
        "_prediction_head_dict/object_center/0/layer_with_weights-0/bias": (256,),
        "_prediction_head_dict/object_center/0/layer_with_weights-1/bias": (80,),
        "_prediction_head_dict/box.Sscale/0/layer_with_weights-1/bias": (2,),
    }
    found = recognized(keys("model/", shapes))
    assert (found.name, found.meta_architecture, found.heads.num_classes) == ("centernet_hourglass", "center_net", 80)


def test_a_backbone_alone() -> None:
    found = recognized(keys("feature_extractor/", layers("", resnet(16))))
    assert (found.name, found.meta_architecture) == ("resnet_v1_50", "classification")


def test_resnet_v2_has_fewer_batch_norms_than_convolutions() -> None:
    shapes = layers("", resnet(16)) | {"/layer_with_weights-99/moving_mean": (64,)}
    assert recognized(keys("", shapes)).name == "resnet_v2_50"


@pytest.mark.parametrize(
    "shapes",
    [
        {},
        {"layer-1/kernel": (4, 128)},
        {"_feature_extractor/anything/kernel": (3, 3, 8, 8), "_box_predictor/x/bias": (4,)},
        layers("_feature_extractor/classification_backbone", resnet(17)),
        layers("_feature_extractor/classification_backbone", [(3, 3, 3, 32), (1, 1, 0, 8)])
        | {"_box_predictor/b": (0,)},
        {"_feature_extractor_for_proposal_features/a/kernel": (3, 3, 8, 8)},
        {"_prediction_head_dict/object_center/0/bias": (3,)},
    ],
)
def test_unknown_models_stay_unknown(shapes: dict[str, Shape]) -> None:
    assert recognize_tf2(keys("model/", shapes)) is None


def held(extractor: str, scope: str, names: list[str]) -> dict[str, Shape]:
    """What TensorFlow's migration shim holds of slim's own code."""
    start = f"{extractor}/_tf1_style_var_store/_vars/{scope}"
    return {f"{start}.S{name.replace('/', '.S')}": (1, 1, 8, 8) for name in names}


def test_an_ssd_around_slims_own_code() -> None:
    extractor = held("_feature_extractor", "FeatureExtractor", ["InceptionV2/Conv2d_2b_1x1/weights"])
    found = recognized(keys("model/", extractor | ssd_heads([(12, 3 * 8), (24, 6 * 8)])))
    assert (found.name, found.extractor_type) == ("ssd_inception_v2", "ssd_inception_v2")
    assert (found.heads.num_classes, found.heads.anchors, found.backbone.name) == (7, (3, 6), "inception_v2")


def test_a_two_stage_detector_around_slims_own_code() -> None:
    first = held(
        "_feature_extractor_for_proposal_features",
        "FirstStageFeatureExtractor",
        ["cell_stem_0/1x1/weights", "reduction_cell_0/1x1/weights"],
    )
    heads = {
        "_first_stage_box_predictor/_prediction_heads/box_encodings/0/_box_encoder_layers/0/bias": (48,),
        "_mask_rcnn_box_predictor/_class_prediction_head/_class_predictor_layers/1/bias": (91,),
    }
    found = recognized(keys("model/", first | heads))
    assert (found.name, found.extractor_type) == ("faster_rcnn_nas", "faster_rcnn_nas")
    assert (found.heads.num_classes, found.heads.anchors) == (90, (12,))
