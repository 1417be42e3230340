"""Keras models of ``keras.applications``: the keys, names and shapes of what ``tf.train.Checkpoint`` saves of them.

    python -m benchmarks.suggest.make_keras FOLDER 2|3

Writes ``FOLDER/<model>_k2.json``, ``{"new": [[key, name, shape], …]}``, and ``model.to_json()`` beside it. With 2 the
models are those of ``tf_keras``. Needs the ``tf`` extra.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.targets.template import template_target

MODELS = {
    "vgg_16": ("VGG16", {}),
    "vgg_19": ("VGG19", {}),
    "inception_v3": ("InceptionV3", {"classes": 1001}),
    "inception_resnet_v2": ("InceptionResNetV2", {"classes": 1001}),
    "resnet_v1_50": ("ResNet50", {}),
    "resnet_v1_101": ("ResNet101", {}),
    "resnet_v1_152": ("ResNet152", {}),
    "resnet_v2_50": ("ResNet50V2", {"classes": 1001}),
    "resnet_v2_101": ("ResNet101V2", {"classes": 1001}),
    "resnet_v2_152": ("ResNet152V2", {"classes": 1001}),
    "mobilenet_v1": ("MobileNet", {"classes": 1001}),
    "mobilenet_v1_050": ("MobileNet", {"classes": 1001, "alpha": 0.5}),
    "mobilenet_v2": ("MobileNetV2", {"classes": 1001}),
    "mobilenet_v2_140": ("MobileNetV2", {"classes": 1001, "alpha": 1.4}),
    "mobilenet_v3_small": ("MobileNetV3Small", {"classes": 1001}),
    "mobilenet_v3_large": ("MobileNetV3Large", {"classes": 1001}),
    "mobilenet_v3_large_minimalistic": ("MobileNetV3Large", {"classes": 1001, "minimalistic": True}),
    "nasnet_mobile": ("NASNetMobile", {"classes": 1001}),
}


def main(folder: Path, version: str) -> None:
    """Build, save and read every model."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1" if version == "2" else "0"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    folder.mkdir(parents=True, exist_ok=True)
    for name, (model, options) in MODELS.items():
        tf.keras.backend.clear_session()
        built = getattr(tf.keras.applications, model)(weights=None, **options)
        _write(tf, built, folder / f"{name}_k{version}")
        print(name, flush=True)


def _write(tf: Any, model: Any, place: Path) -> None:
    with tempfile.TemporaryDirectory() as directory:
        prefix = tf.train.Checkpoint(model=model).save(f"{directory}/ckpt")
        with open_checkpoint(prefix) as checkpoint:
            target = template_target(checkpoint.inventory, checkpoint.saved_names())
    new = [[v.key, v.name, [dim.coefficient for dim in v.dims]] for v in target.variables]
    place.with_suffix(".json").write_text(json.dumps({"new": new}), encoding="utf-8")
    place.with_suffix(".model").write_text(model.to_json(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
