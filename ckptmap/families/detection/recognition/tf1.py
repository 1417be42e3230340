"""Recognize TF1 models by their variables' names: the detectors of the Object Detection API, AutoML's EfficientDet, and
tf-slim's classification networks."""

from __future__ import annotations

import re

from ckptmap.families.detection.recognition import architecture as arch
from ckptmap.families.detection.recognition.architecture import Architecture, Backbone, Heads
from ckptmap.families.detection.recognition.backbones import cell_backbone, efficientdet_name, slim_backbone
from ckptmap.families.detection.recognition.heads import WEIGHT_SHARED, anchors_and_classes, rcnn_heads, ssd_heads
from ckptmap.families.detection.recognition.shapes import Shapes, below, has, numbered, outputs, scopes

_LOGITS = (
    "Logits/Conv2d_1c_1x1",
    "Logits/Conv2d_0c_1x1",
    "Logits/Logits",
    "logits",
    "fc8",
    "head/dense",
    "model/head/dense",
    "final_layer/FC",
)
"""Where slim's classification networks have their last layer."""


def recognize_tf1(shapes: Shapes) -> Architecture | None:
    """The model that has these variables (weights only); None where nothing tells."""
    roots = set(scopes(shapes))
    if "FeatureExtractor" in roots:
        return ssd_around(below(shapes, "FeatureExtractor"), ssd_heads(shapes))
    if "FirstStageFeatureExtractor" in roots:
        heads = rcnn_heads(shapes)
        return rcnn_around(below(shapes, "FirstStageFeatureExtractor"), heads, _rcnn_kind(shapes, heads))
    if {"class_net", "box_net"} <= roots:
        return _efficientdet(shapes)
    return _classification(shapes)


def ssd_around(extractor: Shapes, heads: Heads) -> Architecture | None:
    """The SSD with these heads around a slim feature extractor: its variables by their names below its scope."""
    backbone = _backbone(extractor)
    if backbone is None:
        return None
    kind = _ssd_type(backbone, extractor, heads)
    levels = _fpn_levels(extractor, heads)
    name = kind
    if heads.depthwise and kind.endswith("_fpn"):
        name = f"{kind}lite"
    elif heads.depthwise and heads.predictor != WEIGHT_SHARED:
        name = kind.replace("ssd_", "ssdlite_", 1)
    return Architecture(name, arch.SSD, backbone, heads, kind, levels)


def _backbone(extractor: Shapes) -> Backbone | None:
    found = slim_backbone(extractor)
    return found[1] if found else cell_backbone(extractor)


def _ssd_type(backbone: Backbone, extractor: Shapes, heads: Heads) -> str:
    if has(extractor, r"_Conv2d_\d+_2x2_"):
        return f"embedded_ssd_{backbone.name}"
    name = re.sub(r"^resnet_(v\d)_(\d+)", r"resnet\2_\1", backbone.name)
    return f"ssd_{name}{_neck(extractor, heads)}"


def _neck(extractor: Shapes, heads: Heads) -> str:
    """What stands between backbone and predictor: a feature pyramid, a pooling pyramid (no variables), or nothing."""
    if has(extractor, r"/fpn/"):
        return "_fpn"
    if has(extractor, r"^MnasFPN/"):
        return "_mnasfpn"
    pooled = heads.predictor == WEIGHT_SHARED and not has(extractor, r"^(?:spaghettinet|cell_)")
    return "_ppn" if pooled else ""


def _fpn_levels(extractor: Shapes, heads: Heads) -> tuple[int, int] | None:
    """Levels of the feature pyramid: a projection for each level of the backbone, the highest of which is 5."""
    from_backbone = len(numbered(extractor, r"/fpn/projection_(\d+)/"))
    if not from_backbone:
        return None
    lowest = _HIGHEST_OF_BACKBONE + 1 - from_backbone
    maps = heads.feature_maps or from_backbone + len(numbered(extractor, r"/fpn/bottom_up_\D*(\d+)/"))
    return lowest, lowest + maps - 1


_HIGHEST_OF_BACKBONE = 5


def rcnn_around(first_stage: Shapes, heads: Heads, meta: str) -> Architecture | None:
    """The R-CNN of kind ``meta`` with these heads around a slim feature extractor, told by its first stage."""
    backbone = _backbone(first_stage)
    if backbone is None:
        return None
    short = {"nasnet": "nas", "pnasnet": "pnas"}.get(backbone.name, re.sub(r"^resnet_v1_", "resnet", backbone.name))
    return Architecture(f"{meta}_{short}", meta, backbone, heads, f"faster_rcnn_{short}")


def _rcnn_kind(shapes: Shapes, heads: Heads) -> str:
    if heads.predictor == "rfcn_box_predictor":
        return arch.RFCN
    if has(shapes, r"^AttentionBlock"):
        return arch.CONTEXT_RCNN
    return arch.MASK_RCNN if heads.mask else arch.FASTER_RCNN


def _efficientdet(shapes: Shapes) -> Architecture | None:
    backbone = _backbone(shapes)
    width = outputs(shapes, "box_net/box-0")
    if backbone is None or width is None:
        return None
    anchors, classes = anchors_and_classes(
        outputs(shapes, "box_net/box-predict"), outputs(shapes, "class_net/class-predict"), background=0
    )
    levels = numbered(shapes, r"^box_net/box-0-bn-(\d+)/")
    heads = Heads("", classes, (anchors,) if anchors else (), len(levels) or None, depthwise=True)
    pyramid = (levels[0], levels[-1]) if levels else None
    name = efficientdet_name(width, backbone.name)
    return Architecture(name, arch.EFFICIENTDET, backbone, heads, fpn_levels=pyramid)


def _classification(shapes: Shapes) -> Architecture | None:
    scope, backbone = slim_backbone(shapes) or ("", cell_backbone(shapes))
    if backbone is None:
        return None
    classes = (outputs(shapes, f"{scope}/{layer}") or outputs(shapes, layer) for layer in _LOGITS)
    heads = Heads(num_classes=next((count for count in classes if count), None))
    return Architecture(backbone.name, arch.CLASSIFICATION, backbone, heads)
