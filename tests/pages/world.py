"""A folder with the files that README.md and docs/ speak of, under the names that they use."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import ckptmap
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.values import encode
from ckptmap.checkpoint.wire import bytes_field, text_field
from tests.convert.conftest import write_tf1
from tests.efficientdet_variables import read as efficientdet
from tests.pages.documents import ROOT, blocks

FIXTURES = ROOT / "fixtures"
FLOAT = DType.FLOAT32
STEP = {"global_step": np.array(1000, np.int64)}
Shape = Sequence[int]


def make_world(folder: Path) -> None:
    """All of it; small, but for the classifiers, whose shapes are those of the real ones."""
    detectors(folder)
    classifiers(folder)
    own_model(folder)
    recurrent(folder)
    names(folder)
    halves(folder)
    keras(folder)


def shown(document: str, part: str, language: str = "yaml") -> str:
    """The file that a page shows."""
    return next(block.text for block in blocks(document) if block.language == language and part in block.text)


def random(shape: Shape, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).standard_normal(shape, np.float32)


def random_tf1(prefix: Path, shapes: Mapping[str, Shape], *, step: bool = True, seed: int = 0) -> Path:
    drawn = {name: random(shape, seed) for name, shape in shapes.items()}
    return write_tf1(prefix, {**drawn, **(STEP if step else {})})


def write_tf2(prefix: Path, shapes: Mapping[str, Shape], seed: int = 1, paths: Sequence[str] = ()) -> Path:
    """A TF2 checkpoint; the object path of a variable is its readable name unless ``paths`` says it."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    objects = {
        path: ObjectValue(name, FLOAT, tuple(shape), [encode(FLOAT, random(shape, seed))])
        for path, (name, shape) in zip(paths or shapes, shapes.items(), strict=True)
    }
    write_object_checkpoint(prefix, "model", objects)
    return prefix


def detectors(folder: Path) -> None:
    shutil.copytree(FIXTURES, folder / "fixtures")
    tiny = FIXTURES / "ssd_mobilenet_v2_tiny"
    for name in ("old", "models/a", "models/b"):
        shutil.copytree(tiny, folder / name)
    shutil.copytree(FIXTURES / "ssd_mobilenet_v2_training", folder / "training")
    ckptmap.convert(folder / "old", output=folder / "train")
    for file in (folder / "train").glob("ckpt-0.*"):  # as if it had been trained and saved again
        file.rename(file.with_name(file.name.replace("ckpt-0", "ckpt-9")))
    shutil.copy(tiny / "pipeline.config", folder / "my.config")
    write_labels(folder / "old.pbtxt", ("cat", "dog", "cow"))
    write_labels(folder / "new.pbtxt", ("dog", "goat", "cat", "hen"))
    (folder / "list.txt").write_text("# a checkpoint a line\nmodels/a\nmodels/b\n")
    random_tf1(folder / "efficientdet-d0" / "model", efficientdet("d0"), step=False)


def write_labels(path: Path, labels: Sequence[str]) -> None:
    path.write_text("".join(f"item {{ id: {at} name: '{name}' }}\n" for at, name in enumerate(labels, 1)))


def classifiers(folder: Path) -> None:
    """slim's MobileNet V1, for 11 classes."""
    shapes: dict[str, Shape] = {"Conv2d_0/weights": (3, 3, 3, 32)}
    widths = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
    layers = {"Conv2d_0": 32}
    for at, (before, after) in enumerate(itertools.pairwise(widths), 1):
        shapes[f"Conv2d_{at}_depthwise/depthwise_weights"] = (3, 3, before, 1)
        shapes[f"Conv2d_{at}_pointwise/weights"] = (1, 1, before, after)
        layers |= {f"Conv2d_{at}_depthwise": before, f"Conv2d_{at}_pointwise": after}
    leaves = ("beta", "gamma", "moving_mean", "moving_variance")
    shapes |= {f"{layer}/BatchNorm/{leaf}": (width,) for layer, width in layers.items() for leaf in leaves}
    shapes |= {"Logits/Conv2d_1c_1x1/weights": (1, 1, 1024, 11), "Logits/Conv2d_1c_1x1/biases": (11,)}
    random_tf1(folder / "mobilenet_v1.ckpt", {f"MobilenetV1/{name}": shape for name, shape in shapes.items()})
    lenet = {"conv1": (5, 5, 1, 32), "conv2": (5, 5, 32, 64), "fc3": (98, 32), "fc4": (32, 10)}
    weights: dict[str, Shape] = {f"LeNet/{layer}/weights": shape for layer, shape in lenet.items()}
    random_tf1(
        folder / "lenet.ckpt", {**weights, **{f"LeNet/{layer}/biases": shape[-1:] for layer, shape in lenet.items()}}
    )


OLD_LAYERS = ("lens", "iris", "eye", "focus")
NEW_LAYERS = ("conv2d", "conv2d_1", "conv2d_2", "conv2d_3")


def own_model(folder: Path) -> None:
    """The model of docs/tables.md whose names have nothing in common, with its graph and without it."""
    depth = {name: 16 if at else 3 for at, name in enumerate(OLD_LAYERS)}
    old: dict[str, Shape] = {
        **{f"perception/{name}/weights": (3, 3, width, 16) for name, width in depth.items()},
        **{f"perception/{name}/biases": (16,) for name in OLD_LAYERS},
        "verdict/weights": (16, 10),
        "verdict/biases": (10,),
    }
    drawn = {name: random(shape, at) for at, (name, shape) in enumerate(old.items())}  # no two layers hold the same
    for name in ("mine", "without_meta"):
        write_tf1(folder / name / "model.ckpt", {**drawn, **STEP})
    (folder / "mine" / "model.ckpt.meta").write_bytes(bytes_field(2, chain()))
    new: dict[str, Shape] = {
        f"sequential/{name}/{leaf}": shape
        for at, name in enumerate(NEW_LAYERS)
        for leaf, shape in (("kernel", (3, 3, 16 if at else 3, 16)), ("bias", (16,)))
    }
    new |= {"sequential/dense/kernel": (16, 10), "sequential/dense/bias": (10,)}
    paths = [f"layer_with_weights-{at}/{leaf}" for at in range(len(NEW_LAYERS) + 1) for leaf in ("kernel", "bias")]
    write_tf2(folder / "mine_tf2" / "ckpt-1", new, paths=paths)
    layers = [{"config": {"name": name}, "inbound_nodes": []} for name in (*NEW_LAYERS, "flatten", "dense")]
    (folder / "mine.yaml").write_text(shown("docs/tables.md", "focus: conv2d_3"))
    (folder / "nets.py").write_text(shown("docs/tables.md", "def build_old", "python"))
    (folder / "mine.py").write_text(shown("docs/tables.md", "Sequential(", "python"))
    write_tf2(folder / "mine_new" / "ckpt-9", new, 9, paths)
    (folder / "mine_tf2" / "model.json").write_text(
        json.dumps({"class_name": "Sequential", "config": {"layers": layers}})
    )


def node(name: str, operation: str, *inputs: str) -> bytes:
    """A NodeDef, as a field of a GraphDef."""
    return bytes_field(
        1, text_field(1, name) + text_field(2, operation) + b"".join(text_field(3, one) for one in inputs)
    )


def chain() -> bytes:
    """The graph of the old model: one layer after the other."""
    nodes, before = [node("image", "Placeholder")], "image"
    for name in (*(f"perception/{layer}" for layer in OLD_LAYERS), "verdict"):
        operation = "MatMul" if name == "verdict" else "Conv2D"
        nodes += [
            node(f"{name}/weights", "VariableV2"),
            node(f"{name}/biases", "VariableV2"),
            node(f"{name}/{operation}", operation, before, f"{name}/weights"),
            node(f"{name}/BiasAdd", "BiasAdd", f"{name}/{operation}", f"{name}/biases"),
        ]
        before = f"{name}/BiasAdd"
    return b"".join(nodes)


def recurrent(folder: Path) -> None:
    cell = "rnn/basic_lstm_cell"
    random_tf1(folder / "rnn" / "model.ckpt", {f"{cell}/kernel": (24, 64), f"{cell}/bias": (64,)}, step=False)
    shapes = {"kernel": (8, 64), "recurrent_kernel": (16, 64), "bias": (64,)}
    write_tf2(folder / "rnn_tf2" / "ckpt-1", {f"lstm/lstm_cell/{name}": shape for name, shape in shapes.items()})
    (folder / "lstm.yaml").write_text(shown("docs/tables.md", "rnn/basic_lstm_cell, to"))


def names(folder: Path) -> None:
    """Checkpoints for what ``edit`` and ``average`` do: with slots and moving averages, and of several steps."""
    weights = {"MobilenetV2/Conv/weights": (3, 3, 3, 8), "logits/weights": (8, 4), "logits/biases": (4,)}
    suffixes = ("", "/Momentum", "/ExponentialMovingAverage")
    random_tf1(
        folder / "net/model.ckpt", {f"{name}{end}": shape for name, shape in weights.items() for end in suffixes}
    )
    random_tf1(folder / "scoped/model.ckpt", {f"model/{name}": shape for name, shape in weights.items()})
    (folder / "rename.yaml").write_text(
        'where: {rest: path}\nvariables:\n  - {from: "logits/{rest}", to: "head/{rest}"}\n'
    )
    for step in (1000, 2000, 3000):
        random_tf1(folder / f"run_tf1/model.ckpt-{step}", weights, seed=step)
    for step in (7, 8, 9):
        write_tf2(folder / f"run/ckpt-{step}", {"dense/kernel": (4, 3), "dense/bias": (3,)}, seed=step)


def halves(folder: Path) -> None:
    """An encoder and a decoder, and the model of both."""
    leaves = {"w": (4, 4), "b": (4,)}
    random_tf1(folder / "decoder" / "model.ckpt", {f"decoder/{leaf}": shape for leaf, shape in leaves.items()})
    random_tf1(
        folder / "encoder" / "model.ckpt",
        {f"{part}/{leaf}": shape for part in ("encoder", "decoder") for leaf, shape in leaves.items()},
    )
    new = {"kernel": (4, 4), "bias": (4,)}
    write_tf2(
        folder / "my_model" / "ckpt-0",
        {f"{part}/{leaf}": shape for part in ("encoder", "decoder") for leaf, shape in new.items()},
    )
    (folder / "rules.yaml").write_text(shown("docs/recipes.md", "dec:decoder"))


def keras(folder: Path) -> None:
    """One model of Keras 2 and of Keras 3, as checkpoints and, where h5py is installed, as files."""
    shapes = {"dense/kernel": (4, 3), "dense/bias": (3,)}
    write_tf2(folder / "keras2" / "ckpt-1", shapes)
    (folder / "keras2" / "checkpoint").write_text(
        'model_checkpoint_path: "ckpt-1"\nall_model_checkpoint_paths: "ckpt-1"\n'
    )
    write_tf2(folder / "keras3" / "ckpt-1", shapes, seed=2)
    write_h5(folder, shapes)
    random_tf1(folder / "small" / "model.ckpt", {"out/weights": (4, 3), "out/biases": (3,)})
    (folder / "small.yaml").write_text(
        "variables:\n- {from: out/weights, to: dense/0}\n- {from: out/biases, to: dense/1}\n"
        "drop: [{match: global_step, reason: no weight}]\n"
    )


def write_h5(folder: Path, shapes: Mapping[str, Shape]) -> None:
    import h5py

    with h5py.File(folder / "mine.h5", "w") as file:
        file.attrs["layer_names"] = [b"dense"]
        file.create_group("dense").attrs["weight_names"] = [f"{name}:0".encode() for name in shapes]
        for name, shape in shapes.items():
            file.create_dataset(f"dense/{name}:0", data=random(shape))
    with h5py.File(folder / "new_model.weights.h5", "w") as file:
        group = file.create_group("layers/dense/vars")
        group.attrs["name"] = "dense"
        for at, shape in enumerate(shapes.values()):
            group.create_dataset(str(at), data=random(shape, 3))
