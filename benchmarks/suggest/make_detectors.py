"""TF1 graphs of the Object Detection API, one for each shipped target: their variables in the order they are made.

    python -m benchmarks.suggest.make_detectors FOLDER

Writes ``FOLDER/<target>.json``, ``{"old": [[name, shape], …]}``, and the graph as ``FOLDER/<target>.graph``. Needs the
``tf`` extra; the configurations are the rows of ``tests.tf``.
"""

from __future__ import annotations

import json
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.tf.environment import tf1
from ckptmap.tf.models import image_size, read_pipeline
from ckptmap.tf.tf1.graph import build
from tests.tf import rcnn_rows, slim_only_rows, ssd_rows

if TYPE_CHECKING:
    from tests.tf.rows import Row


CLASSES = 90
"""COCO's, where a row does not say how many: with the three of the tests some class heads are as wide as box heads."""


def main(folder: Path) -> None:
    """Build every row's graph in this one process; a row that fails is named and left out."""
    v1 = tf1()
    folder.mkdir(parents=True, exist_ok=True)
    for row in _rows():
        if (folder / f"{row.name}.json").exists():
            continue
        try:
            _write(v1, row, folder)
            print(row.name, flush=True)
        except Exception:  # noqa: BLE001  whatever a model's code raises: the others go on
            print(row.name, "FAILED", traceback.format_exc()[-600:], flush=True)


def _rows() -> list[Row]:
    """The rows of official configurations first, then some with other settings, each once."""
    official = (*ssd_rows.ONE_EACH, *ssd_rows.RETINANETS, *rcnn_rows.ONE_EACH, *rcnn_rows.DEEP)
    official += (*slim_only_rows.ONE_EACH, *slim_only_rows.TYPES)
    others = (*ssd_rows.SETTINGS[::5], *rcnn_rows.SETTINGS[::4], *slim_only_rows.SETTINGS[::5])
    found = {row.name: row for row in (*official, *others) if not row.train_steps and row.prefer != "stock"}
    return list(found.values())


def _write(v1: Any, row: Row, folder: Path) -> None:
    config = folder / f"{row.name}.config"
    official = replace(row, fields={**row.fields, "num_classes": row.fields.get("num_classes", CLASSES)})
    config.write_text(official.tf1_config(), encoding="utf-8")
    pipeline = read_pipeline(config)
    with v1.Graph().as_default() as graph:
        image = v1.placeholder(v1.float32, [1, *image_size(pipeline), 3], name="image")
        v1.train.get_or_create_global_step()
        build(v1, pipeline, image, 0)
        old = [[item.op.name, item.shape.as_list()] for item in v1.global_variables()]
        (folder / f"{row.name}.graph").write_bytes(graph.as_graph_def().SerializeToString())
    (folder / f"{row.name}.json").write_text(json.dumps({"old": old}), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
