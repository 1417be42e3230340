"""The inference graph is cut out of training graphs: what stays computes what the model computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.tf.environment import tensorflow_alone
from ckptmap.tf.inference import Cut, cut, guess_outputs
from tests.tf.inference.training_graphs import (
    always_training,
    autoencoder,
    classifier,
    conditions,
    regression,
    training_meta,
)


@pytest.fixture(scope="module")
def v1() -> Any:
    return tensorflow_alone().compat.v1


@pytest.fixture(scope="module")
def trained(v1: Any) -> Any:
    return training_meta(v1, classifier).graph_def


@pytest.fixture(scope="module")
def found(trained: Any) -> Cut:
    return cut(trained)


def test_the_outputs_are_what_weights_compute_last(trained: Any, v1: Any) -> None:
    assert guess_outputs(trained) == ("fc/logits", "Predictions")
    assert guess_outputs(training_meta(v1, regression).graph_def) == ("steering",)
    assert guess_outputs(training_meta(v1, autoencoder).graph_def) == ("decoded",)


def test_the_queue_is_a_placeholder_with_its_shape(found: Cut) -> None:
    (images,) = found.inputs
    assert (images.name, images.dtype, images.shape) == ("batch/replaced_0", "float32", (4, 6, 6, 2))
    assert images.replaced == "batch"


def test_only_inference_stays(found: Cut) -> None:
    kept = {node.op for node in found.graph.node}
    assert kept.isdisjoint({"Switch", "Merge", "RandomUniform", "Assign", "ScalarSummary", "QueueDequeueManyV2"})
    assert {"Conv2D", "MatMul", "Softmax", "Placeholder", "VariableV2"} <= kept
    assert all("retired_attribute" not in node.attr for node in found.graph.node)


def test_flags_of_training_are_off(found: Cut) -> None:
    assert dict(found.settings) == {"is_training": "False", "keep_prob": "1.0"}


def test_what_was_cut_is_said(found: Cut, trained: Any) -> None:
    counts = {one.kind: one.count for one in found.removed}
    assert counts["summaries"] == 1
    assert counts["gradients"] > 10
    assert sum(counts.values()) > len(trained.node) / 2
    text = "\n".join(found.notes)
    assert "nodes were cut" in text
    assert "batch reads files or a queue: placeholders stand in its place" in text
    assert "is_training is set to False" in text
    assert "dropout is off: dropout/mul" in text


def test_it_runs_and_computes_what_the_layers_compute(found: Cut, v1: Any) -> None:
    generator = np.random.default_rng(0)
    images = generator.normal(size=(4, 6, 6, 2)).astype(np.float32)
    values = {
        "conv/kernel": generator.normal(size=(3, 3, 2, 4)).astype(np.float32),
        "fc/weights": generator.normal(size=(144, 3)).astype(np.float32),
        "fc/biases": generator.normal(size=3).astype(np.float32),
    }
    with v1.Graph().as_default(), v1.Session() as session:
        v1.import_graph_def(found.graph, name="")
        feed = {f"{name}:0": value for name, value in values.items()} | {"batch/replaced_0:0": images}
        ran = session.run("fc/logits:0", feed)
        net = v1.nn.relu(2 * v1.nn.conv2d(images, values["conv/kernel"], 1, "SAME"))
        wanted = session.run(v1.matmul(v1.reshape(net, (4, 144)), values["fc/weights"]) + values["fc/biases"])
    np.testing.assert_allclose(ran, wanted, rtol=1e-5, atol=1e-5)


def test_outputs_can_be_named(trained: Any) -> None:
    found = cut(trained, ["fc/logits:0"])
    assert found.outputs == ("fc/logits:0",)
    assert "Predictions" not in {node.name for node in found.graph.node}


def test_a_wrong_output_gets_the_nearest_names(trained: Any) -> None:
    with pytest.raises(CheckpointError, match="no output fc/logit ") as caught:
        cut(trained, ["fc/logit"])
    assert "fc/logits" in caught.value.problem.hint
    assert "Predictions" in caught.value.problem.hint


def test_an_operation_that_no_tensorflow_has_is_named(trained: Any) -> None:
    with pytest.raises(CheckpointError, match="no operation ContribFusedSparseThingGrad"):
        cut(trained, ["gradients/Tower/FusedSparseThing"])


def test_a_graph_without_weights_has_no_output_to_guess(v1: Any) -> None:
    with v1.Graph().as_default() as graph:
        v1.placeholder(v1.float32, (2,)) * 2.0
    with pytest.raises(CheckpointError, match="no output can be guessed"):
        cut(graph.as_graph_def())


def test_the_graph_given_is_not_changed(trained: Any) -> None:
    before = trained.SerializeToString(deterministic=True)
    cut(trained)
    assert trained.SerializeToString(deterministic=True) == before


def test_conditions_that_are_functions_are_decided(v1: Any) -> None:
    found = cut(training_meta(v1, conditions, functional=True).graph_def, ["scores", "outer:1"])
    left = {node.name: node.op for node in found.graph.node if node.op in ("If", "StatelessIf")}
    assert list(left) == ["of_data"]
    assert len(found.graph.library.function) == 2
    assert all("is_training" not in name for node in found.graph.node for name in node.input)
    x, w = np.array([[1.0, -2.0, 3.0]], np.float32), np.arange(6, dtype=np.float32).reshape(3, 2)
    with v1.Graph().as_default(), v1.Session() as session:
        v1.import_graph_def(found.graph, name="")
        scores, inner = session.run(found.outputs, {"x:0": x, "w:0": w})
    np.testing.assert_array_equal(inner, x + 1)
    np.testing.assert_array_equal(scores, (x + 1) @ w * 2)


def test_batch_norms_that_are_built_for_training_are_named(v1: Any, found: Cut) -> None:
    trained = cut(training_meta(v1, always_training).graph_def, ["scores"])
    said = "batch norm computes with the batch's statistics: "
    (note,) = [note for note in trained.notes if note.startswith(said)]
    assert note.removeprefix(said).partition(";")[0] == "fused, plain_norm/Rsqrt"
    assert not [note for note in found.notes if "statistics" in note]
