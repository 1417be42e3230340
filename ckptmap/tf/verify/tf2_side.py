"""The new model in this process: a Keras model restored from its checkpoint, or an exported SavedModel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ckptmap.basics.errors import CheckpointError
from ckptmap.tf import outputs
from ckptmap.tf.environment import tensorflow_alone, tf2
from ckptmap.tf.load import load_detection_model
from ckptmap.tf.models import keyed_variables, read_pipeline, side_inputs
from ckptmap.tf.tf2_model import constants, forward
from ckptmap.tf.verify.nodes import samples, weighted_nodes
from ckptmap.tf.verify.sources import New, NewKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import numpy as np

    from ckptmap.tf.outputs import Outputs

    Array = np.ndarray[Any, Any]

_SIZES = "feature_map_sizes"
_FIRST_LABEL = 1  # the exporter counts classes from 1
_INPUT = "input_tensor"


@dataclass(frozen=True, slots=True)
class Level:
    """A feature map of an SSD: its name, and how many anchors it contributes to each raw output, in order."""

    name: str
    anchors: int


@dataclass(frozen=True, slots=True)
class Ran:
    """The outputs for one image, named as in ``ckptmap.tf.outputs``, and the levels where the model has several."""

    outputs: Outputs
    levels: tuple[Level, ...] = ()


class NewModel(Protocol):
    """The new model, however it is run."""

    def run(self, image: Array, *, reverse_channels: bool = False) -> Ran:
        """The outputs for an image [1, height, width, 3] in 0 to 255; with its channels as BGR if asked."""

    def parts(self, image: Array, keys: Collection[str]) -> dict[str, dict[str, Array]]:
        """Samples of the nodes that read the variables of ``keys`` (see ``ckptmap.tf.verify.nodes``)."""


def open_new(new: New) -> NewModel:
    """The new model, ready to run. Raises CheckpointError, ConfigError and TensorFlowError where it cannot be."""
    return SavedModel(new.path) if new.kind is NewKind.SAVED_MODEL else KerasModel(new.config, new.path)


class KerasModel:
    """The model of a pipeline.config with a checkpoint's values.

    It runs in a ``tf.function`` for images of any size, as exported models do, and as TF1 graphs do: executed eagerly,
    operations are not fused, and the outputs differ by 1e-6.
    """

    def __init__(self, config: Path | str, checkpoint: Path | str) -> None:
        self._tf = tf2()
        self._model = load_detection_model(config, checkpoint)
        pipeline = read_pipeline(config)
        self._beside = constants(outputs.random_values(side_inputs(pipeline), seed=0))
        self._fpn_level = _lowest_fpn_level(pipeline)
        self._functions: dict[Any, Any] = {}
        self._leveled = pipeline.model.WhichOneof("model") == "ssd"

    def run(self, image: Array, *, reverse_channels: bool = False) -> Ran:
        """The outputs for an image; with its channels as BGR if asked."""

        def detect(batch: Any) -> dict[str, Any]:
            predictions, detections = forward(self._model, batch, self._beside, reverse_channels=reverse_channels)
            maps = predictions["feature_maps"] if self._leveled else ()
            sizes = {_SIZES: self._tf.stack([self._tf.shape(one)[1:3] for one in maps])} if maps else {}
            return outputs.collect(predictions, detections, decoded=True) | sizes

        found = self._call(("run", reverse_channels), detect, image)
        return Ran(found, self._levels(found.pop(_SIZES, ())))

    def parts(self, image: Array, keys: Collection[str]) -> dict[str, dict[str, Array]]:
        """Samples of the nodes that read the variables of ``keys``."""
        by_handle = {id(variable.handle): key for key, variable, _ in keyed_variables(self._model) if key in keys}

        def look(batch: Any) -> dict[str, Any]:
            forward(self._model, batch, self._beside)
            graph = self._tf.compat.v1.get_default_graph()
            names = {inner.op.name: by_handle.get(id(outer), "") for outer, inner in graph.captures}
            return samples(self._tf, weighted_nodes(graph.get_operations(), names))

        found = self._call(("parts", frozenset(keys)), look, image)
        return {name: dict(found[name]) for name in found}

    def _call(self, key: Any, function: Any, image: Array) -> Any:
        """Call a function of the batch, traced once for images of any size."""
        if key not in self._functions:
            signature = [self._tf.TensorSpec([1, None, None, 3], self._tf.float32)]
            self._functions[key] = self._tf.function(function, autograph=False, input_signature=signature)
        found = self._functions[key](self._tf.constant(image, self._tf.float32))
        return self._tf.nest.map_structure(lambda tensor: tensor.numpy(), found)

    def _levels(self, sizes: Any) -> tuple[Level, ...]:
        if not len(sizes):
            return ()
        per_location = self._model._anchor_generator.num_anchors_per_location()
        return tuple(
            Level(self._level_name(place, height, width), int(height * width) * per_location[place])
            for place, (height, width) in enumerate(sizes)
        )

    def _level_name(self, place: int, height: int, width: int) -> str:
        name = f"P{self._fpn_level + place}" if self._fpn_level else f"level {place + 1}"
        return f"{name} ({height}x{width})"


def _lowest_fpn_level(pipeline: Any) -> int:
    """The level of the finest feature map of a feature pyramid; 0 for a model without one."""
    extractor = pipeline.model.ssd.feature_extractor
    return int(extractor.fpn.min_level) if "_fpn" in extractor.type else 0


class SavedModel:
    """A SavedModel of ``ckptmap export`` or ``exporter_main_v2``; plain TensorFlow runs it."""

    def __init__(self, path: str) -> None:
        self._tf = tensorflow_alone()
        try:
            self._loaded = self._tf.saved_model.load(path)  # kept: it owns the variables
        except (ValueError, OSError, self._tf.errors.OpError) as error:
            raise CheckpointError(f"TensorFlow cannot load it: {error}", where=path) from error
        signature = self._loaded.signatures.get("serving_default")
        inputs = signature.structured_input_signature[1] if signature is not None else {}
        if list(inputs) != [_INPUT] or inputs[_INPUT].dtype not in (self._tf.uint8, self._tf.float32):
            hint = "export it with --input-type image_tensor or float_image_tensor"
            raise CheckpointError(f"its signature does not take an image as {_INPUT} alone", where=path, hint=hint)
        self._signature, self._dtype = signature, inputs[_INPUT].dtype

    def run(self, image: Array, *, reverse_channels: bool = False) -> Ran:
        """The outputs for an image; with its channels as BGR if asked."""
        given = image[..., ::-1] if reverse_channels else image
        found = self._signature(**{_INPUT: self._tf.constant(given, self._dtype)})
        known = (*outputs.RAW, *outputs.DECODED, *outputs.DETECTIONS)
        ran = {name: found[name].numpy() for name in known if name in found}
        ran["detection_classes"] = ran["detection_classes"] - _FIRST_LABEL
        return Ran(ran)

    def parts(self, image: Array, keys: Collection[str]) -> dict[str, dict[str, Array]]:
        """None: what a SavedModel computes on the way has no names."""
        del image, keys
        return {}
