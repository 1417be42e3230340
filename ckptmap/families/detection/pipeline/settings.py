"""The target spec of a config's model, and the settings and unknowns that choose its variables.

The names are those of the specs (``mappings/targets/*.json``). They describe the model that the config itself
builds, so for a migration they are read from the migrated config.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.families.detection.pipeline.classes import has_masks
from ckptmap.families.detection.pipeline.efficientdet import version_of
from ckptmap.families.detection.pipeline.models import (
    EXACT_SUFFIX,
    FASTER_RCNN,
    MOBILENET_FPN,
    MOBILENET_V1,
    MOBILENET_V2,
    RESNET_FPN,
    SLIM_ONLY_SSD,
    SPAGHETTINET,
    SSD,
    tf1_type,
)
from ckptmap.families.detection.pipeline.rules_rcnn import MASK, RFCN
from ckptmap.families.detection.pipeline.rules_ssd import CONVOLUTIONAL, SHARED

if TYPE_CHECKING:
    from collections.abc import Collection

    from ckptmap.families.detection.pipeline.config import PipelineConfig
    from ckptmap.families.detection.pipeline.view import View

Setting = bool | int | str
_COMPLETE = "scale and center"
_UNUSED_BY_RESNET = ("use_depthwise", "use_explicit_padding")
"""Neither slim's ResNet FPN extractors nor Keras' build anything by these."""
_SPAGHETTINET_USUAL = "spaghettinet_edgetpu_m"  # the extractor's own default; the field has none
_USUAL_PREDICTORS = {
    **dict.fromkeys((*MOBILENET_V1, *MOBILENET_V2), CONVOLUTIONAL),
    **dict.fromkeys((*MOBILENET_FPN, *RESNET_FPN), SHARED),
}
"""The predictor that the specs of an extractor are for: one for each feature map, or one for all of a pyramid."""


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """What a config says of its target.

    ``settings`` decide which variables there are, ``unknowns`` how long they are. Both hold everything the config
    says; a spec takes what it names (:meth:`given`).
    """

    target: str
    settings: dict[str, Setting]
    unknowns: dict[str, int]

    def given(self, names: Collection[str]) -> dict[str, Setting]:
        """The settings and unknowns that a spec with these names knows."""
        return {name: value for name, value in {**self.settings, **self.unknowns}.items() if name in names}


def settings(config: PipelineConfig) -> TargetSettings:
    """The target and settings of a config's model. Raises ConfigError where the config has none."""
    if config.architecture == FASTER_RCNN:
        return TargetSettings(target_name(config), _rcnn_settings(config), _unknowns(config))
    if config.architecture == SSD:
        return TargetSettings(target_name(config), _ssd_settings(config), _unknowns(config))
    return TargetSettings(target_name(config), {}, {"num_classes": config.num_classes})


def target_name(config: PipelineConfig) -> str:
    """``ssd_mobilenet_v2``, ``mask_rcnn_resnet50`` …: the TF1 type, with the family that the heads make of it."""
    name = tf1_type(config.extractor_type)
    if version := version_of(config):
        return version.name
    if config.architecture != FASTER_RCNN:
        return name
    backbone = name.removeprefix("faster_rcnn_")
    if config.predictor_kind == RFCN:
        return f"rfcn_{backbone}"
    if config.model.has("context_config"):
        return f"context_rcnn_{backbone}"
    if has_masks(config):
        upsampled = config.predictor.flag("convolve_then_upsample_masks")
        return f"mask_rcnn_{backbone}{'_upsample' if upsampled else ''}"
    return name


def _ssd_settings(config: PipelineConfig) -> dict[str, Setting]:
    extractor, predictor = config.extractor, config.predictor
    found: dict[str, Setting] = {
        "use_explicit_padding": extractor.flag("use_explicit_padding"),
        "use_depthwise": extractor.flag("use_depthwise"),
        "override_base_feature_extractor_hyperparams": _keras_override(config),
        "batch_norm": _batch_norm(_hyperparams(config)),
        **_feature_maps(config),
    }
    if tf1_type(config.extractor_type) in SLIM_ONLY_SSD:
        found["depth_multiplier"] = f"{extractor.number('depth_multiplier'):g}"
    if tf1_type(config.extractor_type) == SPAGHETTINET:
        named = extractor.has("spaghettinet_arch_name")
        found["spaghettinet_arch_name"] = extractor.text("spaghettinet_arch_name") if named else _SPAGHETTINET_USUAL
    if tf1_type(config.extractor_type) in RESNET_FPN:
        found |= dict.fromkeys(_UNUSED_BY_RESNET, False)
    if config.predictor_kind in (CONVOLUTIONAL, SHARED):
        found |= {
            "use_dropout": predictor.flag("use_dropout"),
            "num_layers_before_predictor": _layers_before(config),
            "predictor_use_depthwise": predictor.flag("use_depthwise"),
            "predictor_batch_norm": _batch_norm(predictor.child("conv_hyperparams")),
        }
    if config.predictor_kind == SHARED:
        found["share_prediction_tower"] = predictor.flag("share_prediction_tower")
    return found | _unusual_heads(config)


def _unusual_heads(config: PipelineConfig) -> dict[str, Setting]:
    """Heads that the specs of this extractor do not have: named where they are asked for, so that a spec is refused."""
    name, kind = tf1_type(config.extractor_type), config.predictor_kind
    usual = _USUAL_PREDICTORS.get(name, kind)
    found: dict[str, Setting] = {"box_predictor": kind} if kind != usual else {}
    if name in _USUAL_PREDICTORS and not config.model.flag("add_background_class"):
        found["add_background_class"] = False
    return found


def _feature_maps(config: PipelineConfig) -> dict[str, Setting]:
    """How many feature maps there are, in the words of the extractor's kind: levels of a pyramid, or layers."""
    if "_fpn" not in tf1_type(config.extractor_type):
        return {"num_layers": config.extractor.integer("num_layers")}
    levels = config.extractor.child("fpn")
    low, high = levels.integer("min_level"), levels.integer("max_level")
    return {"fpn_min_level": low, "fpn_max_level": high, "fpn_levels": high - low + 1}


def _keras_override(config: PipelineConfig) -> bool:
    """Whether the backbone's variables follow the config: MobileNet V2 and ResNet have batch norms of their own.

    Slim's keep them under the override, Keras' lose what the config's have not.
    """
    kept = config.extractor_type.endswith(EXACT_SUFFIX) or _batch_norm(_hyperparams(config)) == _COMPLETE
    own = tf1_type(config.extractor_type) in (*MOBILENET_V2, *RESNET_FPN)
    return config.extractor.flag("override_base_feature_extractor_hyperparams") and not (own and kept)


def _hyperparams(config: PipelineConfig) -> View:
    return config.extractor.child("conv_hyperparams")


def _layers_before(config: PipelineConfig) -> int:
    """Convolutions before the predictor: none where the convolutional one limits their depth to 0."""
    predictor = config.predictor
    deep = config.predictor_kind == SHARED or predictor.integer("min_depth") or predictor.integer("max_depth")
    return predictor.integer("num_layers_before_predictor") if deep else 0


def _batch_norm(hyperparams: View) -> str:
    """The variables of a batch norm beside its statistics, in the words of the specs."""
    name = next((name for name in ("batch_norm", "sync_batch_norm") if hyperparams.has(name)), "")
    if not name:
        return "none"
    norm = hyperparams.child(name)
    parts = [part for part in ("scale", "center") if norm.flag(part)]
    return " and ".join(parts) or "neither"


def _rcnn_settings(config: PipelineConfig) -> dict[str, Setting]:
    model, predictor = config.model, config.predictor
    found: dict[str, Setting] = {
        "number_of_stages": model.integer("number_of_stages"),
        "rpn_batch_norm": _batch_norm(model.child("first_stage_box_predictor_conv_hyperparams")),
    }
    if config.predictor_kind == MASK:
        found |= {
            "use_dropout": predictor.flag("use_dropout"),
            "share_box_across_classes": predictor.flag("share_box_across_classes"),
            "head_batch_norm": _batch_norm(predictor.child("fc_hyperparams")),
        }
    if has_masks(config):
        found |= {
            "mask_prediction_num_conv_layers": predictor.integer("mask_prediction_num_conv_layers"),
            "convolve_then_upsample_masks": predictor.flag("convolve_then_upsample_masks"),
            "masks_are_class_agnostic": predictor.flag("masks_are_class_agnostic"),
            "mask_batch_norm": _batch_norm(predictor.child("conv_hyperparams")),
        }
    if config.predictor_kind == RFCN:
        found["head_batch_norm"] = _batch_norm(predictor.child("conv_hyperparams"))
    return found


def _unknowns(config: PipelineConfig) -> dict[str, int]:
    predictor, anchors = config.predictor, config.anchors
    found = {"num_classes": config.num_classes}
    found |= {f"anchors_{at}": count for at, count in enumerate(anchors)}
    names = {"box_code_size": "box_code_size", "kernel_size": "predictor_kernel"}
    if config.predictor_kind == SHARED:
        found |= {"anchors": anchors[0]} if len(set(anchors)) == 1 else {}
        names["depth"] = "predictor_depth"
    return found | {name: predictor.integer(field) for field, name in names.items() if field in predictor.type.fields}
