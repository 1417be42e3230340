"""A pipeline.config beside a checkpoint, and whether the two speak of the same model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeGuard

from ckptmap.basics.errors import ConfigError
from ckptmap.checkpoint.data_files import folder_of
from ckptmap.families.detection.config_files import find_config
from ckptmap.families.detection.recognition.architecture import (
    CENTER_NET,
    CLASSIFICATION,
    EFFICIENTDET,
    FASTER_RCNN,
    SSD,
    Architecture,
)
from ckptmap.families.family import Beside, Difference, Model

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.config import PipelineConfig


def config_beside(prefix: str, model: Model | None) -> Beside | None:
    """The pipeline.config of the checkpoint ``prefix`` compared with what it holds; None where there is none."""
    path = find_config(folder_of(prefix))
    if path is None:
        return None
    from ckptmap.families.detection.pipeline.config import read_config

    try:
        config = read_config(path)
        says = config.extractor_type or config.architecture
        if not is_detector(model):
            return Beside(str(path), says, note="not compared: the checkpoint holds no detector that ckptmap knows")
        return Beside(str(path), says, tuple(differences(model, config)))
    except ConfigError as error:
        return Beside(str(path), note=f"cannot be read: {error.problem.message}")


def is_detector(model: Model | None) -> TypeGuard[Architecture]:
    """Whether a pipeline.config can speak of the model."""
    return isinstance(model, Architecture) and model.meta_architecture != CLASSIFICATION


_BLOCKS = {SSD: SSD, EFFICIENTDET: SSD, CENTER_NET: CENTER_NET}
"""The block that a meta-architecture has in a config; all others are kinds of Faster R-CNN."""


def differences(architecture: Architecture, config: PipelineConfig) -> Iterator[Difference]:
    """Where ``config`` speaks of another model than the checkpoint holds. Raises ConfigError for values out of type."""
    block = _BLOCKS.get(architecture.meta_architecture, FASTER_RCNN)
    if config.architecture != block:
        yield Difference("model", config.architecture or "none", block)
        return
    yield from _type(architecture, config)
    heads = architecture.heads
    if heads.num_classes is not None and config.num_classes != heads.num_classes:
        yield Difference("num_classes", str(config.num_classes), str(heads.num_classes))
    if block != CENTER_NET:
        yield from _anchors(architecture, config)
        yield from _depth_multiplier(architecture, config)
        yield from _predictor(architecture, config)


def _type(architecture: Architecture, config: PipelineConfig) -> Iterator[Difference]:
    from ckptmap.families.detection.pipeline.models import tf1_type

    if architecture.extractor_type and tf1_type(config.extractor_type) != architecture.extractor_type:
        yield Difference("feature_extractor type", config.extractor_type, architecture.extractor_type)


def _anchors(architecture: Architecture, config: PipelineConfig) -> Iterator[Difference]:
    found = architecture.heads.anchors
    try:
        wanted = config.anchors
    except ConfigError:
        return
    shared = len(found) == 1
    if found and (set(found) != set(wanted) if shared else found != wanted):
        yield Difference("anchors per location", _numbers(wanted), _numbers(found))


def _depth_multiplier(architecture: Architecture, config: PipelineConfig) -> Iterator[Difference]:
    found = architecture.backbone.depth_multiplier
    extractor = config.extractor
    if found is None or "depth_multiplier" not in extractor.type.fields:
        return
    wanted = extractor.number("depth_multiplier")
    if abs(wanted - found) > _MULTIPLIER_ROUNDING:
        yield Difference("depth_multiplier", f"{wanted:g}", f"{found:g}")


_MULTIPLIER_ROUNDING = 0.02
"""Channel counts are rounded to multiples of eight."""


def _predictor(architecture: Architecture, config: PipelineConfig) -> Iterator[Difference]:
    heads = architecture.heads
    if not heads.predictor or not config.predictor_kind:  # nothing is known of it
        return
    if config.predictor_kind != heads.predictor:
        yield Difference("box predictor", config.predictor_kind, heads.predictor)
        return
    fields = config.predictor.type.fields
    if "use_depthwise" in fields and config.predictor.flag("use_depthwise") != heads.depthwise:
        yield Difference("use_depthwise", _word(not heads.depthwise), _word(heads.depthwise))
    if "predict_instance_masks" in fields and config.predictor.flag("predict_instance_masks") != heads.mask:
        yield Difference("predict_instance_masks", _word(not heads.mask), _word(heads.mask))


def _word(value: bool) -> str:
    return str(value).lower()


def _numbers(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values))
