"""What model a checkpoint holds, as a plain value, read from the names and shapes of its variables."""

from __future__ import annotations

from dataclasses import dataclass

SSD = "ssd"
FASTER_RCNN = "faster_rcnn"
MASK_RCNN = "mask_rcnn"
RFCN = "rfcn"
CONTEXT_RCNN = "context_rcnn"
EFFICIENTDET = "efficientdet"
CENTER_NET = "center_net"
CLASSIFICATION = "classification"


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
