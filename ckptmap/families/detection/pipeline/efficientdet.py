"""AutoML's EfficientDet: its versions, which of them a TF2 config describes, and what the Object Detection API does.

Sources: efficientdet/hparams_config.py of google/automl; the API's
``models/ssd_efficientnet_bifpn_feature_extractor.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.families.detection.operations import AUTOML
from ckptmap.families.detection.pipeline.models import EXACT_SUFFIX, KERAS_SUFFIX, SSD
from ckptmap.families.detection.pipeline.rule import RAW_OUTPUTS
from ckptmap.families.detection.pipeline.verdict import EXACT_NOTE
from ckptmap.families.verdict import Difference, Effect, Kind, Prefer, Verdict

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.config import PipelineConfig

AUTOML_MODEL = "efficientdet_keras.EfficientDetNet"
LOWEST_LEVEL = 3
ASPECT_RATIOS = (1.0, 2.0, 0.5)
SCALES_PER_OCTAVE = 3
_WITH_EXACT = "the exact extractor (prefer exact) takes the feature maps that AutoML takes"
_PREDICTOR = "weight_shared_convolutional_box_predictor"


@dataclass(frozen=True, slots=True)
class Version:
    """One EfficientDet: ``cells`` of a pyramid with ``filters`` channels up to ``max_level``, ``layers`` in each head.

    ``image_size`` is height and width in pixels; an anchor is ``anchor_scale`` strides long at its first scale;
    ``combine`` is how the pyramid's nodes join their inputs, in the API's words.
    """

    name: str
    backbone: str
    image_size: int
    filters: int
    cells: int
    layers: int
    max_level: int = 7
    anchor_scale: float = 4.0
    combine: str = "fast_attention"

    @property
    def stock_type(self) -> str:
        """The feature extractor of the Object Detection API."""
        return f"ssd_efficientnet-{self.backbone}_bifpn{KERAS_SUFFIX}"

    @property
    def exact_type(self) -> str:
        """The extractor that computes what AutoML computes: with B0 the stock one."""
        stock = self.stock_type
        return stock if self.backbone == "b0" else stock.removesuffix(KERAS_SUFFIX) + EXACT_SUFFIX


VERSIONS = {
    version.name: version
    for version in (
        Version("efficientdet_d0", "b0", 512, 64, 3, 3),
        Version("efficientdet_d1", "b1", 640, 88, 4, 3),
        Version("efficientdet_d2", "b2", 768, 112, 5, 3),
        Version("efficientdet_d3", "b3", 896, 160, 6, 4),
        Version("efficientdet_d4", "b4", 1024, 224, 7, 4),
        Version("efficientdet_d5", "b5", 1280, 288, 7, 4),
        Version("efficientdet_d6", "b6", 1280, 384, 8, 5, combine="sum"),
        Version("efficientdet_d7", "b6", 1536, 384, 8, 5, anchor_scale=5.0, combine="sum"),
        Version("efficientdet_d7x", "b7", 1536, 384, 8, 5, max_level=8, combine="sum"),
    )
}


def alike(one: str, other: str) -> bool:
    """Whether two versions have the same variables."""
    networks = ((v.backbone, v.filters, v.cells, v.layers, v.max_level) for v in (VERSIONS[one], VERSIONS[other]))
    return len(set(networks)) == 1


def verdict(target: str) -> Verdict | None:
    """What TF2 makes of this target's model; None for a target that is no EfficientDet."""
    if target.startswith(AUTOML + "efficientdet"):
        return Verdict(Kind.EQUAL, extractor_type=AUTOML_MODEL, advice="the Keras model of AutoML's own repository")
    version = VERSIONS.get(target)
    return verdict_of(version) if version is not None else None


def verdict_of(version: Version, prefer: Prefer = "exact") -> Verdict:
    """What the Object Detection API makes of a version, with the stock extractor or the exact one."""
    if version.exact_type == version.stock_type:
        return Verdict(Kind.EQUAL, extractor_type=version.stock_type)
    stock = prefer == "stock"
    reason = "stock takes its feature maps where the stacks of EfficientNet B0 end, in every deeper network too"
    difference = Difference("feature maps of EfficientNet", Effect.VALUES, RAW_OUTPUTS, reason, remains=stock)
    if stock:
        return Verdict(Kind.WEIGHTS_ONLY, (difference,), version.stock_type, _WITH_EXACT)
    return Verdict(Kind.EXACT, (difference,), version.exact_type, EXACT_NOTE)


def is_efficientdet(config: PipelineConfig) -> bool:
    """Whether the config's feature extractor is one of EfficientDet, stock or exact."""
    return config.architecture == SSD and _is_type(config.extractor_type)


def version_of(config: PipelineConfig) -> Version | None:
    """The version that a TF2 config describes, by all that its variables depend on; D6 where it may be D7.

    None where its model has other variables than every version.
    """
    if not is_efficientdet(config):
        return None
    return next((version for version in VERSIONS.values() if _is_of(config, version)), None)


def _is_type(name: str) -> bool:
    return any(name in (version.stock_type, version.exact_type) for version in VERSIONS.values())


def _is_of(config: PipelineConfig, version: Version) -> bool:
    if config.extractor_type not in (version.stock_type, version.exact_type) or config.predictor_kind != _PREDICTOR:
        return False
    bifpn, predictor = config.extractor.child("bifpn"), config.predictor
    said = tuple(bifpn.integer(name) for name in ("min_level", "max_level", "num_filters", "num_iterations"))
    own = (LOWEST_LEVEL, version.max_level, version.filters, version.cells)
    heads = (predictor.integer("depth"), predictor.integer("num_layers_before_predictor"))
    return (
        said == own
        and bifpn.text("combine_method") == version.combine
        and heads == (version.filters, version.layers)
        and predictor.flag("use_depthwise")
        and not predictor.flag("share_prediction_tower")
        and not config.model.flag("add_background_class")
    )
