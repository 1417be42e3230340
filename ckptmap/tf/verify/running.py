"""How TF1 graphs are run, so that the same operations give the same numbers."""

from __future__ import annotations

from typing import Any


def session(v1: Any, graph: Any) -> Any:
    """A session that runs the graph as it is written, on the CPU (see ``as_written`` of ``ckptmap.tf.environment``).

    TensorFlow fuses other operations where weights are constants than where they are variables: the outputs of a
    frozen graph then differ from those of its own checkpoint, by 2e-5 of their spread. Unoptimized they are equal.
    """
    config = v1.ConfigProto(device_count={"GPU": 0}, allow_soft_placement=True)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = v1.OptimizerOptions.L0
    return v1.Session(graph=graph, config=config)
