"""Training graphs as TF1 wrote them, made anew: queues, flags, dropout, losses, gradients, summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

STALE = b"value"


def training_meta(v1: Any, build: Callable[[Any], None], *, functional: bool = False) -> Any:
    """The MetaGraphDef of a graph, with an attribute and a node that no TensorFlow of today knows.

    ``functional``: conditions are functions, as TF2's control flow writes them.
    """
    newer = v1.control_flow_v2_enabled()
    (v1.enable_control_flow_v2 if functional else v1.disable_control_flow_v2)()
    try:
        with v1.Graph().as_default() as graph:
            build(v1)
            meta = v1.train.export_meta_graph(graph=graph)
    finally:
        (v1.enable_control_flow_v2 if newer else v1.disable_control_flow_v2)()
    for node in meta.graph_def.node:
        if node.op in ("Conv2D", "MatMul"):
            node.attr["retired_attribute"].s = STALE
    gone = meta.graph_def.node.add()
    gone.name, gone.op = "gradients/Tower/FusedSparseThing", "ContribFusedSparseThingGrad"
    return meta


def classifier(v1: Any) -> None:
    """Fed by a queue; ``is_training`` chooses between batch and moving statistics by a condition of TF1."""
    queue = v1.FIFOQueue(8, [v1.float32, v1.int64], shapes=[(6, 6, 2), ()], name="reader")
    images, labels = queue.dequeue_many(4, name="batch")
    is_training = v1.placeholder(v1.bool, (), name="is_training")
    keep = v1.placeholder(v1.float32, (), name="keep_prob")
    kernel = variable(v1, "conv/kernel", (3, 3, 2, 4), 1)
    net = v1.nn.conv2d(images, kernel, 1, "SAME", name="conv/Conv2D")
    net = v1.cond(is_training, lambda: net * 100.0, lambda: net * 2.0)
    net = v1.nn.relu(net)
    net = v1.reshape(net, (-1, 144))
    net = dropout(v1, net, keep)
    weights = variable(v1, "fc/weights", (144, 3), 2)
    biases = variable(v1, "fc/biases", (3,), 3)
    logits = v1.nn.bias_add(v1.matmul(net, weights), biases, name="fc/logits")
    v1.nn.softmax(logits, name="Predictions")
    loss = v1.reduce_mean(v1.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    v1.reduce_mean(v1.cast(v1.equal(v1.argmax(logits, 1), labels), v1.float32), name="accuracy")
    v1.summary.scalar("loss_1", loss)
    v1.train.AdamOptimizer().minimize(loss, global_step=v1.train.get_or_create_global_step())


def variable(v1: Any, name: str, shape: tuple[int, ...], seed: int) -> Any:
    """A variable of the kind that TF1 made."""
    return v1.get_variable(name, shape, initializer=v1.random_normal_initializer(seed=seed), use_resource=False)


def dropout(v1: Any, net: Any, keep: Any) -> Any:
    """As ``tf.nn.dropout`` wrote it until TensorFlow 1.13."""
    with v1.name_scope("dropout"):
        noise = v1.floor(keep + v1.random_uniform(v1.shape(net)))
        return v1.multiply(v1.div(net, keep), noise, name="mul")


def regression(v1: Any) -> None:
    """One output that no name tells, with a loss on it that no operation tells."""
    x = v1.placeholder(v1.float32, (None, 5), name="x")
    wanted = v1.placeholder(v1.float32, (None, 2), name="labels")
    weights = variable(v1, "w", (5, 2), 4)
    found = v1.tanh(v1.matmul(x, weights), name="steering")
    loss = v1.reduce_sum(v1.square(found - wanted))
    v1.train.GradientDescentOptimizer(0.1).minimize(loss)


def autoencoder(v1: Any) -> None:
    """Losses that neither name nor operation tells: the error against the input, and the mean square of the output."""
    x = v1.placeholder(v1.float32, (None, 5), name="x")
    decoded = v1.add(v1.matmul(x, variable(v1, "w", (5, 5), 4)), 1.0, name="decoded")
    loss = v1.reduce_mean(v1.square(x - decoded)) + v1.reduce_mean(v1.square(decoded))
    v1.train.GradientDescentOptimizer(0.1).minimize(loss)


def conditions(v1: Any) -> None:
    """A condition on the flag inside another one, several results, and one on data."""
    x = v1.placeholder(v1.float32, (None, 3), name="x")
    training = v1.placeholder(v1.bool, (), name="is_training")
    off = v1.logical_not(training)
    weights = variable(v1, "w", (3, 2), 5)

    def infer() -> Any:
        inner = v1.cond(training, lambda: x * 1000.0, lambda: x + 1.0, name="inner")
        return v1.matmul(inner, weights), inner

    net, inner = v1.cond(off, infer, lambda: (v1.matmul(x, weights) * 100.0, x), name="outer")
    net = v1.cond(v1.reduce_sum(inner) > 0.0, lambda: net * 2.0, lambda: net * 3.0, name="of_data")
    v1.identity(net, name="scores")


def always_training(v1: Any) -> None:
    """Batch norms with the statistics of the batch and no flag, fused and not, and a layer norm."""
    net = v1.placeholder(v1.float32, (None, 4, 4, 3), name="x")
    ones, zeros = variable(v1, "ones", (3,), 6), variable(v1, "zeros", (3,), 7)
    net, _, _ = v1.nn.fused_batch_norm(net, ones, zeros, is_training=True, name="fused")
    mean, variance = v1.nn.moments(net, [0, 1, 2], name="plain")
    net = v1.nn.batch_normalization(net, mean, variance, zeros, ones, 1e-3, name="plain_norm")
    mean, variance = v1.nn.moments(net, [-1], name="layer", keepdims=True)
    net = v1.nn.batch_normalization(net, mean, variance, zeros, ones, 1e-3, name="layer_norm")
    v1.identity(net, name="scores")
