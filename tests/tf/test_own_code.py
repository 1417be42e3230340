"""TF1's own code inside Keras gives TF1's outputs to the bit: all rows with the matrix, two in the default run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the [tf] extra")

from ckptmap.basics.errors import CkptmapError
from ckptmap.tf.environment import tf2
from ckptmap.tf.own_code import own_code, slim_network
from tests.tf.own_code import QUICK, ROWS, as_expected, prove


@pytest.mark.parametrize("name", QUICK)
def test_slims_network_goes_on(name: str, tmp_path: Path) -> None:
    proof = prove(ROWS[name], tmp_path)
    assert as_expected(proof), proof


@pytest.mark.matrix
@pytest.mark.parametrize("name", [name for name in ROWS if name not in QUICK])
def test_the_whole_matrix(name: str, tmp_path: Path) -> None:
    proof = prove(ROWS[name], tmp_path)
    assert as_expected(proof), proof


def test_the_same_variables_serve_every_shape_and_training() -> None:
    v1 = tf2().compat.v1

    def code(features: Any, training: bool) -> Any:
        with v1.variable_scope("net"):
            hidden = v1.layers.dense(features, 3, kernel_regularizer=v1.keras.regularizers.l2(0.5))
            hidden = v1.layers.dense(hidden, 4)  # TF1 numbers layers without names
            return {
                "out": hidden * v1.get_variable("scale", [], initializer=v1.ones_initializer()) * (2 if training else 1)
            }

    model = own_code(code)
    with tf2().GradientTape() as tape:
        found = model(tf2().ones([3, 5]), training=True)["out"]
        loss = tf2().reduce_sum(found) + tf2().add_n(model.losses)
    np.testing.assert_array_equal(model(tf2().ones([2, 5]))["out"] * 2, found[:2])
    dense = {f"net/{layer}/{leaf}" for layer in ("dense", "dense_1") for leaf in ("kernel", "bias")}
    assert set(model.tf1_variables()) == {*dense, "net/scale"}
    assert len(model.trainable_variables) == 5
    assert all(gradient is not None for gradient in tape.gradient(loss, model.trainable_variables))


def test_networks_that_slim_has_not() -> None:
    with pytest.raises(CkptmapError, match="slim has no network 'inception_v9'"):
        slim_network("inception_v9")
    with pytest.raises(CkptmapError, match="has no class count"):
        slim_network("dcgan_generator", num_classes=3)


def test_maps_on_the_way() -> None:
    model = slim_network("lenet", 10, end_points=["pool1", "Logits"])
    found = model(tf2().zeros([1, 28, 28, 1]))
    assert {name: tuple(map(int, tensor.shape)) for name, tensor in found.items()} == {
        "pool1": (1, 14, 14, 32),
        "Logits": (1, 10),
    }
