"""A migrated checkpoint as a SavedModel, written with the Object Detection API's own exporter modules.

The SavedModel is the one that ``exporter_main_v2`` writes: signature ``serving_default``, input ``input_tensor``
(uint8, [1, height, width, 3]), outputs ``detection_boxes``, ``detection_scores``, ``detection_classes`` (from 1),
``num_detections`` and the model's raw ones, all float32. Loading it takes plain TensorFlow.
"""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import Any

from ckptmap.audit.subject import is_tf2
from ckptmap.basics.errors import CheckpointError, ConfigError, OutputError
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.staging import output_errors
from ckptmap.families.detection.pipeline.config import read_config
from ckptmap.tf.environment import import_quietly, tf2
from ckptmap.tf.load import load_detection_model
from ckptmap.tf.models import read_pipeline, side_inputs

PIPELINE = "pipeline.config"
_CONVERT = "ckptmap convert --pipeline"
INPUT_TYPES = ("image_tensor", "encoded_image_string_tensor", "float_image_tensor", "tf_example")


def export(migrated_dir: Path | str, output: Path | str, *, input_type: str = "image_tensor") -> Path:
    """Write the model of ``migrated_dir`` (``pipeline.config`` and a TF2 checkpoint) as a SavedModel; its directory.

    ``output`` becomes the SavedModel's directory; it appears when everything is written. ``input_type`` is one of
    ``INPUT_TYPES``, as ``exporter_main_v2 --input_type`` has them. Context R-CNN has two more inputs,
    ``context_features`` and ``valid_context_size``, in the sizes that its config gives.

    Raises OutputError, ConfigError and CheckpointError as ``exportable`` and ``load_detection_model`` do.
    """
    destination = Path(output).resolve()
    config, checkpoint = exportable(migrated_dir, output)
    model = load_detection_model(config, checkpoint)
    module = _exporter_module(model, read_pipeline(config), input_type)
    with output_errors(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}.") as staging:
            saved_model = Path(staging) / "saved_model"
            tf2().saved_model.save(module, str(saved_model))  # finds __call__ itself: given its trace, it makes another
            saved_model.replace(destination)
    return Path(output)


def exportable(migrated_dir: Path | str, output: Path | str) -> tuple[Path, str]:
    """The config and the checkpoint to export, told without TensorFlow.

    Raises OutputError when ``output`` exists and is not empty, ConfigError when there is no config of TF2 in
    ``migrated_dir``, CheckpointError when there is no checkpoint of TF2.
    """
    _refuse_occupied(Path(output).resolve())
    folder = Path(migrated_dir)
    if not folder.is_dir():
        raise CheckpointError("is no folder", where=str(folder), hint=f"name the folder that {_CONVERT} wrote")
    config = folder / PIPELINE
    if not config.is_file():
        raise ConfigError(
            f"holds no {PIPELINE}", where=str(folder), hint=f"{_CONVERT} writes one beside the checkpoint"
        )
    convert = f"convert it first: ckptmap convert {shlex.quote(str(folder))} -o new"
    if not is_tf2(read_config(config)):
        raise ConfigError("is a config of TF1, which TF2 cannot build", where=str(config), hint=convert)
    with open_checkpoint(folder) as checkpoint:
        inventory = checkpoint.inventory
    if not inventory.object_based:
        raise CheckpointError("is no checkpoint of TF2", where=inventory.path, hint=convert)
    return config, inventory.path


def _refuse_occupied(destination: Path) -> None:
    if destination.exists() and not (destination.is_dir() and not any(destination.iterdir())):
        raise OutputError("exists already", where=str(destination), hint="give a new directory")


def _exporter_module(model: Any, pipeline: Any, input_type: str) -> Any:
    """The API's ``tf.Module`` around a model, as ``exporter_lib_v2.export_inference_graph`` makes it.

    It is traced without AutoGraph, which the API's code does not need and which takes most of the time.
    """
    modules = import_quietly("object_detection.exporter_lib_v2").DETECTION_MODULE_MAP
    beside = [(list(shape), tf2().as_dtype(dtype), name) for name, (shape, dtype) in side_inputs(pipeline).items()]
    module = modules[input_type](model, bool(beside), beside)
    module._run_inference_on_images = tf2().autograph.experimental.do_not_convert(module._run_inference_on_images)
    return module
