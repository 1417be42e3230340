"""A model's own TF1 code inside a Keras model, whose variables keep their TF1 names.

``tf.compat.v1.keras.utils.track_tf1_style_variables`` lets code with ``get_variable``, ``tf.compat.v1.layers`` or
tf_slim make and find its variables in a Keras layer: the arithmetic is TF1's because the code is. A conversion to the
target ``own_code`` writes what such a model restores: ``_tf1_style_var_store/_vars/`` and the TF1 name, ``/`` written
``.S``.

Keras 2 (tf_keras) only: TensorFlow's shim is a part of it.
"""

from __future__ import annotations

import contextlib
import inspect
import warnings
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.nearest import nearest
from ckptmap.families.own_code.slim import NETWORKS
from ckptmap.tf.environment import keras_2, tf2
from ckptmap.tf.slim_code import run_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

tf: Any = keras_2()
v1: Any = tf.compat.v1

__all__ = ["OwnCode", "TracedCode", "own_code", "slim_network"]


class TracedCode:
    """Mixed into a Keras model: ``call`` is TF1's code, traced once for each shape of input.

    Traced on its own, as an inner function, because slim asks tensors for their names, which eager ones lack, and
    because what it writes into its graph's collections (regularization losses, which Keras has of its own) must not be
    met in the caller's graph. Tracing is what takes the time: whoever calls with the same shape again has it for free.
    """

    def call(self, inputs: Any, **_: Any) -> Any:
        """What the code makes of a batch."""
        return self._traced(inputs)

    def _run(self, inputs: Any, *options: Any) -> Any:
        with _as_tf1_expects():
            return self._tf1_call(inputs, *options)

    _traced: Any = tf.function(v1.keras.utils.track_tf1_style_variables(_run), autograph=False)

    def _tf1_call(self, inputs: Any, *options: Any) -> Any:
        raise NotImplementedError

    def _trackable_children(self, save_type: str = "checkpoint", **_: Any) -> Any:  # noqa: ARG002
        """A SavedModel gets the variables alone: what Keras adds are more traces of the call, which nothing reads."""
        return super()._trackable_children()  # type: ignore[misc]

    def tf1_variables(self) -> dict[str, Any]:
        """The variables by their TF1 names; those of a model that has run."""
        store = getattr(self, "_tf1_style_var_store", None)
        return dict(store._vars) if store else {}


@contextlib.contextmanager
def _as_tf1_expects() -> Iterator[None]:
    """Shapes hold ``Dimension`` objects (``shape[1].value``), and a tensor is equal to itself alone.

    By the latter slim finds tensors in its collections. The age of ``layer.apply`` is no news.
    """
    v1.disable_v2_tensorshape()
    v1.disable_tensor_equality()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        v1.enable_tensor_equality()
        v1.enable_v2_tensorshape()


class OwnCode(TracedCode, tf.keras.Model):
    """A Keras model that runs a function of TF1; :func:`own_code` makes it."""

    def __init__(self, function: Callable[..., Any], name: str = "own_code") -> None:
        super().__init__(name=name)
        self._function = function
        self._trains = "training" in inspect.signature(function).parameters

    def call(self, inputs: Any, training: bool = False, **_: Any) -> Any:
        """What the function returns for ``inputs``, a tensor or several."""
        return self._traced(inputs, bool(training))

    def _tf1_call(self, inputs: Any, *options: Any) -> Any:
        return self._function(inputs, training=options[0]) if self._trains else self._function(inputs)


def own_code(function: Callable[..., Any], name: str = "own_code") -> OwnCode:
    """A Keras model that computes what ``function`` of TF1 does, and keeps its variables by their TF1 names.

    ``function`` takes the inputs, and ``training`` if it has an argument of that name; it returns tensors, alone or in
    tuples and dictionaries. It makes its variables with ``tf.compat.v1.get_variable``, or with what does so itself
    (``tf.compat.v1.layers``, tf_slim); what ``tf.Variable`` makes is not seen. Call the model once, so that it has its
    variables, then restore ``tf.train.Checkpoint(model=model)``.
    """
    return OwnCode(function, name)


def slim_network(
    name: str, num_classes: int | None = None, *, end_points: Sequence[str] = (), **options: Any
) -> OwnCode:
    """A network of tf-slim, run by its own code: ``slim_network("inception_v1", num_classes=1001)``.

    It gives the logits, or for an image-to-image network the image; with ``end_points`` a dictionary of these. Other
    ``options`` go to slim's function, such as ``depth_multiplier``.

    Raises:
        CkptmapError: slim has no network of this name, or the network has no class count.
        TensorFlowError: TensorFlow or the Object Detection API, which ships these networks, is not installed.
    """
    network = NETWORKS.get(name)
    if network is None:
        close = nearest(name, NETWORKS, 3) or sorted(NETWORKS)
        raise CkptmapError(f"slim has no network {name!r}", hint=f"known: {', '.join(close)}")
    if num_classes is not None and not network.counts:
        raise CkptmapError(f"slim's {name} has no class count", hint="leave num_classes out")
    if network.counts:
        options = {**options, "num_classes": num_classes}
    tf2()

    def run(images: Any, training: bool) -> Any:
        found, points = run_network(network, images, training=training, **options)
        return {point: points[point] for point in end_points} if end_points else found

    return own_code(run, name)
