"""Generate the target specs of keras.applications' classifiers from live models of Keras 2 and Keras 3.

``python -m ckptmap.tf.specs.classifiers keras_vgg16 keras_resnet50``, or without names all of them.
"""

from __future__ import annotations

import argparse
import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.families.classification.models import CLASSIFIERS, Classifier
from ckptmap.families.detection.model_parts import BACKBONE, CLASS_HEAD, PREDICTOR
from ckptmap.targets.choose import Setting
from ckptmap.tf.classifiers import application
from ckptmap.tf.specs.building import Builder, built
from ckptmap.tf.specs.description import Description, Knob
from ckptmap.tf.specs.generate import FOLDER, dumps, generate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ckptmap.tf.specs.building import Variables

_PACKAGES = ("tensorflow", "tf-keras", "keras")
_CHECKS = 2
_OPTIONS = ("include_top", "include_preprocessing", "alpha")
_PLAIN = ({"num_classes": 1000}, {"num_classes": 7})
_ALPHAS = (1.0, 0.5, 1.4)
_ALPHAS_V3 = (1.0, 0.75, 1.1)
"""Depth multipliers. Under those of MobileNet V3 slim's first convolution is as wide as Keras', 16 channels; under
others there is no counterpart, and blocks that keep their width add their input, or cease to."""


def description(model: Classifier) -> Description:
    """What the generator has to know of a classifier."""
    alphas = _ALPHAS_V3 if model.rescales else _ALPHAS
    wide = [{"alpha": alpha, "num_classes": 1000 + at} for at, alpha in enumerate(alphas)]
    settings = (
        Setting("keras", (3, 2), 3, "the Keras that restores it: 3 (tf.keras from TensorFlow 2.16 on), 2 (tf-keras)"),
        Setting("include_top", (True, False), True, "include_top of keras.applications"),
        *(
            [Setting("include_preprocessing", (True, False), True, "include_preprocessing of keras.applications")]
            if model.rescales
            else []
        ),
    )
    return Description(
        name=model.target,
        config={"model": {"name": model.keras, "options": {**model.options, **model.shaped}}},
        settings=settings,
        knobs={
            "keras": Knob({"model.version": "$value"}),
            "num_classes": Knob({"model.classes": "$value"}),
            **{name: Knob({f"model.options.{name}": "$value"}) for name in _OPTIONS},
        },
        probes=tuple(wide) if model.widens else _PLAIN,
        expressions=("num_classes",),
        ratios=(),
        unknowns={"num_classes": {"meaning": "classes as keras.applications counts them, with the background if kept"}},
        excluded=(),
        checks=_CHECKS,
    )


def live_variables(config: Mapping[str, Any]) -> Variables:
    """The variables of the live model that a configuration of :func:`description` describes."""
    model = config["model"]
    options = dict(model["options"])
    if options["include_top"]:
        options["classes"] = model["classes"]
    return built(application(model["name"], model["version"], **options))


def spec(model: Classifier) -> dict[str, Any]:
    """The spec of one classifier as its JSON object."""
    one = description(model)
    made = generate(one, Builder(one, make=live_variables))
    return {
        **made,
        "generator": f"python -m ckptmap.tf.specs.classifiers {model.target}",
        "made_with": {package: importlib.metadata.version(package) for package in _PACKAGES},
        "variables": [{**entry, "part": _part(entry)} for entry in made["variables"]],
        "table": f"classification/{model.table}",
        "counterpart_of": model.name,
    }


def _part(entry: Mapping[str, Any]) -> str:
    if "num_classes" in entry["dims"]:
        return CLASS_HEAD
    return PREDICTOR if "include_top" in entry.get("when", {}) else BACKBONE


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the specs of the named targets."""
    known = {model.target: model for model in CLASSIFIERS.values()}
    parser = argparse.ArgumentParser(description="Generate target specs from keras.applications.")
    parser.add_argument("names", nargs="*", default=list(known), help="such as keras_vgg16; none: all")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    for name in options.names:
        (options.folder / f"{name}.json").write_text(dumps(spec(known[name])), encoding="utf-8")


if __name__ == "__main__":
    main()
