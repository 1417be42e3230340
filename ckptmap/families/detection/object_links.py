"""Further object paths to a model's layers, besides those that its checkpoint keys are made of.

A weight-shared predictor (object_detection/predictors/convolutional_keras_box_predictor.py) holds each convolution of a
tower twice: in ``_head_scope_conv_layers``, the shorter path and so the key, and for each head and feature map in
``_base_tower_layers_for_heads``, where convolution, batch norm and activation take turns. A restore of a part of the
model, such as ``tf.train.Checkpoint(_base_tower_layers_for_heads=…)``, comes by the second path.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_TOWER = "_base_tower_layers_for_heads/"
_NORM = re.compile(r"(?P<predictor>.*)_base_tower_layers_for_heads/(?P<head>\w+)/(?P<map>\d+)/(?P<at>\d+)/moving_mean")
_TURNS = 3  # convolution, batch norm, activation
_TOWERS = {
    "box_encodings": ("BoxPredictionTower", "PredictionTower"),  # its own, or with share_prediction_tower both heads'
    "class_predictions_with_background": ("ClassPredictionTower",),
}


def tower_links(paths: Collection[str]) -> dict[str, str]:
    """Each further path to a convolution, with the one that its key has; ``paths`` are those of all variables."""
    towers = [path for path in paths if _TOWER in path]
    layers = {path.rpartition("/")[0] for path in paths} if towers else ()
    return {link: layer for path in towers for link, layer in _links(path) if layer in layers}


def _links(path: str) -> Iterator[tuple[str, str]]:
    """The convolution before a batch norm, by the norm's list and by each tower that it may be of."""
    norm = _NORM.fullmatch(path)
    if norm is None or norm["head"] not in _TOWERS:
        return
    number, turn = divmod(int(norm["at"]), _TURNS)
    if turn != 1:
        return
    link = f"{norm['predictor']}_base_tower_layers_for_heads/{norm['head']}/{norm['map']}/{number * _TURNS}"
    for tower in _TOWERS[norm["head"]]:
        yield link, f"{norm['predictor']}_head_scope_conv_layers/{tower}/{number}"
