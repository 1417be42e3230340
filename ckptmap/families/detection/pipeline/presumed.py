"""The TF1 config that a checkpoint alone lets one presume: what its variables show, official values for the rest.

A verdict on it holds for the official configuration of the model; ``--pipeline`` checks the user's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.families.detection.pipeline.config import PipelineConfig, parse_config
from ckptmap.families.detection.pipeline.efficientdet import verdict as efficientdet_verdict
from ckptmap.families.detection.pipeline.models import EXTRACTORS, FASTER_RCNN, INCEPTION, MOBILENET_FPN, RESNET_FPN
from ckptmap.families.detection.pipeline.verdict import verdict
from ckptmap.families.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

_FAMILIES = ("rfcn", "mask_rcnn", "context_rcnn")
_STRIDE_8 = ("inception_resnet_v2",)
"""Backbones whose official configs have stride 8 ("atrous") everywhere."""
_HYPERPARAMETERS = (
    "regularizer { l2_regularizer { weight: 0.00004 } } "
    "initializer { truncated_normal_initializer { stddev: 0.03 } } activation: RELU_6 "
)
_DEPTHWISE = "use_depthwise"
_OVERRIDE = "override_base_feature_extractor_hyperparams"
_BATCH_NORMS = {
    "scale and center": "batch_norm { scale: true center: true epsilon: 0.001 decay: 0.9997 }",
    "center": "batch_norm { scale: false center: true epsilon: 0.001 decay: 0.9997 }",
}


def presumed_verdict(
    target: str, settings: Mapping[str, object] | None = None, unknowns: Mapping[str, int] | None = None
) -> Verdict | None:
    """The verdict on :func:`presumed_config`, or on an EfficientDet, which has no TF1 config; None for others."""
    config = presumed_config(target, settings or {}, unknowns or {})
    return verdict(config) if config is not None else efficientdet_verdict(target)


def presumed_config(target: str, settings: Mapping[str, object], unknowns: Mapping[str, int]) -> PipelineConfig | None:
    """The config for a shipped target, its settings and solved lengths; None for a target of another kind."""
    extractor = _extractor(target)
    if extractor is None:
        return None
    classes = unknowns.get("num_classes", 90)
    if EXTRACTORS[extractor].architecture == FASTER_RCNN:
        return parse_config(_rcnn(target, extractor, classes), "presumed")
    return parse_config(_ssd(extractor, classes, settings, unknowns), "presumed")


def _extractor(target: str) -> str | None:
    """The feature extractor of a target: families of heads share those of Faster R-CNN."""
    prefix = next((family for family in _FAMILIES if target.startswith(family)), None)
    name = f"{FASTER_RCNN}{target.removeprefix(prefix)}".removesuffix("_upsample") if prefix else target
    return name if name in EXTRACTORS and EXTRACTORS[name].exact else None


def _ssd(extractor: str, classes: int, settings: Mapping[str, object], unknowns: Mapping[str, int]) -> str:
    fpn = extractor in (*MOBILENET_FPN, *RESNET_FPN)
    overridden = fpn or extractor in INCEPTION
    norm = _BATCH_NORMS.get(str(settings.get("batch_norm", "scale and center")), "")
    fields = [
        f'type: "{extractor}" depth_multiplier: {_multiplier(unknowns):g} min_depth: 16',
        f"conv_hyperparams {{ {_HYPERPARAMETERS} {norm} }}",
        *(
            f"{name}: {str(settings.get(name, overridden and name == _OVERRIDE)).lower()}"
            for name in (_DEPTHWISE, _OVERRIDE)
        ),
    ]
    if fpn:
        levels = {"min_level": settings.get("fpn_min_level", 3), "max_level": settings.get("fpn_max_level", 7)}
        fields.append("fpn { " + " ".join(f"{name}: {level}" for name, level in levels.items()) + " }")
    predictor = "weight_shared_convolutional_box_predictor" if fpn else "convolutional_box_predictor"
    hyperparameters = f"conv_hyperparams {{ {_HYPERPARAMETERS} {_BATCH_NORMS['scale and center']} }}"
    return (
        f"model {{ ssd {{ num_classes: {classes} feature_extractor {{ {' '.join(fields)} }} "
        f"box_predictor {{ {predictor} {{ {hyperparameters} }} }} }} }}"
    )


def _multiplier(unknowns: Mapping[str, int]) -> float:
    """The depth multiplier that the widest layer of a known base width shows; narrow ones are rounded or held up."""
    known = {int(base): width for name, width in unknowns.items() if (base := name.removeprefix("width_")).isdecimal()}
    shown = [base for base in (320, 1024, 512) if base in known]
    return round(known[shown[0]] / shown[0], 3) if shown else 1.0


def _rcnn(target: str, extractor: str, classes: int) -> str:
    stride = 8 if extractor.endswith(_STRIDE_8) else 16
    context = "context_config { }" if target.startswith("context") else ""
    predictor = "rfcn_box_predictor" if target.startswith("rfcn") else "mask_rcnn_box_predictor"
    masks = "predict_instance_masks: true" if target.startswith("mask") else ""
    hyperparameters = "fc_hyperparams { op: FC }" if predictor.startswith("mask") else ""
    return (
        f'model {{ faster_rcnn {{ num_classes: {classes} feature_extractor {{ type: "{extractor}" '
        f"first_stage_features_stride: {stride} }} {context} maxpool_kernel_size: 2 maxpool_stride: 2 "
        f"second_stage_box_predictor {{ {predictor} {{ {hyperparameters} {masks} }} }} }} }}"
    )
