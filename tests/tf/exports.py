"""TF1 exports, made by the Object Detection API's own exporter: all kinds of ``old/`` in one folder.

``python -m tests.tf.exports REQUEST.json`` is the TF1 process; the request is a list of ``Export`` as mappings.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Export:
    """A TF1 checkpoint with its pipeline.config, and the folder to export to; shadows in place of weights if asked."""

    pipeline: str
    checkpoint: str
    folder: str
    moving_averages: bool = False


def export_tf1(exports: Iterable[Export], request: Path) -> None:
    """Export in a TF1 process: frozen_inference_graph.pb, saved_model/, model.ckpt with .meta, pipeline.config."""
    request.write_text(json.dumps([asdict(one) for one in exports]), encoding="utf-8")
    command = [sys.executable, "-W", "ignore", "-m", "tests.tf.exports", str(request)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def main(request: str) -> None:
    """Do what the request says."""
    from ckptmap.tf.environment import import_quietly, tf1
    from ckptmap.tf.models import read_pipeline

    v1 = tf1()
    exporter = import_quietly("object_detection.exporter")
    exporter.profile_inference_graph = lambda _graph: None  # needs tensorflow.contrib
    for one in (Export(**fields) for fields in json.loads(Path(request).read_text(encoding="utf-8"))):
        pipeline = read_pipeline(one.pipeline)
        pipeline.eval_config.use_moving_averages = one.moving_averages
        with v1.Graph().as_default():
            exporter.export_inference_graph("image_tensor", pipeline, one.checkpoint, one.folder)


if __name__ == "__main__":
    main(sys.argv[1])
