"""AutoML's TF1 EfficientDet, built from its own code in a process of its own, with random weights.

    python -m tests.tf.automl_graph CHECKOUT REQUEST.json

``CHECKOUT`` is the folder ``efficientdet`` of google/automl; the figures of docs/efficientdet.md are of commit 6a54c87.
The process imports nothing of the Object Detection API, whose package name AutoML uses for a folder of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ckptmap.tf import environment, outputs
from ckptmap.tf.tf1.weights import assign, calibrate, randomize

PASSES = 64
"""With few, one residual block outgrows all others, and from which one a feature map is taken hardly shows."""
OLD_RATIOS = [[1.0, 1.0], [1.4, 0.7], [0.7, 1.4]]
"""Width and height of each aspect ratio before September 2020 (efficientdet/hparams_config.py at 0a7798a)."""


def main(checkout: str, request: str) -> None:
    """Do what the request says: a list of objects with the arguments of ``run`` or ``variables``."""
    sys.path.insert(0, checkout)
    v1 = _tensorflow()
    for item in json.loads(Path(request).read_text(encoding="utf-8")):
        _variables(v1, **item) if "variables" in item else _run(v1, **item)


def _tensorflow() -> Any:
    environment.prepare()
    tensorflow = environment.import_quietly("tensorflow")
    tensorflow.compat.v1.logging.set_verbosity(tensorflow.compat.v1.logging.ERROR)
    tensorflow.compat.v1.disable_v2_behavior()
    for package in ("tf_keras", "keras"):  # where TensorFlow looks for the batch norm of tf.layers
        layers = environment.import_quietly("tf_keras.src.legacy_tf_layers.normalization")
        sys.modules.setdefault(f"{package}.legacy_tf_layers.normalization", layers)
    environment.import_quietly("utils").num_params_flops = lambda *_: (0.0, 0.0)  # its profiler takes a minute
    return tensorflow.compat.v1


def normalized(image: np.ndarray) -> np.ndarray:
    """An image, 0 to 255, as both sides normalize it, with the API's rounding."""
    offset, scale = (np.array(values, np.float32) for values in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    return (image / np.float32(255) - offset) / scale


def _build(v1: Any, version: str, size: int, num_classes: int) -> tuple[Any, Any, dict[str, Any]]:
    """The placeholder of the normalized image [1, size, size, 3], AutoML's configuration, and its outputs."""
    config = environment.import_quietly("hparams_config").get_efficientdet_config(f"efficientdet-{version}")
    config.override({"is_training_bn": False, "image_size": size, "num_classes": num_classes})
    image = v1.placeholder(v1.float32, [1, size, size, 3], name="image")
    classes, boxes = environment.import_quietly("efficientdet_arch").efficientdet(image, config=config)
    maps = {f"{name}_{level}": found[level] for name, found in (("class", classes), ("box", boxes)) for level in found}
    decoded = {
        "decoded": _decoded(v1, config, config.aspect_ratios, boxes),
        "decoded_2020": _decoded(v1, config, OLD_RATIOS, boxes),
    }
    return image, config, maps | decoded


def _decoded(v1: Any, config: Any, ratios: Any, boxes: dict[int, Any]) -> Any:
    """AutoML's own decoding with its own anchors of these aspect ratios: corners in pixels, [1, anchors, 4]."""
    module = environment.import_quietly("tf2.anchors")
    grid = module.Anchors(
        config.min_level, config.max_level, config.num_scales, ratios, config.anchor_scale, config.image_size
    )
    flat = v1.concat([v1.reshape(boxes[level], [1, -1, 4]) for level in sorted(boxes)], axis=1)
    return module.decode_box_outputs(flat, grid.boxes)


def _run(v1: Any, version: str, size: int, num_classes: int, folder: str, seed: int = 1, average: bool = False) -> None:
    """Save ``folder``/model.ckpt with random weights, and its outputs for a random image.

    ``average``: the checkpoint is one of training, in which the weights are moving averages of other raw values.
    """
    with v1.Graph().as_default(), v1.Session() as session:
        image, _, fetches = _build(v1, version, size, num_classes)
        v1.train.get_or_create_global_step()
        feed = {image: normalized(outputs.random_image(size, size, seed=seed))}
        randomize(v1, session, seed)
        _make_moderate(v1, session, seed)
        calibrate(v1, session, feed, seed, PASSES)
        outputs.save(Path(folder) / "outputs.npz", session.run(fetches, feed))
        saved = v1.global_variables() if not average else _with_averages(v1, session)
        v1.train.Saver(saved, save_relative_paths=True).save(session, f"{folder}/model.ckpt", write_meta_graph=False)


def _make_moderate(v1: Any, session: Any, seed: int) -> None:
    """Weights of the pyramid's inputs that are positive, and box outputs of about a tenth, as trained ones are."""
    generator = np.random.default_rng(seed)
    variables = {variable.op.name: variable for variable in v1.global_variables()}
    weights = [variable for name, variable in variables.items() if "/WSM" in name]
    assign(session, {variable: np.float32(generator.uniform(0.3, 1.5)) for variable in weights})
    boxes = [variables[f"box_net/box-predict/{leaf}"] for leaf in ("pointwise_kernel", "bias")]
    assign(session, {variable: value / 10 for variable, value in zip(boxes, session.run(boxes), strict=True)})


def _with_averages(v1: Any, session: Any) -> dict[str, Any]:
    """Every variable under the name of its average, other values under its own, and a slot of momentum for each."""
    saved: dict[str, Any] = {}
    for variable in v1.global_variables():
        name = variable.op.name
        if name == "global_step":
            saved[name] = variable
            continue
        saved[f"{name}/ExponentialMovingAverage"] = variable
        others = {name: variable + 1.0, f"{name}/Momentum": v1.zeros_like(variable)}
        saved |= {other: v1.Variable(value, name=f"copies/{other}") for other, value in others.items()}
    session.run(v1.variables_initializer([one for one in saved.values() if one.op.name.startswith("copies/")]))
    return saved


def _variables(v1: Any, version: str, variables: str) -> None:
    """Write names and shapes of the graph's variables to the file ``variables``."""
    with v1.Graph().as_default():
        _build(v1, version, 256, 90)
        found = {one.op.name: one.shape.as_list() for one in v1.global_variables()}
    Path(variables).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
