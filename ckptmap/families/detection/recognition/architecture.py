"""What model a checkpoint holds, as a plain value, read from the names and shapes of its variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ckptmap.basics.text import plural

SSD = "ssd"
FASTER_RCNN = "faster_rcnn"
MASK_RCNN = "mask_rcnn"
RFCN = "rfcn"
CONTEXT_RCNN = "context_rcnn"
EFFICIENTDET = "efficientdet"
CENTER_NET = "center_net"
CLASSIFICATION = "classification"

_PRINTED = {
    SSD: "SSD",
    FASTER_RCNN: "Faster R-CNN",
    MASK_RCNN: "Mask R-CNN",
    RFCN: "R-FCN",
    CONTEXT_RCNN: "Context R-CNN",
    EFFICIENTDET: "EfficientDet",
    CENTER_NET: "CenterNet",
    CLASSIFICATION: "classification",
}
_ALIKE = {"efficientdet_d6": "EfficientDet D7 has the same variables as D6: for one, use --to efficientdet_d7"}
"""Models that another one cannot be told from."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """The network that makes features of an image.

    ``name`` is slim's (``mobilenet_v2``, ``resnet_v1_50``), ``family`` what such networks are called;
    ``depth_multiplier`` is None where the network has none or the shapes do not tell.
    """

    name: str
    family: str
    depth_multiplier: float | None = None


@dataclass(frozen=True, slots=True)
class Heads:
    """What the predictors' shapes say.

    ``predictor`` names the kind of box predictor as a pipeline.config does. ``num_classes`` is without the background.
    ``anchors`` are anchors per location, one number for each feature map that has its own predictor (one number where
    the maps share it); ``feature_maps`` counts the maps.
    """

    predictor: str = ""
    num_classes: int | None = None
    anchors: tuple[int, ...] = ()
    feature_maps: int | None = None
    depthwise: bool = False
    mask: bool = False


@dataclass(frozen=True, slots=True)
class Architecture:
    """A known model.

    ``name`` is the one that the model zoo uses (``ssdlite_mobilenet_v2``); ``meta_architecture`` is a word of this
    module; ``extractor_type`` is the ``feature_extractor.type`` of a TF1 pipeline.config (empty where there is none);
    ``fpn_levels`` are the lowest and the highest level of the pyramid.
    """

    name: str
    meta_architecture: str
    backbone: Backbone
    heads: Heads = Heads()
    extractor_type: str = ""
    fpn_levels: tuple[int, int] | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """The name of the model, else the extractor's: a target serves all models around one extractor."""
        return tuple(name for name in (self.name, self.extractor_type) if name)

    @property
    def tables(self) -> tuple[str, ...]:
        """None: those of its targets serve."""
        return ()

    @property
    def folder(self) -> str:
        """The name of the model, which is TF2's then."""
        return f"{self.name}_tf2"

    @property
    def remark(self) -> str:
        """Which other model has the very same variables."""
        return _ALIKE.get(self.name, "")

    @property
    def homeless(self) -> str:
        """That neither the Object Detection API nor ckptmap has this model for TF2; of networks alone nobody knows."""
        from ckptmap.families.detection.pipeline.models import EXTRACTORS

        known = EXTRACTORS.get(self.extractor_type)
        if self.meta_architecture in (CLASSIFICATION, EFFICIENTDET) or (known is not None and known.exact):
            return ""
        return f"the Object Detection API has no Keras {self.name}"

    def traits(self) -> str:
        """Kind, backbone, classes, anchors, feature maps and masks, as far as they are known."""
        return "; ".join(self._traits())

    def _traits(self) -> Iterator[str]:
        backbone, heads = self.backbone, self.heads
        multiplier = backbone.depth_multiplier
        width = f", depth multiplier {multiplier:g}" if multiplier is not None else ""
        yield f"{_PRINTED[self.meta_architecture]} with {backbone.name}{width}"
        if heads.num_classes is not None:
            yield plural(heads.num_classes, "class", "classes")
        if heads.anchors:
            yield f"{_counts(heads.anchors)} anchors per location"
        if self.fpn_levels:
            yield f"FPN levels {self.fpn_levels[0]} to {self.fpn_levels[1]}"
        elif heads.feature_maps:
            yield plural(heads.feature_maps, "feature map")
        if heads.mask:
            yield "mask head"

    def document(self) -> dict[str, Any]:
        """All fields as JSON values."""
        heads, backbone = self.heads, self.backbone
        return {
            "name": self.name,
            "meta_architecture": self.meta_architecture,
            "extractor_type": self.extractor_type or None,
            "family": backbone.family,
            "backbone": backbone.name,
            "depth_multiplier": backbone.depth_multiplier,
            "num_classes": heads.num_classes,
            "anchors_per_location": list(heads.anchors),
            "feature_maps": heads.feature_maps,
            "box_predictor": heads.predictor or None,
            "depthwise_predictor": heads.depthwise,
            "fpn_levels": list(self.fpn_levels) if self.fpn_levels else None,
            "mask_head": heads.mask,
        }


def _counts(counts: tuple[int, ...]) -> str:
    return ", ".join(map(str, counts)) if len(set(counts)) > 1 else str(counts[0])
