"""Which counterpart in keras.applications a checkpoint of slim's has, by its names and shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ckptmap.basics.wording import number
from ckptmap.families.classification.models import CLASSIFIERS, Classifier
from ckptmap.families.classification.verdicts import preprocessing, verdict
from ckptmap.families.detection.recognition.architecture import CLASSIFICATION, Architecture

if TYPE_CHECKING:
    from ckptmap.families.family import Shapes

_GATE = "squeeze_excite"
_IMAGENET = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A classifier in a checkpoint: the ``network`` as its names and shapes show it, and what it is in Keras.

    ``last`` are the channels of its last convolution, None where Keras narrows that with the model.
    """

    model: Classifier
    network: Architecture
    last: int | None = None

    @property
    def name(self) -> str:
        """Slim's."""
        return self.model.name

    @property
    def targets(self) -> tuple[str, ...]:
        """The model of keras.applications."""
        return (self.model.target,)

    @property
    def tables(self) -> tuple[str, ...]:
        """That of the target, for a model of Keras that somebody changed."""
        return (f"classification/{self.model.table}",)

    @property
    def folder(self) -> str:
        """The target's name, which tells Keras' model from slim's."""
        return self.model.target

    @property
    def homeless(self) -> str:
        """Nothing: Keras has all of these."""
        return ""

    @property
    def classes(self) -> int | None:
        """As the checkpoint counts them; None where it has no last layer."""
        return self.network.heads.num_classes

    @property
    def call(self) -> str:
        """How Keras makes the model that takes all of the checkpoint."""
        options: dict[str, object] = {"weights": None, **self.model.options}
        width = self.network.backbone.depth_multiplier
        if width not in (None, 1.0):
            options["alpha"] = width
        if self.classes is None:
            options |= {"include_top": False, **self.model.shaped}
        elif self.classes != _IMAGENET:
            options["classes"] = self.classes
        arguments = ", ".join(f"{name}={value}" for name, value in options.items())
        return f"keras.applications.{self.model.keras}({arguments})"

    @property
    def remark(self) -> str:
        """What Keras calls it, whether that computes the same, what either takes as an image, and the background."""
        judged = verdict(self.model.target, {} if self.last is None else {self.model.last_width: self.last})
        told = [f"for {self.call}, {judged}", f"images: {preprocessing(self.model)}"]
        if self.model.background and self.classes is not None:
            without = number("num_classes", str(self.classes - 1))
            told.append(f"class 0 is the background: {without} leaves it out")
        return "; ".join(told)

    def traits(self) -> str:
        """Those of the network."""
        return self.network.traits()

    def document(self) -> dict[str, Any]:
        """The network as JSON values."""
        return {**self.network.document(), "name": self.name}


def recognize(network: Architecture | None, shapes: Shapes) -> Found | None:
    """The counterpart of a recognized classifier, None where it has none; ``shapes`` are those of the checkpoint."""
    if network is None or network.meta_architecture != CLASSIFICATION:
        return None
    model = CLASSIFIERS.get(_name(network.name, shapes))
    if model is None:
        return None
    last = shapes.get(model.last_kernel)
    return Found(model, network, last[-1] if last else None)


def _name(network: str, shapes: Shapes) -> str:
    """Slim's name of a network; some of its name are told by what they have."""
    if network.startswith("mobilenet_v3"):
        return network if any(_GATE in name for name in shapes) else f"{network}_minimalistic"
    if network == "nasnet":
        cells = {name.partition("/")[0] for name in shapes if name.startswith("cell_")}
        sizes = (size for size, count in _CELLS.items() if cells == {*_STEMS, *(f"cell_{at}" for at in range(count))})
        return next((f"nasnet_{size}" for size in sizes), network)
    return network


_STEMS = ("cell_stem_0", "cell_stem_1")
_CELLS = {"mobile": 12, "large": 18}
"""How many cells a NASNet has beside its stems and those that reduce."""
