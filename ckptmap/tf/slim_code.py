"""slim's own networks, built by their own code in the graph that is the default: one of TF1, or one inside Keras."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any

from ckptmap.tf.environment import import_quietly, slim_module

if TYPE_CHECKING:
    from ckptmap.families.own_code.slim import SlimNetwork


def run_network(network: SlimNetwork, images: Any, *, training: bool, **options: Any) -> tuple[Any, Any]:
    """What slim's function makes of images in the default graph, in the arg scope of slim's scripts; its end points."""
    module = slim_module(f"nets.{network.module}")
    with _scope(network, module, training):
        found, points = getattr(module, network.function)(images, is_training=training, **options)
    return found, points


def _scope(network: SlimNetwork, module: Any, training: bool) -> contextlib.AbstractContextManager[Any]:
    """The arg scope that slim's own scripts run the network in."""
    if not network.arg_scope:
        return contextlib.nullcontext()
    scope = getattr(module, network.arg_scope)
    told = {"is_training": training} if "is_training" in inspect.signature(scope).parameters else {}
    return import_quietly("tf_slim").arg_scope(scope(**told))
