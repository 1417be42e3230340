"""Recognize TF2 models by checkpoint keys and shapes: detectors of the Object Detection API, and plain Keras backbones.

Keys are object paths: they name the API's own attributes but number the layers of its Keras backbones, so these are
told by their shapes. A SavedModel of the API numbers even the variables of the predictors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ckptmap.families.detection.recognition import architecture as arch
from ckptmap.families.detection.recognition.architecture import Architecture, Backbone, Heads
from ckptmap.families.detection.recognition.backbones import (
    HOURGLASS,
    RESNET,
    efficientdet_name,
    efficientnet,
    keras_backbone,
)
from ckptmap.families.detection.recognition.heads import (
    BOX_CODE_SIZE,
    RCNN,
    WEIGHT_SHARED,
    anchors_and_classes,
    per_map_heads,
)
from ckptmap.families.detection.recognition.shapes import Shape, Shapes, below, has, kernels, numbered, scopes
from ckptmap.families.detection.recognition.tf1 import rcnn_around, ssd_around

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_PARTS = re.compile(
    r"^(?P<root>.*?)_(?:feature_extractor|box_predictor|first_stage_box_predictor|feature_extractor_for_\w+)/"
)
_FIRST, _SECOND = "_feature_extractor_for_proposal_features", "_feature_extractor_for_box_classifier_features"


def recognize_tf2(shapes: Shapes) -> Architecture | None:
    """The model that has these variables by key (slots left out); None where nothing tells."""
    values = {
        key.removesuffix(_VALUE): shape
        for key, shape in shapes.items()
        if key.endswith(_VALUE) and "/.OPTIMIZER_SLOT/" not in key
    }
    root = next((found["root"] for key in values if (found := _PARTS.match(key))), None)
    if root is None:
        return _backbone_alone(values)
    model = below(values, root.rstrip("/")) if root else values
    parts = set(scopes(model))
    if _FIRST in parts:
        return _rcnn(model)
    return _ssd(model) if "_box_predictor" in parts else _center_net(model)


def _backbone_alone(values: Shapes) -> Architecture | None:
    """A Keras model whose checkpoint numbers its layers: a classification network."""
    if not has(values, r"(?:^|/)layer(?:_with_weights)?-\d+/"):
        return None
    backbone = keras_backbone(values.values())
    if backbone is None:
        return None
    if backbone.family == RESNET and _is_resnet_v2(values):
        backbone = replace(backbone, name=backbone.name.replace("_v1_", "_v2_"))
    return Architecture(backbone.name, arch.CLASSIFICATION, backbone)


def _is_resnet_v2(values: Shapes) -> bool:
    """Whether there are fewer batch norms than convolutions: ResNet V1 has one behind each."""
    norms = sum(name.endswith("/moving_mean") for name in values)
    return 0 < norms < sum(1 for _ in kernels(values.values()))


def _ssd(model: Shapes) -> Architecture | None:
    extractor = below(model, "_feature_extractor")
    predictor = below(model, "_box_predictor")
    if has(extractor, r"^_efficientnet/"):
        return _efficientdet(extractor, predictor)
    if _is_numbered(extractor) and (found := _efficientdet(extractor, predictor)):
        return found
    heads = _ssd_heads(predictor)
    if slim := _slim_variables(extractor):
        return ssd_around(below(slim, "FeatureExtractor"), heads)
    backbone = keras_backbone(_backbone_of(extractor).values())
    if backbone is None:
        return None
    pyramid = has(extractor, r"^_fpn_features_generator/") or heads.predictor == WEIGHT_SHARED
    name = re.sub(r"^resnet_(v\d)_(\d+)", r"resnet\2_\1", backbone.name)
    kind = f"ssd_{name}_fpn" if pyramid else f"ssd_{name}"
    told = bool(heads.predictor) or not _is_numbered(extractor)  # whether there is a pyramid
    return Architecture(
        _common_name(kind, heads), arch.SSD, backbone, heads, kind if told else "", _fpn_levels(extractor)
    )


def _slim_variables(extractor: Shapes) -> Shapes:
    """What TensorFlow's migration shim holds of slim's own code, by TF1 names (in keys ``/`` is ``.S``)."""
    held = below(extractor, "_tf1_style_var_store/_vars")
    return {name.replace(".S", "/").replace("..", "."): shape for name, shape in held.items()}


def _common_name(kind: str, heads: Heads) -> str:
    if not heads.depthwise:
        return kind
    return f"{kind}lite" if kind.endswith("_fpn") else kind.replace("ssd_", "ssdlite_", 1)


def _backbone_of(extractor: Shapes) -> Shapes:
    return below(extractor, "classification_backbone") or extractor


def _fpn_levels(extractor: Shapes) -> tuple[int, int] | None:
    """The pyramid: a residual block for each level of the backbone but the highest, 5; coarse layers above."""
    lower = len(numbered(extractor, r"^_?fpn_features_generator/residual_blocks/(\d+)/"))
    above = len(numbered(extractor, r"^_?coarse_feature_layers/(\d+)/"))
    return (_HIGHEST_OF_BACKBONE - lower, _HIGHEST_OF_BACKBONE + above) if lower else None


_HIGHEST_OF_BACKBONE = 5


def _ssd_heads(predictor: Shapes, background: int = 1) -> Heads:
    named = has(predictor, "^_prediction_heads/")
    if not named:
        return _numbered_heads(predictor, background)
    depthwise = has(predictor, r"_class_predictor_layers/\d+/depthwise_kernel$")
    classes = "_prediction_heads/class_predictions_with_background"
    maps = numbered(predictor, rf"^{classes}/(\d+)/")
    if 0 < len(maps) <= _MOST_MAPS:
        pairs = [
            (_outputs(predictor, f"_prediction_heads/box_encodings/{n}"), _outputs(predictor, f"{classes}/{n}"))
            for n in maps
        ]
        return per_map_heads(pairs, depthwise=depthwise, background=background)
    anchors, count = anchors_and_classes(
        _outputs(predictor, "_box_prediction_head"), _outputs(predictor, classes), background
    )
    levels = numbered(predictor, r"^_base_tower_layers_for_heads/box_encodings/(\d+)/")
    return Heads(WEIGHT_SHARED, count, (anchors,) if anchors else (), len(levels) or None, depthwise)


_MOST_MAPS = 64
"""Feature maps of a model; a file that claims more is hostile, and looking each up would take forever."""


def _outputs(shapes: Shapes, scope: str) -> int | None:
    """The outputs of a head: the length of its last bias."""
    biases = [shape for name, shape in below(shapes, scope).items() if name.endswith("/bias")]
    return biases[-1][0] if biases else None


def _numbered_kernels(shapes: Shapes) -> list[Shape]:
    """The kernels among numbered variables, in the order of their numbers, depthwise ones aside."""
    by_number = sorted(
        (int(found[1]), shape) for name, shape in shapes.items() if (found := re.search(r"/(\d{1,9})$", name))
    )
    return [shape for _, shape in by_number if len(shape) > 1 and shape[-1] > 1]


def _numbered_heads(predictor: Shapes, background: int) -> Heads:
    """Heads of a SavedModel, whose predictor is a list of variables: boxes first, then classes, then the towers."""
    found = _numbered_kernels(predictor)
    if len(found) < _LEAST_HEADS:
        return Heads()
    depthwise = any(_is_depthwise(shape) for shape in predictor.values())
    anchors, classes = anchors_and_classes(found[0][-1], found[1][-1], background)
    if any(shape[-2] == shape[-1] for shape in found[2:]):
        return Heads(WEIGHT_SHARED, classes, (anchors,) if anchors else (), depthwise=depthwise)
    if len(found) == _LEAST_HEADS or len(found) % 2:  # a single map, or a shared head: nothing tells
        return Heads("", classes, (anchors,) if anchors else (), depthwise=depthwise)
    half = len(found) // 2
    pairs = [(box[-1], cls[-1]) for box, cls in zip(found[:half], found[half:], strict=False)]
    return per_map_heads(pairs, depthwise=depthwise, background=background)


_LEAST_HEADS = 2
"""Kernels of the smallest predictor: boxes and classes."""


def _is_depthwise(shape: Shape) -> bool:
    return len(shape) == 4 and shape[-1] == 1 and shape[-2] > 1


def _is_numbered(names: Iterable[str]) -> bool:
    """Whether a part's variables are a list, as in the SavedModels that the API exports."""
    return has(names, r"^(?:trainable_)?variables/\d+$")


def _rcnn(model: Shapes) -> Architecture | None:
    heads, levels = _rcnn_heads(model), _fpn_levels(below(model, _FIRST))
    kind = arch.MASK_RCNN if heads.mask else arch.FASTER_RCNN
    if slim := _slim_variables(below(model, _FIRST)):
        return rcnn_around(below(slim, "FirstStageFeatureExtractor"), heads, kind)
    features = [shape for name, shape in model.items() if name.startswith((f"{_FIRST}/", f"{_SECOND}/"))]
    backbone = keras_backbone(features)
    if backbone is None:
        return None
    short = re.sub(r"^resnet_v1_", "resnet", backbone.name)
    neck = "_fpn" if levels or _narrows_to_a_pyramid(features) else ""
    return Architecture(f"{kind}_{short}{neck}", kind, backbone, heads, f"faster_rcnn_{short}{neck}", levels)


def _narrows_to_a_pyramid(features: Iterable[Shape]) -> bool:
    """Whether ResNet's last map is projected to a pyramid's channels: its own units narrow 2048 to 512 alone."""
    return any(shape[:3] == (1, 1, 2048) and shape[3] not in (512, 2048) for shape in kernels(features))


def _rcnn_heads(model: Shapes) -> Heads:
    first = below(model, "_first_stage_box_predictor")
    second = below(model, "_mask_rcnn_box_predictor")
    boxes = _outputs(first, "_prediction_heads/box_encodings") or _nth_kernel(first, 0)
    classes = _outputs(second, "_class_prediction_head") or _nth_kernel(second, 1)
    convolutions = _is_numbered(second) and any(kernels(second.values()))  # the other heads are dense
    mask = has(second, r"mask_predictions/") or convolutions
    anchors = (boxes // BOX_CODE_SIZE,) if boxes else ()
    return Heads(RCNN if classes else "", classes - 1 if classes else None, anchors, mask=mask)


def _nth_kernel(shapes: Shapes, n: int) -> int | None:
    found = _numbered_kernels(shapes)
    return found[n][-1] if len(found) > n else None


def _efficientdet(extractor: Shapes, predictor: Shapes) -> Architecture | None:
    width = next((shape[2] for shape in predictor.values() if _is_depthwise(shape)), None)
    network = efficientnet(_efficientnet_in(extractor, width))
    if network is None or width is None:
        return None
    heads = _ssd_heads(predictor, background=0)
    name = efficientdet_name(width, network.name)
    kind = f"ssd_{network.name.replace('_', '-')}_bifpn"
    levels = (_LOWEST_OF_BIFPN, _LOWEST_OF_BIFPN + heads.feature_maps - 1) if heads.feature_maps else None
    return Architecture(name, arch.EFFICIENTDET, network, heads, kind, levels)


def _efficientnet_in(extractor: Shapes, pyramid: int | None) -> Iterator[Shape]:
    """The backbone's shapes; in a list all but the pyramid's depthwise kernels, whose width no EfficientNet has."""
    if _is_numbered(extractor):
        yield from (shape for shape in extractor.values() if not (_is_depthwise(shape) and shape[2] == pyramid))
    for part in ("_efficientnet", "classification_backbone"):
        yield from below(extractor, part).values()


_LOWEST_OF_BIFPN = 3


def _center_net(model: Shapes) -> Architecture | None:
    """CenterNet: a head for each task, the centers' has an output a class."""
    if not has(model, "^_prediction_head_dict/"):
        return None
    extractor = below(model, "_feature_extractor")
    if has(extractor, "^_network/hourglass_network/"):
        backbone: Backbone | None = Backbone("hourglass", HOURGLASS)
    else:
        backbone = keras_backbone(extractor.values())
    if backbone is None:
        return None
    heads = Heads(num_classes=_outputs(model, "_prediction_head_dict/object_center"))
    name = re.sub(r"^resnet_v1_", "resnet", backbone.name)
    return Architecture(f"centernet_{name}", arch.CENTER_NET, backbone, heads)
