"""Generate the target specs of AutoML's own Keras EfficientDet, from live models that AutoML's code builds.

``python -m ckptmap.tf.specs.automl CHECKOUT d0 d1``: ``CHECKOUT`` is the folder ``efficientdet`` of google/automl,
whose modules are imported from there. It has a package called ``object_detection`` too, which stands in for the Object
Detection API in this process.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.tf import environment
from ckptmap.tf.specs.building import Builder, built
from ckptmap.tf.specs.description import Description, Knob
from ckptmap.tf.specs.generate import FOLDER, dumps, generate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ckptmap.tf.specs.building import Variables

TABLE = "automl_efficientdet"
_SIZE = 256
_PACKAGES = ("tensorflow", "tf-keras")


def description(version: str) -> Description:
    """What the generator has to know of a version: that nothing but the class count changes a shape."""
    return Description(
        name=f"{TABLE}_{version}",
        config={"model": {"version": version}},
        settings=(),
        knobs={"num_classes": Knob({"model.num_classes": "$value"})},
        probes=({"num_classes": 90}, {"num_classes": 5}),
        expressions=("9*num_classes",),
        ratios=(),
        unknowns={"num_classes": {"meaning": "classes, none of them the background"}},
        excluded=(),
    )


def live_variables(config: Mapping[str, Any]) -> Variables:
    """The variables of AutoML's Keras model for ``version`` and ``num_classes`` of ``config["model"]``."""
    environment.tf2().keras.backend.clear_session()
    return built(live_model(config["model"]["version"], config["model"]["num_classes"], _SIZE))


def live_model(version: str, num_classes: int, size: int) -> Any:
    """AutoML's ``EfficientDetNet`` with its variables built, for images of ``size`` x ``size``."""
    own = environment.import_quietly("hparams_config").get_efficientdet_config(f"efficientdet-{version}")
    own.override({"is_training_bn": False, "image_size": size, "num_classes": num_classes})
    model = environment.import_quietly("tf2.efficientdet_keras").EfficientDetNet(config=own)
    model(environment.tf2().zeros([1, size, size, 3]), training=False)
    return model


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the specs of the named versions."""
    parser = argparse.ArgumentParser(description="Generate target specs from AutoML's Keras EfficientDet.")
    parser.add_argument("checkout", help="folder efficientdet of google/automl")
    parser.add_argument("versions", nargs="+", help="d0, d1 … d7x")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    sys.path.insert(0, options.checkout)
    for version in options.versions:
        one = description(version)
        spec = generate(one, Builder(one, make=live_variables))
        own = {
            "generator": f"python -m ckptmap.tf.specs.automl CHECKOUT {version}",
            "made_with": {package: importlib.metadata.version(package) for package in _PACKAGES},
            "root": "",
            "table": TABLE,
        }
        (options.folder / f"{one.name}.json").write_text(dumps({**spec, **own}), encoding="utf-8")


if __name__ == "__main__":
    main()
