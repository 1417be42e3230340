"""Backbones, and how they are told: slim networks by their scope, Keras ones by the shapes of their kernels.

The scopes are those of tf-slim's ``nets`` and of the Object Detection API's own feature extractors. Widths are those
of a layer in the middle of the network, where neither ``min_depth`` nor rounding hides the depth multiplier.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ckptmap.families.detection.recognition.architecture import Backbone
from ckptmap.families.detection.recognition.shapes import Shape, Shapes, below, has, kernels, outputs, scopes

MOBILENET, RESNET, INCEPTION, NASNET, VGG = "MobileNet", "ResNet", "Inception", "NASNet", "VGG"
MOBILEDET, EFFICIENTNET, HOURGLASS = "MobileDet", "EfficientNet", "Hourglass"
SPAGHETTINET = "SpaghettiNet"


@dataclass(frozen=True, slots=True)
class Scope:
    """A slim network: the scope that its variables live in, its name and family.

    ``widths`` are layers below the scope with their channels at depth multiplier 1, the first that exists counts;
    ``needs`` is the start of a name that must be below the scope.
    """

    pattern: str
    name: str
    family: str
    widths: tuple[tuple[str, int], ...] = ()
    needs: str = ""


SLIM = (
    Scope(
        r"MobilenetV1",
        "mobilenet_v1",
        MOBILENET,
        (("Conv2d_13_pointwise", 1024), ("Conv2d_11_pointwise", 512), ("Conv2d_5_pointwise", 256)),
    ),
    Scope(
        r"MobilenetV2",
        "mobilenet_v2",
        MOBILENET,
        (("expanded_conv_16/project", 320), ("expanded_conv_12/project", 96), ("expanded_conv_5/project", 32)),
    ),
    Scope(r"MobilenetV3", "mobilenet_v3_large", MOBILENET, (("expanded_conv_11/project", 112),), "expanded_conv_11/"),
    Scope(r"MobilenetV3", "mobilenet_v3_small", MOBILENET, (("expanded_conv_7/project", 48),)),
    Scope(r"MobilenetEdgeTPU", "mobilenet_edgetpu", MOBILENET),
    Scope(r"MobileDetCPU", "mobiledet_cpu", MOBILEDET),
    Scope(r"MobileDetDSP", "mobiledet_dsp", MOBILEDET),
    Scope(r"MobileDetEdgeTPU", "mobiledet_edgetpu", MOBILEDET),
    Scope(r"MobileDetGPU", "mobiledet_gpu", MOBILEDET),
    Scope(r"resnet_v([12])_(50|101|152|200)", r"resnet_v\1_\2", RESNET),
    Scope(r"InceptionV([1234])", r"inception_v\1", INCEPTION),
    Scope(r"InceptionResnetV2", "inception_resnet_v2", INCEPTION),
    Scope(r"vgg_(16|19|a)", r"vgg_\1", VGG),
    Scope(r"spaghettinet_\w+", "spaghettinet", SPAGHETTINET),
    Scope(r"efficientnet-(\w+)", r"efficientnet_\1", EFFICIENTNET),
)


_ANY_SLIM = re.compile("|".join(f"(?:{known.pattern})" for known in SLIM))


def slim_backbone(shapes: Shapes) -> tuple[str, Backbone] | None:
    """The first slim network among the variables: its scope, and what it is."""
    for scope in scopes(shapes):
        for known in SLIM if _ANY_SLIM.fullmatch(scope) else ():
            match = re.fullmatch(known.pattern, scope)
            if match and (not known.needs or has(shapes, f"^{scope}/{known.needs}")):
                multiplier = _multiplier(known.widths, below(shapes, scope))
                return scope, Backbone(match.expand(known.name), known.family, multiplier)
    return None


def cell_backbone(names: Iterable[str]) -> Backbone | None:
    """NASNet and PNASNet, whose cells lie in no scope of their own; only NASNet has reduction cells."""
    cells = [name for name in names if re.match(r"(?:reduction_)?cell_", name)]
    if not cells:
        return None
    return Backbone("nasnet" if has(cells, r"^reduction_cell_") else "pnasnet", NASNET)


def _multiplier(widths: tuple[tuple[str, int], ...], shapes: Shapes) -> float | None:
    for layer, width in widths:
        found = outputs(shapes, layer)
        if found is not None:
            return round(found / width, 3)
    return None


def keras_backbone(shapes: Iterable[Shape]) -> Backbone | None:
    """The backbone of a Keras model, told from the shapes of its variables alone.

    Checkpoint keys number layers and name none. What tells networks apart: ResNet's stem is 7x7 and each unit ends in
    a 1x1 kernel that widens four times; MobileNet V2 widens six times before each depthwise kernel, and no depthwise
    kernel of MobileNet V1 and V2 is larger than 3x3 (those of EfficientNet are).
    """
    known = list(kernels(shapes))
    stem = next((shape for shape in known if shape[2] == 3 and shape[3] > 3), None)
    if stem is None:
        return None
    widening = Counter(shape[3] / shape[2] for shape in known if shape[:2] == (1, 1))
    depthwise = [shape for shape in known if shape[3] == 1 and shape[2] > 1]
    if stem[0] == 7:
        return _resnet(known)
    if len(depthwise) >= _MOBILENET_V1_BLOCKS and all(shape[:2] == (3, 3) for shape in depthwise):
        v2 = widening[6] >= _MOBILENET_V2_BLOCKS
        return _mobilenet_v2(known) if v2 else Backbone("mobilenet_v1", MOBILENET, _width_of(depthwise, 512))
    if not depthwise and (1, 1, 2080, 1536) in known:
        return Backbone("inception_resnet_v2", INCEPTION)
    return None


_MOBILENET_V1_BLOCKS = 13
_MOBILENET_V2_BLOCKS = 15
_UNITS = {16: "resnet_v1_50", 33: "resnet_v1_101", 50: "resnet_v1_152"}


def _resnet(known: list[Shape]) -> Backbone | None:
    """ResNet by its units: each ends in a kernel that widens four times, and so does the first shortcut."""
    widening = [shape for shape in known if shape[:2] == (1, 1) and shape[3] == 4 * shape[2] and shape[2] <= 512]
    name = _UNITS.get(len(widening) - 1)
    return Backbone(name, RESNET) if name else None


def _mobilenet_v2(known: list[Shape]) -> Backbone:
    last = max(shape[2] for shape in known if shape[:2] == (1, 1) and shape[3] == 6 * shape[2])
    return Backbone("mobilenet_v2", MOBILENET, round(last / 160, 3))


def _width_of(depthwise: list[Shape], width: int) -> float:
    """The depth multiplier of MobileNet V1 from the width that most of its blocks have, 512 at multiplier 1."""
    common, _ = Counter(shape[2] for shape in depthwise).most_common(1)[0]
    return round(common / width, 3)


EFFICIENTDET_WIDTHS = {64: "d0", 88: "d1", 112: "d2", 160: "d3", 224: "d4", 288: "d5", 384: "d6"}
"""Channels of the feature pyramid of each EfficientDet; D6 and D7 look alike."""


def efficientdet_name(width: int, backbone: str) -> str:
    """EfficientDet D0 to D7x by the channels of its pyramid; D7x, as wide as D6 and D7, has another backbone."""
    version = "d7x" if backbone == "efficientnet_b7" else EFFICIENTDET_WIDTHS.get(width, width)
    return f"efficientdet_{version}"


_EFFICIENTNETS = {
    (16, 320): "b0",
    (23, 320): "b1",
    (23, 352): "b2",
    (26, 384): "b3",
    (32, 448): "b4",
    (39, 512): "b5",
    (45, 576): "b6",
    (55, 640): "b7",
}
"""Number of blocks and width of the last one."""


def efficientnet(shapes: Iterable[Shape]) -> Backbone | None:
    """Which EfficientNet has these shapes: by its depthwise kernels and its widest narrowing kernel."""
    known = list(kernels(shapes))
    blocks = sum(shape[3] == 1 for shape in known)
    narrowing = [shape[3] for shape in known if shape[:2] == (1, 1) and shape[3] < shape[2]]
    name = _EFFICIENTNETS.get((blocks, max(narrowing, default=0)))
    return Backbone(f"efficientnet_{name}", EFFICIENTNET) if name else None
