"""One kind of row: a model and settings of TF1, and what TF2 is expected to make of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from ckptmap.families.detection.pipeline.config import parse_config
from ckptmap.families.detection.pipeline.migrate import migrated
from ckptmap.families.verdict import Kind, Prefer

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIGS = Path(__file__).parent / "configs"
EQUAL, EDITS, EXACT, WEIGHTS = Kind.EQUAL, Kind.EQUAL_WITH_EDITS, Kind.EXACT, Kind.WEIGHTS_ONLY
NOISE = 3.1e-6
"""Of an output's spread: two-stage models crop and pool in another order of operations. The largest measured without
oneDNN is 3.0e-6, of masks whose spread is 0.16; with it 2e-6."""
BATCH_NORM = "batch_norm { scale: true decay: 0.9997 epsilon: 0.001 }"
ALL_SAMPLED = (
    "second_stage_batch_size: 12 second_stage_balance_fraction: 1.0 "
    "first_stage_minibatch_size: 4096 first_stage_positive_balance_fraction: 1.0"
)
"""No proposal and no anchor is left out, so that nothing is drawn at random."""
ALL: Mapping[str, Any] = {
    "num_classes": 3,
    "size": 128,
    "use_dropout": "false",
    "use_moving_average": "false",
}
SSD: Mapping[str, Any] = {
    **ALL,
    "anchors": "layers",
    "predictor": "convolutional",
    "pyramid": "num_layers: $num_layers",
    "num_layers": 6,
    "aspect_ratios": "[1.0, 2.0, 0.5, 3.0, 0.3333]",
    "depth_multiplier": 1.0,
    "min_depth": 16,
    "freeze_batchnorm": "false",
    "use_depthwise": "false",
    "use_explicit_padding": "false",
    "override": "false",
    "activation": "RELU_6",
    "batch_norm": BATCH_NORM,
    "predictor_use_depthwise": "false",
    "predictor_activation": "RELU_6",
    "predictor_batch_norm": BATCH_NORM,
    "background_class": "true",
    "score_converter": "SIGMOID",
    # the convolutional predictor
    "kernel_size": 1,
    "predictor_min_depth": 0,
    "predictor_max_depth": 0,
    "layers_before_predictor": 0,
    "sigmoid_in_head": "false",
    # the shared predictor
    "predictor_depth": 32,
    "tower_layers": 2,
    "tower_kernel_size": 3,
    "share_prediction_tower": "false",
}
FPN: Mapping[str, Any] = {
    **SSD,
    "anchors": "levels",
    "predictor": "shared",
    "pyramid": "fpn { min_level: $min_level max_level: $max_level additional_layer_depth: $layer_depth }",
    "aspect_ratios": "[1.0, 2.0, 0.5]",
    "override": "true",
    "min_level": 3,
    "max_level": 7,
    "layer_depth": 64,
}
RETINANET: Mapping[str, Any] = {**FPN, "size": 160, "layer_depth": 256}
RCNN: Mapping[str, Any] = {
    **ALL,
    "predictor": "boxes",
    "size": 160,
    "stages": 2,
    "stride": 16,
    "batch_norm_trainable": "false",
    "atrous_rate": 1,
    "anchor_scales": "[0.25, 0.5, 1.0]",
    "anchor_ratios": "[0.5, 1.0, 2.0]",
    "crop_size": 14,
    "maxpool": 2,
    "matmul_crop": "false",
    "max_detections": 10,
    "context": "",
    "rpn_batch_norm": "",
    "share_box_across_classes": "false",
    "head_batch_norm": "",
    # masks
    "mask_size": 9,
    "mask_depth": 16,
    "mask_layers": 2,
    "masks_are_class_agnostic": "false",
    "convolve_then_upsample": "false",
    "mask_batch_norm": "",
    # R-FCN
    "rfcn_depth": 64,
}
INCEPTION_RCNN: Mapping[str, Any] = {**RCNN, "crop_size": 17, "maxpool": 1}


@dataclass(frozen=True)
class Row:
    """A TF1 model with its settings, and what the migration is expected to find.

    ``type`` is TF1's feature extractor. ``fields`` replace those of its family (``SSD``, ``FPN``, ``RCNN`` …) in the
    templates of ``tests/tf/configs``, where ``predictor`` and ``anchors`` name files. ``verdict`` is what ckptmap says
    when asked with ``prefer``. ``tolerance``: the largest measured noise, of a raw output in its spread, of boxes,
    scores and masks, which lie in 0 to 1, as it is.
    """

    name: str
    type: str
    verdict: Kind = EQUAL
    fields: Mapping[str, Any] = field(default_factory=dict)
    prefer: Prefer = "exact"
    tolerance: float = -1.0
    seed: int = 1
    train_steps: int = 0
    moving_averages: bool = False

    def __post_init__(self) -> None:
        if self.tolerance < 0:
            object.__setattr__(self, "tolerance", NOISE if self.two_stages else 0.0)

    def __str__(self) -> str:
        return self.name

    @property
    def two_stages(self) -> bool:
        """Whether it is of the R-CNN family."""
        return self.type.startswith("faster_rcnn")

    @property
    def values(self) -> dict[str, Any]:
        """What fills the templates."""
        return {**_family(self.type), **self.fields, "type": self.type}

    @property
    def size(self) -> int:
        """Height and width of the image, in pixels."""
        return int(self.values["size"])

    @property
    def num_classes(self) -> int:
        """Classes without the background."""
        return int(self.values["num_classes"])

    @property
    def tf2_type(self) -> str:
        """The feature extractor that the verdict means in TF2."""
        return f"{self.type}_exact_keras" if self.verdict is EXACT else f"{self.type}_keras"

    def tf1_config(self) -> str:
        """The text of the TF1 pipeline.config."""
        values = self.values
        files = {part: _text(f"{part}_{values[part]}") for part in ("anchors", "predictor") if part in values}
        outline = Template(_text("rcnn" if self.two_stages else "ssd")).safe_substitute({**values, **files})
        return Template(outline).substitute(values)

    def tf2_config(self) -> str:
        """The text of the migrated pipeline.config."""
        return migrated(parse_config(self.tf1_config()), prefer=self.prefer).text


def _family(tf1_type: str) -> Mapping[str, Any]:
    if tf1_type.startswith("faster_rcnn"):
        return INCEPTION_RCNN if "inception_resnet" in tf1_type else RCNN
    if "fpn" in tf1_type:
        return RETINANET if "resnet" in tf1_type else FPN
    return SSD


def _text(name: str) -> str:
    """A template without its first line, which is a comment."""
    return (CONFIGS / f"{name}.config").read_text(encoding="utf-8").partition("\n")[2]
