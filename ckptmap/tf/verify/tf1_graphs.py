"""The old model in a TF1 session: opened from any kind of source, run on images, looked into.

For a TF1 process (``ckptmap.tf.verify.tf1_side`` starts it). Only a slim graph needs the Object Detection API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CheckpointError
from ckptmap.basics.regular import read_regular
from ckptmap.tf import outputs
from ckptmap.tf.environment import tensorflow_alone, tf1
from ckptmap.tf.models import read_pipeline
from ckptmap.tf.tf1.graph import build, restore
from ckptmap.tf.verify import running
from ckptmap.tf.verify.nodes import samples, weighted_nodes
from ckptmap.tf.verify.sources import BOXES, IMAGE, Old, OldKind

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np

    from ckptmap.tf.outputs import Outputs

    Array = np.ndarray[Any, Any]

# What the API's code calls its raw outputs in an exported graph, newer names first: the concatenated predictions of all
# levels (meta_architectures/ssd_meta_arch.py, faster_rcnn_meta_arch.py, predict). Beside each its rank.
_RAW_OF_SSD = {
    "box_encodings": (3, ("Postprocessor/raw_box_encodings", "Squeeze")),
    "class_predictions_with_background": (3, ("concat_1", "concat_1/concat")),
}
_RAW_OF_RCNN = {
    "rpn_box_encodings": (3, ("Squeeze",)),
    "rpn_objectness_predictions_with_background": (3, ("concat_1", "concat_1/concat")),
    "refined_box_encodings": (3, ("all_refined_box_encodings",)),
    "class_predictions_with_background": (2, ("all_class_predictions_with_background",)),
}
_SUPPRESSION, _CLIPPING = "NonMaxSuppression", "/ClipToWindow/"  # core/post_processing.py, core/box_list_ops.py
_FIRST_LABEL = 1  # the exporter counts classes from 1


class OldModel:
    """A TF1 graph with its session: ``run`` gives the outputs for one image, ``parts`` what is computed on the way."""

    def __init__(self, v1: Any, session: Any, image: Any, fetches: dict[str, Any], first_label: int) -> None:
        self._v1, self._session, self._image = v1, session, image
        self._fetches, self._first_label = fetches, first_label

    def clips_first(self) -> bool:
        """Whether boxes are clipped to the image before non-maximum suppression; today's API does it after."""
        suppressions = [one for one in self._session.graph.get_operations() if one.type.startswith(_SUPPRESSION)]
        return any(_CLIPPING in one.inputs[0].op.name for one in suppressions)

    def run(self, image: Array) -> Outputs:
        """Outputs for an image [1, height, width, 3] in 0 to 255, named as in ``ckptmap.tf.outputs``."""
        found: Outputs = self._session.run(self._fetches, self._feed(image))
        if "detection_classes" in found:
            found["detection_classes"] = found["detection_classes"] - self._first_label
        return found

    def parts(self, image: Array, variables: Collection[str]) -> dict[str, dict[str, Array]]:
        """Samples of the nodes that read ``variables``, in the graph's order (see ``ckptmap.tf.verify.nodes``)."""
        graph = self._session.graph
        with graph.as_default():
            nodes = [node for node in weighted_nodes(graph.get_operations()) if node.variable in variables]
            wanted = samples(self._v1, nodes)
        found: dict[str, dict[str, Array]] = self._session.run(wanted, self._feed(image))
        return found

    def _feed(self, image: Array) -> dict[Any, Any]:
        return {self._image: image.astype(self._image.dtype.as_numpy_dtype)}


def open_old(old: Old) -> OldModel:
    """The old model, ready to run. Raises CheckpointError and ConfigError where it cannot be."""
    if old.kind is OldKind.SLIM:
        return _slim(old)
    v1 = tensorflow_alone().compat.v1
    graph = v1.Graph()
    session = running.session(v1, graph)
    with graph.as_default():
        try:
            _IMPORTS[old.kind](v1, session, old.path)
        except (ValueError, TypeError, RuntimeError, v1.errors.OpError) as error:
            raise CheckpointError(f"TensorFlow cannot load it: {error}", where=old.path) from error
    return OldModel(v1, session, _input(graph, old), _outputs(graph), _FIRST_LABEL)


def _frozen(v1: Any, _session: Any, path: str) -> None:
    definition = v1.GraphDef()
    definition.ParseFromString(read_regular(path))
    v1.import_graph_def(definition, name="")


def _saved_model(v1: Any, session: Any, path: str) -> None:
    v1.saved_model.loader.load(session, [v1.saved_model.tag_constants.SERVING], path)


def _meta(v1: Any, session: Any, prefix: str) -> None:
    v1.train.import_meta_graph(f"{prefix}.meta", clear_devices=True).restore(session, prefix)


_IMPORTS = {OldKind.FROZEN: _frozen, OldKind.SAVED_MODEL: _saved_model, OldKind.META: _meta}


def _input(graph: Any, old: Old) -> Any:
    tensor = _tensor(graph, IMAGE)
    if tensor is None or _tensor(graph, BOXES) is None:
        hint = "export it with export_inference_graph --input_type image_tensor, or give its checkpoint and config"
        raise CheckpointError(f"the graph has no {IMAGE} and {BOXES}", where=old.path, hint=hint)
    return tensor


def _outputs(graph: Any) -> dict[str, Any]:
    """The tensors to compare, those that this export has."""
    two_stages = any(operation.name.startswith("FirstStage") for operation in graph.get_operations())
    found = {name: _tensor(graph, name) for name in (*outputs.DECODED, *outputs.DETECTIONS)}
    for name, (rank, places) in (_RAW_OF_RCNN if two_stages else _RAW_OF_SSD).items():
        tensors = [_tensor(graph, place) for place in places]
        found[name] = next((one for one in tensors if one is not None and one.shape.rank == rank), None)
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def _tensor(graph: Any, name: str) -> Any:
    try:
        return graph.get_tensor_by_name(f"{name}:0")
    except (KeyError, ValueError):
        return None


def _slim(old: Old) -> OldModel:
    v1 = tf1()
    pipeline = read_pipeline(old.config)
    graph = v1.Graph()
    session = running.session(v1, graph)
    with graph.as_default():
        image = v1.placeholder(v1.float32, (1, None, None, 3), name="image")
        v1.train.get_or_create_global_step()
        fetches = build(v1, pipeline, image, seed=0, decoded=True)
        with session.as_default():
            restore(v1, session, old.path, moving_averages=old.weights == "averages")
    return OldModel(v1, session, image, fetches, first_label=0)
