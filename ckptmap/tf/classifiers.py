"""Classifiers of keras.applications, in Keras 2 and Keras 3, and the layers changed that compute otherwise than slim's.

``as_slim`` returns the same model with the paddings, and the epsilon of batch normalization, of tf-slim: names, layers
and object paths are those of the stock model, so that one checkpoint restores into both.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from ckptmap.basics.extras import install
from ckptmap.tf.environment import TensorFlowError, import_quietly, tf2

if TYPE_CHECKING:
    from collections.abc import Iterator

    Layer = dict[str, Any]

EPSILON = 1e-5
"""slim's nets/resnet_utils.py, resnet_arg_scope; keras.applications have 1.001e-5."""
_RESNET_EPSILON = 1.001e-5
_NO_PADDING = ((0, 0), (0, 0))
_PADDED_OTHERWISE = ("MaxPooling2D", "AveragePooling2D", "DepthwiseConv2D")
"""Not the convolutions of a ResNet: slim pads them on both sides too (nets/resnet_utils.py, conv2d_same)."""


def keras_of(version: int) -> Any:
    """The package of Keras 2 (``tf.keras`` as ckptmap.tf runs it) or of Keras 3, beside each other in one process.

    Raises TensorFlowError where Keras 3 is not installed.
    """
    tensorflow = tf2()
    if version == 2:
        return tensorflow.keras
    found = import_quietly("keras") if importlib.util.find_spec("keras") else None
    if found is None or not str(found.__version__).startswith("3."):
        raise TensorFlowError("Keras 3 is not installed", hint=f"with TensorFlow 2.16 or later: {install('tf')}")
    return found


def application(name: str, version: int, **options: Any) -> Any:
    """``keras.applications.<name>(weights=None, …)`` of Keras ``version``, its layers numbered from the start.

    Nothing after the last layer: logits, as slim returns them.
    """
    keras = keras_of(version)
    keras.backend.clear_session()
    top = {"classifier_activation": None} if options.get("include_top", True) else {}
    return getattr(keras.applications, name)(weights=None, **top, **options)


def as_slim(model: Any) -> Any:
    """A copy of a model of keras.applications, Keras 2 or 3, that computes what slim's network of this kind does.

    The values of its variables are fresh: restore into it. Changed are ``SAME`` padding where Keras pads on both sides
    (the first pooling of ResNet and ResNet V2; the strided poolings of NASNet; strided convolutions of the MobileNets,
    which pad as slim at even sizes only), and the epsilon of ResNet's batch normalizations (1.001e-5, slim's is 1e-5).
    All other models of keras.applications are copied as they are.
    """
    config = model.get_config()
    layers: list[Layer] = config["layers"]
    padded = dict(_paddings(layers))
    for layer in layers:
        options = layer["config"]
        if layer["name"] in padded.values():
            options["padding"] = _NO_PADDING
        elif layer["name"] in padded:
            options["padding"] = "same"
        if layer["class_name"] == "BatchNormalization" and options["epsilon"] == _RESNET_EPSILON:
            options["epsilon"] = EPSILON
    return type(model).from_config(config)


def _paddings(layers: list[Layer]) -> Iterator[tuple[str, str]]:
    """(layer, the padding layer that it takes) wherever slim has ``SAME`` in their place."""
    pads = {layer["name"] for layer in layers if layer["class_name"] == "ZeroPadding2D"}
    for layer in layers:
        if layer["class_name"] in _PADDED_OTHERWISE:
            yield from ((layer["name"], pad) for pad in _words(layer["inbound_nodes"]) if pad in pads)


def _words(value: Any) -> Iterator[str]:
    """All strings in a value of JSON: Keras 2 and 3 write otherwise which layers a layer takes."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _words(part)
