"""The classes of the new model in a config: their number, their label map, and what follows from the number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.families.detection.pipeline.changes import Change, text, word
from ckptmap.families.detection.pipeline.models import FASTER_RCNN, tf1_type
from ckptmap.families.detection.pipeline.notes import Note
from ckptmap.families.detection.pipeline.rules_rcnn import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ckptmap.families.detection.pipeline.config import PipelineConfig
    from ckptmap.families.detection.pipeline.view import View

_LABEL_MAP = "label_map_path"
_RESNET_FEATURES = 2048
_FEATURES = {
    "faster_rcnn_inception_resnet_v2": 1536,
    "faster_rcnn_inception_v2": 1024,
    "faster_rcnn_nas": 4032,
    "faster_rcnn_pnas": 4320,
}
"""Channels of the second stage's features."""


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of the new model: how many, None for the config's own, and the path of their label map, if given.

    ``mask_depth`` are the channels of the mask head's convolutions in the converted checkpoint, 0 where nothing is
    converted: the config may leave them to the class count.
    """

    count: int | None = None
    label_map: str = ""
    mask_depth: int = 0

    def differ_from(self, config: PipelineConfig) -> bool:
        """Whether the new model has another number of classes than the config says."""
        return self.count is not None and self.count != config.num_classes


def changes(config: PipelineConfig, classes: Classes) -> Iterator[Change]:
    """All edits that the new classes need."""
    if classes.count is not None and classes.differ_from(config):
        path = f"model.{config.architecture}.num_classes"
        yield Change(path, word(classes.count), "the number of classes asked for")
    yield from _mask_depth_change(config, classes)
    if classes.label_map:
        reason = "the label map of the new classes: the examples must have its numbers"
        yield from (Change(path, text(classes.label_map), reason) for path, _ in _label_map_fields(config))


def notes(config: PipelineConfig, classes: Classes) -> Iterator[Note]:
    """What the user still has to do for another class count."""
    if classes.differ_from(config) and not classes.label_map:
        why = f"these are the old classes; the model now has {classes.count}: name the label map of the new ones"
        yield from (Note(reader.line(_LABEL_MAP), path, why) for path, reader in _label_map_fields(config))


def _label_map_fields(config: PipelineConfig) -> Iterator[tuple[str, View]]:
    """The path of each field that names a label map, and the input reader that has it."""
    train, evaluated = config.root.child("train_input_reader"), config.root.children("eval_input_reader")
    readers = [("train_input_reader", train)] if train.present else []
    if len(evaluated) == 1:
        readers.append(("eval_input_reader", evaluated[0]))
    else:
        readers += [(f"eval_input_reader[{at}]", reader) for at, reader in enumerate(evaluated)]
    yield from ((f"{path}.{_LABEL_MAP}", reader) for path, reader in readers if reader.has(_LABEL_MAP))


def mask_depth(config: PipelineConfig, num_classes: int) -> int:
    """Channels of the mask head's convolutions; where the config says 0, they follow from the class count.

    The rule is ``_get_mask_predictor_conv_depth`` of the API's mask heads (predictors/heads/mask_head.py): a power of
    two, between the channels of the second stage's features and the class count.
    """
    stated = config.predictor.integer("mask_prediction_conv_depth")
    if stated:
        return stated
    features = _FEATURES.get(tf1_type(config.extractor_type), _RESNET_FEATURES)
    exponent = round((2 * math.log2(features) + 3 * math.log2(max(num_classes, 1))) / 5)
    return 1 << exponent


def has_masks(config: PipelineConfig) -> bool:
    """Whether the second stage of an R-CNN predicts masks."""
    return config.predictor_kind == MASK and config.predictor.flag("predict_instance_masks")


def _mask_depth_change(config: PipelineConfig, classes: Classes) -> Iterator[Change]:
    """The new model's masks are as deep as the checkpoint's."""
    if config.architecture == FASTER_RCNN and has_masks(config):
        wanted = classes.mask_depth or mask_depth(config, config.num_classes)
        if mask_depth(config, classes.count or config.num_classes) != wanted:
            path = f"model.{FASTER_RCNN}.second_stage_box_predictor.{MASK}.mask_prediction_conv_depth"
            yield Change(path, word(wanted), "what the checkpoint has; 0 lets the class count decide")
