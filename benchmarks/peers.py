"""What people use today, as scripts: ``python -m benchmarks.peers guide SOURCE FOLDER``, ``… list SOURCE``."""

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


if __name__ == "__main__":
    if sys.argv[1] == "guide":
        guide(*sys.argv[2:])
    else:
        list_variables(*sys.argv[2:])
