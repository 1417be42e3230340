"""TF1 graphs of slim's classification networks: their variables in the order they are made.

    python -m benchmarks.suggest.make_slim FOLDER

Writes ``FOLDER/<net>.json``, ``{"old": [[name, shape], …]}``, and the graph as ``FOLDER/<net>.graph``. Needs the ``tf``
extra.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from ckptmap.tf.environment import tf1

CLASSES = {"vgg_16": 1000, "vgg_19": 1000, "resnet_v1_50": 1000, "resnet_v1_101": 1000, "resnet_v1_152": 1000}
SIZES = {"inception_v3": 299, "inception_resnet_v2": 299, "inception_v4": 299, "nasnet_large": 331}
NETS = (
    *("vgg_16", "vgg_19", "inception_v1", "inception_v2", "inception_v3", "inception_v4", "inception_resnet_v2"),
    *("resnet_v1_50", "resnet_v1_101", "resnet_v1_152", "resnet_v2_50", "resnet_v2_101", "resnet_v2_152"),
    *("mobilenet_v1", "mobilenet_v1_050", "mobilenet_v2", "mobilenet_v2_140"),
    *("mobilenet_v3_small", "mobilenet_v3_large", "mobilenet_v3_large_minimalistic", "nasnet_mobile"),
)


def main(folder: Path) -> None:
    """Build every network in this one process."""
    v1 = tf1()
    importlib.import_module("object_detection")
    factory = importlib.import_module("nets.nets_factory")
    folder.mkdir(parents=True, exist_ok=True)
    for net in NETS:
        _attempt(v1, factory, net, folder)


def _attempt(v1: Any, factory: Any, net: str, folder: Path) -> None:
    try:
        _write(v1, factory, net, folder)
        print(net, flush=True)
    except Exception:  # noqa: BLE001  whatever a network's code raises: the others go on
        print(net, "FAILED", traceback.format_exc()[-600:], flush=True)


def _write(v1: Any, factory: Any, net: str, folder: Path) -> None:
    size = SIZES.get(net, 224)
    with v1.Graph().as_default() as graph:
        image = v1.placeholder(v1.float32, [1, size, size, 3], name="image")
        v1.train.get_or_create_global_step()
        factory.get_network_fn(net, num_classes=CLASSES.get(net, 1001), is_training=False)(image)
        old = [[item.op.name, item.shape.as_list()] for item in v1.global_variables()]
        (folder / f"{net}.graph").write_bytes(graph.as_graph_def().SerializeToString())
    (folder / f"{net}.json").write_text(json.dumps({"old": old}), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
