"""The TF1 graph of a classifier of slim, by the names and shapes of its checkpoint: where no ``.meta`` lies beside it.

Only what the installed packages have is built; EfficientNet is in none of them.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ckptmap.families.classification.recognition import recognize
from ckptmap.families.detection.recognition.tf1 import recognize_tf1
from ckptmap.families.own_code.slim import NETWORKS

if TYPE_CHECKING:
    from ckptmap.checkpoint.inventory import Inventory

_SIZES = {"inception": 299}
_SIZE = 224
"""Pixels: slim's ``default_image_size`` of the networks."""
_NOT_INSTALLED = "efficientnet"


@dataclass(frozen=True, slots=True)
class SlimNet:
    """A network of slim: its name there, how many classes and how wide; ``wide_end``: not its last convolution."""

    name: str
    classes: int
    width: float = 1.0
    wide_end: bool = False

    @property
    def size(self) -> int:
        """Of the images, in pixels."""
        return next((size for start, size in _SIZES.items() if self.name.startswith(start)), _SIZE)


def find_slim_net(inventory: Inventory) -> SlimNet | None:
    """The network whose weights a TF1 checkpoint holds; None of others, and of one without its classifier."""
    shapes = {name: tuple(variable.shape) for name, variable in inventory.variables.items()}
    found = recognize(recognize_tf1(shapes), shapes)
    if found is None or found.classes is None or found.name.startswith(_NOT_INSTALLED):
        return None
    width = found.network.backbone.depth_multiplier or 1.0
    return SlimNet(found.name, found.classes, width, width < 1 and found.last == found.model.last)


def build_slim_net(tensorflow: Any, net: SlimNet) -> Any:
    """The logits [N, classes] in the default graph, of a placeholder ``image`` [N, size, size, 3]."""
    v1 = tensorflow.compat.v1
    image = v1.placeholder(v1.float32, [None, net.size, net.size, 3], name="image")
    logits, _ = slim_network(net, image)
    return v1.reshape(logits, [-1, net.classes], name="logits")


def slim_network(net: SlimNet, image: Any) -> tuple[Any, Any]:
    """What slim's function returns for an image: the logits, and its end points."""
    from ckptmap.tf.slim_code import run_network

    options: dict[str, Any] = {"num_classes": net.classes}
    if net.name.startswith("mobilenet"):
        options["depth_multiplier"] = net.width
    if net.name.startswith(("mobilenet_v2", "mobilenet_v3")):
        options["finegrain_classification_mode"] = net.wide_end
    with contextlib.redirect_stdout(sys.stderr):
        return run_network(NETWORKS[net.name], image, training=False, **options)
