"""AutoML's TF1 graphs of EfficientDet: their variables in the order they are made.

    python -m benchmarks.suggest.make_efficientdet CHECKOUT FOLDER

``CHECKOUT`` is the folder ``efficientdet`` of google/automl. Writes ``FOLDER/automl_efficientdet_<version>.json`` and
``.graph`` as ``make_slim`` does. Needs the ``tf`` extra.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.tf.automl_graph import _build, _tensorflow

VERSIONS = ("d0", "d1", "d2", "d3", "d4", "d6")


def main(checkout: str, folder: Path) -> None:
    """Build every version's graph, on small images: no variable depends on their size."""
    sys.path.insert(0, checkout)
    v1 = _tensorflow()
    folder.mkdir(parents=True, exist_ok=True)
    for version in VERSIONS:
        place = folder / f"automl_efficientdet_{version}.json"
        with v1.Graph().as_default() as graph:
            _build(v1, version, 256, 90)
            v1.train.get_or_create_global_step()
            old = [[item.op.name, item.shape.as_list()] for item in v1.global_variables()]
            place.with_suffix(".graph").write_bytes(graph.as_graph_def().SerializeToString())
        place.write_text(json.dumps({"old": old}), encoding="utf-8")
        print(version, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
