"""What the proofs run: models and settings of TF1, each with its TF2 configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIGS = Path(__file__).parent / "configs"
DEFAULTS: Mapping[str, Any] = {
    "num_classes": 7,
    "size": 160,
    "depth_multiplier": 1.0,
    "min_depth": 16,
    "kernel_size": 1,
    "use_dropout": "false",
    "use_depthwise": "false",
    "predictor_use_depthwise": "false",
    "use_explicit_padding": "false",
    "num_layers_before_predictor": 0,
    "use_moving_average": "false",
    # ssd_fpn
    "min_level": 3,
    "max_level": 7,
    "predictor_depth": 32,
    "share_prediction_tower": "false",
    "tower_layers": 2,
    "additional_layer_depth": 32,
    "override": "false",
    # faster_rcnn, mask_rcnn, rfcn
    "stride": 16,
    "atrous_rate": 1,
    "initial_crop_size": 14,
    "maxpool": 2,
    "mask_depth": 16,
    "mask_layers": 2,
}


@dataclass(frozen=True)
class Row:
    """A TF1 model with its settings, and how it comes to TF2.

    ``type`` is TF1's feature extractor, ``fields`` fill the template of ``tests/tf/configs``, ``settings`` are those of
    ``ckptmap convert --set``, ``tf2_type`` is the type in TF2 if not ``<type>_keras``, ``edits`` are replacements that
    the TF2 config needs beside it. ``live_target``: the target is a checkpoint of the live TF2 model, read with
    ``table``, in place of a shipped one. ``tolerance``: the largest relative difference that is measured noise.
    """

    name: str
    type: str
    template: str = "ssd"
    fields: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    tf2_type: str = ""
    edits: Mapping[str, str] = field(default_factory=dict)
    live_target: bool = False
    table: str = ""
    tolerance: float = 0.0
    seed: int = 1
    train_steps: int = 0
    moving_averages: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def to(self) -> str:
        """The target's name."""
        return self.target or self.type

    @property
    def size(self) -> int:
        """Height and width of the image, in pixels."""
        return int({**DEFAULTS, **self.fields}["size"])

    def tf1_config(self) -> str:
        """The text of the TF1 pipeline.config."""
        template = Template((CONFIGS / f"{self.template}.config").read_text(encoding="utf-8").partition("\n")[2])
        return template.substitute({**DEFAULTS, **self.fields, "type": self.type})

    def tf2_config(self) -> str:
        """The text of the TF2 pipeline.config: Keras' feature extractor, and the row's edits."""
        text = self.tf1_config()
        for old, new in {f"'{self.type}'": f"'{self.tf2_type or self.type + '_keras'}'", **self.edits}.items():
            assert old in text, f"{self.name}: the config has no {old}"
            text = text.replace(old, new)
        return text
