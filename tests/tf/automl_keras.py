"""AutoML's Keras EfficientDet with the values of a converted checkpoint, in a process of its own.

    python -m tests.tf.automl_keras CHECKOUT VERSION SIZE CLASSES CHECKPOINT OUTPUTS.npz

Restores with TensorFlow's assertions and writes the outputs for the image of ``tests.tf.automl_graph``, by the same
names.
"""

from __future__ import annotations

import sys

from ckptmap.tf import outputs
from ckptmap.tf.environment import tf2
from ckptmap.tf.specs.automl import live_model
from tests.tf.automl_graph import normalized

LOWEST_LEVEL = 3


def main(checkout: str, version: str, size: str, classes: str, checkpoint: str, npz: str) -> None:
    """Restore and run."""
    sys.path.insert(0, checkout)
    tensorflow = tf2()
    model = live_model(version, int(classes), int(size))
    status = tensorflow.train.Checkpoint(root=model).restore(checkpoint)
    status.assert_existing_objects_matched().assert_consumed()
    image = normalized(outputs.random_image(int(size), int(size), seed=1))
    run = tensorflow.function(lambda batch: model(batch, training=False), autograph=False)
    found = dict(zip(("class", "box"), run(tensorflow.constant(image)), strict=True))
    maps = {
        f"{name}_{level}": one.numpy() for name, all_ in found.items() for level, one in enumerate(all_, LOWEST_LEVEL)
    }
    outputs.save(npz, maps)


if __name__ == "__main__":
    main(*sys.argv[1:])
