"""What people use today, as scripts: ``python -m benchmarks.peers guide SOURCE FOLDER``, ``… list SOURCE``.

``… models OLD NEW`` makes two models, and ``… run OLD NEW`` runs them.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf


def guide(source: str, folder: str) -> None:
    """The TF guide's recipe for checkpoints of names (guide/migrate/migrating_checkpoints): load all, save all."""
    reader = tf.train.load_checkpoint(source)
    variables = {
        name.replace("weights", "kernel"): reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
    }
    root = tf.Module()
    for name, value in variables.items():
        setattr(root, name.replace("/", "_"), tf.Variable(value))
    tf.train.Checkpoint(model=root).save(os.path.join(folder, "ckpt"))  # noqa: PTH118


def list_variables(source: str) -> None:
    """Names and shapes, as ``tf.train.list_variables`` gives them."""
    for name, shape in tf.train.list_variables(source):
        print(name, shape)


def guides(folder: str, *sources: str) -> None:
    """The recipe for many, in one process."""
    for number, source in enumerate(sources):
        guide(source, os.path.join(folder, str(number)))  # noqa: PTH118


def models(*folders: str) -> None:
    """A network of Keras in each folder, with the same weights, as a SavedModel."""
    network = tf.keras.applications.MobileNetV2(weights=None)
    for folder in folders:
        network.export(folder, verbose=False)


def run(*folders: str) -> None:
    """Load the SavedModels and run each on the same input."""
    for folder in folders:
        serve = tf.saved_model.load(folder).signatures["serving_default"]
        (asked,) = serve.structured_input_signature[1].values()
        value = tf.random.stateless_uniform([1, *asked.shape[1:]], seed=(0, 0))
        print({name: found.shape for name, found in serve(**{asked.name: value}).items()})


SCRIPTS = {"guide": guide, "guides": guides, "list": list_variables, "models": models, "run": run}

if __name__ == "__main__":
    SCRIPTS[sys.argv[1]](*sys.argv[2:])
