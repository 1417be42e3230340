"""The classification networks of tf-slim, and EfficientNet of TensorFlow's TPU models, that keras.applications has too.

Sources: slim's ``nets`` and ``preprocessing``, ``efficientnet_model.py`` as AutoML has it, keras.applications of Keras
2.20 and 3.15. What is said of sameness was measured: the TF1 graph against the restored Keras model, at random weights
(docs/classification.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MEAN = "RGB from 0 to 255, minus the mean (123.68, 116.78, 103.94)"
SCALED = "RGB from -1 to 1: x / 127.5 - 1"
STANDARDIZED = "RGB of 0 to 1, minus (0.485, 0.456, 0.406), divided by (0.229, 0.224, 0.225)"
_NORMALIZED_INSIDE = (
    "the Keras model takes 0 to 255 and does it itself, with what the conversion puts into its layer for it; after the "
    'restore of a checkpoint call model.get_layer("normalization").finalize_state(), or it keeps what it was built with'
)
_BGR = (
    "preprocess_input of Keras gives BGR instead: feed RGB, or reverse the first convolution's input channels with "
    "the table that ends in _bgr"
)
_SAME = "preprocess_input of Keras does the same"
_INSIDE = "the Keras model takes 0 to 255 and does it itself; with include_preprocessing=False it does not"


@dataclass(frozen=True, slots=True)
class Classifier:
    """A network of slim and its counterpart.

    ``name`` is slim's, ``keras`` the function of keras.applications with its ``options``, ``target`` the shipped
    target, ``table`` the mapping table in ``mappings/classification``. ``expects`` says what the TF1 network takes,
    ``feeding`` what of it Keras does by itself. ``differs`` is the reason where the stock model computes otherwise;
    ``at_odd_sizes`` that where it does so at odd image sizes alone. ``widens``: it has a depth multiplier;
    ``rescales``: the Keras model has a layer for the range.
    """

    name: str
    keras: str
    target: str
    table: str
    expects: str
    feeding: str
    background: bool = True
    differs: str = ""
    at_odd_sizes: str = ""
    widens: bool = False
    rescales: bool = False
    options: Mapping[str, bool] = field(default_factory=dict)
    last: int = 0
    """Channels of the last convolution, which Keras widens with the model and never narrows; 0: it narrows it."""
    last_kernel: str = ""
    """That convolution's kernel in slim."""
    size: int = 0
    """Height and width of the image that Keras must know to make the model without its classifier; 0: any will do."""

    @property
    def shaped(self) -> dict[str, tuple[int, int, int]]:
        """The option of Keras that says that size; empty if any will do."""
        return {"input_shape": (self.size, self.size, 3)} if self.size else {}

    @property
    def last_width(self) -> str:
        """What the target calls these channels."""
        return f"width_{self.last}"


_POOL_V1 = (
    "pool1 pads one pixel on each side in Keras, SAME in slim, which differs at even sizes; "
    "epsilon is 1.001e-5, in slim 1e-5"
)
_POOL_V2 = (
    "pool1 pads one pixel of zeros on each side in Keras, SAME in slim, which differs at every size; "
    "epsilon is 1.001e-5, in slim 1e-5"
)
_REDUCTION = (
    "Keras pools in the reduction cells over a border of zeros, slim without it (SAME): the largest of nine is "
    "then never negative at the border, and the mean is divided by nine"
)
_ODD = "at sizes that are not a multiple of 32 strided convolutions do not pad on the same sides as slim's SAME"


def _resnets() -> list[Classifier]:
    v1 = [
        Classifier(
            f"resnet_v1_{depth}", f"ResNet{depth}", f"keras_resnet{depth}", "keras_resnet", MEAN, _BGR, False, _POOL_V1
        )
        for depth in (50, 101, 152)
    ]
    v2 = [
        Classifier(
            f"resnet_v2_{depth}",
            f"ResNet{depth}V2",
            f"keras_resnet{depth}_v2",
            "keras_resnet_v2",
            SCALED,
            _SAME,
            differs=_POOL_V2,
        )
        for depth in (50, 101, 152)
    ]
    return [*v1, *v2]


def _efficientnet(version: int) -> Classifier:
    name = f"efficientnet_b{version}"
    return Classifier(
        name,
        f"EfficientNetB{version}",
        f"keras_{name}",
        f"keras_{name}",
        STANDARDIZED,
        _NORMALIZED_INSIDE,
        background=False,
    )


def _mobilenet_v3(size: str, minimalistic: str) -> Classifier:
    name = f"mobilenet_v3_{size}{minimalistic}"
    table = "keras_mobilenet_v3_minimalistic" if minimalistic else f"keras_mobilenet_v3_{size}"
    return Classifier(
        name,
        f"MobileNetV3{size.title()}",
        f"keras_{name}",
        table,
        SCALED,
        _INSIDE,
        widens=True,
        rescales=True,
        options={"minimalistic": True} if minimalistic else {},
        last=1024 if size == "small" else 1280,
        last_kernel="MobilenetV3/Conv_2/weights",
    )


def _nasnet(kind: str, size: int) -> Classifier:
    """Without the size of the image Keras leaves out the layers that make maps of two sizes fit."""
    target = f"keras_nasnet_{kind}"
    return Classifier(
        f"nasnet_{kind}", f"NASNet{kind.title()}", target, target, SCALED, _SAME, differs=_REDUCTION, size=size
    )


CLASSIFIERS: Mapping[str, Classifier] = {
    one.name: one
    for one in (
        Classifier("vgg_16", "VGG16", "keras_vgg16", "keras_vgg", MEAN, _BGR, background=False),
        Classifier("vgg_19", "VGG19", "keras_vgg19", "keras_vgg", MEAN, _BGR, background=False),
        Classifier("inception_v3", "InceptionV3", "keras_inception_v3", "keras_inception_v3", SCALED, _SAME),
        Classifier(
            "inception_resnet_v2",
            "InceptionResNetV2",
            "keras_inception_resnet_v2",
            "keras_inception_resnet_v2",
            SCALED,
            _SAME,
        ),
        Classifier(
            "mobilenet_v1",
            "MobileNet",
            "keras_mobilenet",
            "keras_mobilenet",
            SCALED,
            _SAME,
            at_odd_sizes=_ODD,
            widens=True,
        ),
        Classifier(
            "mobilenet_v2",
            "MobileNetV2",
            "keras_mobilenet_v2",
            "keras_mobilenet_v2",
            SCALED,
            _SAME,
            widens=True,
            last=1280,
            last_kernel="MobilenetV2/Conv_1/weights",
        ),
        *(_mobilenet_v3(size, kind) for size in ("small", "large") for kind in ("", "_minimalistic")),
        *_resnets(),
        _nasnet("mobile", 224),
        _nasnet("large", 331),
        *(_efficientnet(version) for version in range(8)),
    )
}
"""By slim's name."""
