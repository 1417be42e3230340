"""A migrated checkpoint as a SavedModel, written with the Object Detection API's own exporter modules.

The SavedModel is the one that ``exporter_main_v2`` writes: signature ``serving_default``, input ``input_tensor``
(uint8, [1, height, width, 3]), outputs ``detection_boxes``, ``detection_scores``, ``detection_classes`` (from 1),
``num_detections`` and the model's raw ones, all float32. Loading it takes plain TensorFlow.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ckptmap.basics.errors import OutputError
from ckptmap.checkpoint.staging import output_errors
from ckptmap.tf.environment import import_quietly, tf2
from ckptmap.tf.load import load_detection_model
from ckptmap.tf.models import read_pipeline, side_inputs

PIPELINE = "pipeline.config"
INPUT_TYPES = ("image_tensor", "encoded_image_string_tensor", "float_image_tensor", "tf_example")


def export(migrated_dir: Path | str, output: Path | str, *, input_type: str = "image_tensor") -> Path:
    """Write the model of ``migrated_dir`` (``pipeline.config`` and a TF2 checkpoint) as a SavedModel; its directory.

    ``output`` becomes the SavedModel's directory; it appears when everything is written. ``input_type`` is one of
    ``INPUT_TYPES``, as ``exporter_main_v2 --input_type`` has them. Context R-CNN has two more inputs,
    ``context_features`` and ``valid_context_size``, in the sizes that its config gives.

    Raises OutputError when ``output`` exists and is not empty, ConfigError and CheckpointError as
    ``load_detection_model`` does.
    """
    destination = Path(output).resolve()
    _refuse_occupied(destination)
    config = Path(migrated_dir) / PIPELINE
    model = load_detection_model(config, migrated_dir)
    module = _exporter_module(model, read_pipeline(config), input_type)
    with output_errors(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}.") as staging:
            saved_model = Path(staging) / "saved_model"
            tf2().saved_model.save(module, str(saved_model))  # finds __call__ itself: given its trace, it makes another
            saved_model.replace(destination)
    return Path(output)


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
