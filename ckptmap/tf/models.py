"""Live TF2 detection models of the Object Detection API, and their variables as plain data."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import ConfigError
from ckptmap.basics.regular import read_regular
from ckptmap.tf.environment import import_quietly, tf2

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE_VALUE = ".ATTRIBUTES/VARIABLE_VALUE"
_INITIALIZER_OF = {"depthwise_kernel": "depthwise_initializer", "pointwise_kernel": "pointwise_initializer"}
"""The attribute of a layer that holds a variable's initializer; elsewhere: <variable>_initializer."""
_ONES: dict[str, Any] = {"class_name": "Ones", "config": {}}
_UNSAID = dict.fromkeys(("bifpn_combine_weights", "WSM", "WSM_1", "WSM_2"), _ONES)
"""Variables that a layer adds and keeps no initializer of: how a node of EfficientDet's pyramid weighs its inputs."""


@dataclass(frozen=True, slots=True)
class LiveVariable:
    """One variable of a live model.

    ``key`` is the checkpoint key that ``tf.train.Checkpoint(model=…)`` gives it, ``full_name`` its readable name,
    ``initializer`` is ``{"class_name": …, "config": {…}}`` of the layer that owns it (None where no layer says).
    """

    key: str
    full_name: str
    dtype: str
    shape: tuple[int, ...]
    trainable: bool
    initializer: dict[str, Any] | None


def read_pipeline(path: Path | str) -> Any:
    """The ``TrainEvalPipelineConfig`` message in a pipeline.config. Raises ConfigError when it is not one.

    Call ``environment.tf1()`` or ``tf2()`` first.
    """
    protos = import_quietly("object_detection.protos.pipeline_pb2")
    text_format = import_quietly("google.protobuf.text_format")
    try:
        text = read_regular(path).decode("utf-8")
        return text_format.Parse(text, protos.TrainEvalPipelineConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ConfigError(f"not a readable pipeline.config: {error}", where=str(path)) from error


def image_size(pipeline: Any) -> tuple[int, int]:
    """Height and width that the model resizes to; for a resizer with a range, its smaller side squared."""
    model = getattr(pipeline.model, pipeline.model.WhichOneof("model"))
    kind = model.image_resizer.WhichOneof("image_resizer_oneof")
    resizer: Any = getattr(model.image_resizer, kind or "identity_resizer")
    if kind == "fixed_shape_resizer":
        return resizer.height, resizer.width
    if kind == "keep_aspect_ratio_resizer":
        return resizer.min_dimension, resizer.min_dimension
    return 320, 320


def side_inputs(pipeline: Any) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and dtype of what a Context R-CNN's ``predict`` takes beside the image, for one image; else none."""
    if not pipeline.model.faster_rcnn.HasField("context_config"):
        return {}
    context = pipeline.model.faster_rcnn.context_config
    features = (1, int(context.max_num_context_features), int(context.context_feature_length))
    return {"context_features": (features, "float32"), "valid_context_size": ((1,), "int32")}


def build_model(config: Path | str, *, is_training: bool = False) -> Any:
    """The TF2 model of a pipeline.config with all its variables built (initialized, not restored).

    Raises ConfigError when the configuration cannot be read or the Object Detection API refuses it on TF2.
    """
    tensorflow = tf2()
    pipeline = read_pipeline(config)
    builder = import_quietly("object_detection.builders.model_builder")
    try:
        model = builder.build(pipeline.model, is_training=is_training)
    except (ValueError, RuntimeError, KeyError) as error:
        raise ConfigError(f"the Object Detection API cannot build it on TF2: {error}", where=str(config)) from error
    context = {name: tensorflow.zeros(*wanted) for name, wanted in side_inputs(pipeline).items()}
    model.predict(*model.preprocess(tensorflow.zeros([1, *image_size(pipeline), 3])), **context)
    return model


def model_variables(model: Any, root: str = "model") -> list[LiveVariable]:
    """All variables under a trackable object, as ``keyed_variables`` finds them."""
    return [
        LiveVariable(
            key=key,
            full_name=variable._shared_name,  # what a checkpoint stores as full_name
            dtype=getattr(variable.dtype, "name", variable.dtype),
            shape=tuple(int(length) for length in variable.shape),
            trainable=bool(variable.trainable),
            initializer=_initializer(parent, key.split("/")[-3].lstrip("_")),
        )
        for key, variable, parent in keyed_variables(model, root)
    ]


def keyed_variables(model: Any, root: str = "model") -> Iterator[tuple[str, Any, Any]]:
    """(key, variable, owner) of all variables of ``tf.train.Checkpoint(**{root: model})``.

    Each variable comes once, at the path of the breadth-first walk that TensorFlow's saver makes.
    """
    tensorflow = tf2()
    checkpoint = tensorflow.train.Checkpoint(**{root: model})
    for path, value, parent in _walk(tensorflow.train.TrackableView, checkpoint):
        if isinstance(value, tensorflow.Variable) or _of_keras_3(value):
            yield f"{path}/{VARIABLE_VALUE}", value, parent


def _of_keras_3(value: Any) -> bool:
    """Whether it is a variable of Keras 3, which wraps TensorFlow's and is saved in its place (backend/tensorflow)."""
    return type(value).__module__.startswith("keras.src.") and hasattr(value, "_shared_name")


def _walk(view: Any, root: Any) -> Iterator[tuple[str, Any, Any]]:
    """(path, object, parent) of everything below ``root``, breadth first, each object once."""
    seen = {id(root)}
    queue = deque([("", root)])
    while queue:
        prefix, parent = queue.popleft()
        for name, child in view.children(parent).items():
            if id(child) in seen:
                continue
            seen.add(id(child))
            path = f"{prefix}/{_escape(name)}".lstrip("/")
            queue.append((path, child))
            yield path, child, parent


def _escape(name: str) -> str:
    """A child's name as it stands in a key (tensorflow/python/trackable/trackable_utils.py)."""
    return name.replace(".", "..").replace("/", ".S")


def _initializer(layer: Any, attribute: str) -> dict[str, Any] | None:
    found = getattr(layer, _INITIALIZER_OF.get(attribute, f"{attribute}_initializer"), None)
    if found is None or not hasattr(found, "get_config"):
        return _UNSAID.get(attribute)
    return {"class_name": type(found).__name__, "config": found.get_config()}
