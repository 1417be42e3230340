"""Rows of the slim-exact extractors: TF1 models that stock TF2 does not reproduce, and their way to the exact model."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ckptmap.tf.compare import Comparison, compare
from ckptmap.tf.exact import exact_type, register
from tests.tf import harness
from tests.tf.rows import Row

if TYPE_CHECKING:
    from pathlib import Path

    from ckptmap.tf.models import LiveVariable

_LATER_MODEL = re.compile(r"(extractor|predictor|_head)_[0-9]+(?=/)", re.IGNORECASE)
_NUMBERED = re.compile(r"(?P<layer>conv2d|freezable_batch_norm)(_(?P<number>[0-9]+))?/(?P<leaf>.+)")
NO_TRAINING = {"train": "", "inputs": ""}
SSD: dict[str, Any] = {
    "num_classes": 3,
    "size": 128,
    "min_depth": 16,
    "depth_multiplier": 1.0,
    "use_depthwise": "false",
    "use_explicit_padding": "false",
    "override": "true",
    "activation": "RELU_6",
    "scale": "true",
    "epsilon": 0.001,
    **NO_TRAINING,
}
FPN: dict[str, Any] = {**SSD, "min_level": 3, "max_level": 7, "layer_depth": 256}
RCNN: dict[str, Any] = {
    "num_classes": 3,
    "size": 160,
    "stages": 2,
    "stride": 16,
    "crop_size": 14,
    "maxpool": 2,
    "context": "",
    **NO_TRAINING,
}
FC = "fc_hyperparams { op: FC initializer { variance_scaling_initializer { uniform: true mode: FAN_AVG } } }"
CONV = "conv_hyperparams { op: CONV initializer { truncated_normal_initializer { stddev: 0.01 } } }"
MASKS = "predict_instance_masks: true mask_height: 9 mask_width: 9 mask_prediction_conv_depth: 16"
BOXES = f"mask_rcnn_box_predictor {{ use_dropout: false {FC} }}"
BOXES_AND_MASKS = f"mask_rcnn_box_predictor {{ use_dropout: false {FC} {CONV} {MASKS} }}"
POSITIONS = (
    f"rfcn_box_predictor {{ {CONV} crop_height: 6 crop_width: 6 num_spatial_bins_height: 3 num_spatial_bins_width: 3 "
    "depth: 64 }"
)


def ssd(name: str, tf1_type: str, **fields: Any) -> Row:
    """An SSD, 128 px; with a shared predictor and a feature pyramid when the type has one (ResNets: 160 px)."""
    pyramid = "fpn" in tf1_type
    size = {"size": 160} if "resnet" in tf1_type else {}
    defaults = FPN if pyramid else SSD
    return Row(name, tf1_type, "exact_fpn" if pyramid else "exact_ssd", fields={**defaults, **size, **fields})


def rcnn(name: str, tf1_type: str, *, predictor: str = BOXES, target: str = "", **fields: Any) -> Row:
    """A Faster R-CNN with twelve proposals, 160 px; ``target`` names the table where it is not the type's."""
    inception = {"crop_size": 17, "maxpool": 1} if "inception" in tf1_type else {}
    values = {**RCNN, **inception, "predictor": predictor, **fields}
    return Row(name, tf1_type, "exact_rcnn", fields=values, target=target)


def exact_config(row: Row, **fields: Any) -> str:
    """The text of the TF2 pipeline.config with the exact extractor; ``fields`` replace those of the row."""
    text = replace(row, fields={**row.fields, **fields}).tf1_config()
    return text.replace(f"'{row.type}'", f"'{exact_type(row.type)}'")


def build(text: str, folder: Path) -> Any:
    """The TF2 model of a config's text."""
    from ckptmap.tf.models import build_model

    register()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pipeline.config").write_text(text, encoding="utf-8")
    return build_model(folder / "pipeline.config")


def shapes_by_key(variables: list[LiveVariable]) -> dict[str, tuple[int, ...]]:
    """Checkpoint keys and shapes."""
    return {variable.key: variable.shape for variable in variables}


def names_by_key(variables: list[LiveVariable]) -> dict[str, str]:
    """Checkpoint keys and readable names, without what Keras adds to the names of a process's later models."""
    names = {variable.key: _LATER_MODEL.sub(r"\1", variable.full_name) for variable in variables}
    numbered = {key: match for key, name in names.items() if (match := _NUMBERED.match(name))}
    first = min((int(match["number"] or 0) for match in numbered.values()), default=0)
    return names | {
        key: f"{match['layer']}_{int(match['number'] or 0) - first}/{match['leaf']}" for key, match in numbered.items()
    }


def migrate(ran: harness.Ran, folder: Path) -> tuple[Path, Any]:
    """Convert a row's checkpoint for the exact model: the folder, its pipeline.config in it, and the model, unfilled.

    The exact model itself, as it is when just built, is the target: ckptmap fills it by the row's table.
    """
    from ckptmap.tf.environment import tf2

    text = exact_config(ran.row)
    model = build(text, folder / "fresh")
    fresh = tf2().train.Checkpoint(model=model).save(str(folder / "fresh" / "ckpt"))
    new = harness.convert(ran, folder / "new", to=fresh, settings={}, table=f"detectors/{ran.row.to}")
    (new / "pipeline.config").write_text(text, encoding="utf-8")
    return new, model


def prove(ran: harness.Ran, folder: Path) -> Comparison:
    """Convert, restore the exact model with TensorFlow's assertions, run the same image, compare."""
    from ckptmap.tf.load import latest_checkpoint
    from ckptmap.tf.models import read_pipeline, side_inputs
    from ckptmap.tf.outputs import random_values
    from ckptmap.tf.tf2_model import restore, run_model

    new, model = migrate(ran, folder)
    restore(model, latest_checkpoint(new))
    context = random_values(side_inputs(read_pipeline(new / "pipeline.config")), ran.row.seed)
    return compare(ran.outputs, run_model(model, ran.image, context))
