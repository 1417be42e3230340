"""Models of shipped targets, which need no code of the user's: the report of the conversion says which one it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ckptmap.basics.documents import following
from ckptmap.families.classification.models import CLASSIFIERS
from ckptmap.tf.classifiers import as_slim
from ckptmap.tf.verify.general.beside import SCHEMA, conversion_beside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.families.classification.models import Classifier

_WIDTH = "width_"


@dataclass(frozen=True, slots=True)
class Application:
    """A model of keras.applications, and the Keras (2 or 3) that the checkpoint is of; ``options`` of its function."""

    name: str
    keras: int
    options: Mapping[str, Any]


def find_application(checkpoint: str) -> Application | None:
    """What the report beside a converted checkpoint says that it is of; None where no classifier or no report."""
    found = conversion_beside(checkpoint)
    if found is None:
        return None
    report, place = found
    with following(SCHEMA, place):
        target = report["target"]
        known = next((one for one in CLASSIFIERS.values() if one.target == target["name"]), None)
        return _application(known, target["settings"], target["dimensions"]) if known is not None else None


def _application(known: Classifier, settings: Mapping[str, Any], sizes: Mapping[str, int]) -> Application:
    options = {**known.options, **{name: value for name, value in settings.items() if name != "keras"}}
    if options["include_top"]:
        options |= {"classes": sizes["num_classes"], "classifier_activation": None}
    widths = {name: size for name, size in sizes.items() if name.startswith(_WIDTH) and name != known.last_width}
    if known.widens:
        widest = max(widths, key=_of_width_1)
        options["alpha"] = widths[widest] / _of_width_1(widest)
    return Application(known.keras, settings["keras"], options)


def _of_width_1(name: str) -> int:
    """The channels that a dimension (``width_144_2``) has at width 1."""
    return int(name.split("_")[1])


def build_application(keras: Any, found: Application) -> Any:
    """The model with slim's paddings and epsilon, for images of any size where it can take them; values are fresh."""
    model = as_slim(getattr(keras.applications, found.name)(weights=None, **found.options))
    config = model.get_config()
    if any(layer["class_name"] == "Flatten" for layer in config["layers"]):
        return model
    for name in ("batch_shape", "batch_input_shape"):
        options = config["layers"][0]["config"]
        if options.get(name):
            options[name] = (None, None, None, 3)
    return type(model).from_config(config)
