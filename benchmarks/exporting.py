"""The Object Detection API's own exporter: ``python -m benchmarks.exporting FOLDER OUTPUT``."""

from __future__ import annotations

import sys
from pathlib import Path

from ckptmap.tf.environment import import_quietly, tf2
from ckptmap.tf.models import read_pipeline


def main(folder: str, output: str) -> None:
    """What ``exporter_main_v2`` does with what ``ckptmap convert`` wrote into ``folder``.

    The API is imported as ckptmap imports it: by itself it does not run on a TensorFlow of today.
    """
    tf2()
    exporter = import_quietly("object_detection.exporter_lib_v2")
    exporter.export_inference_graph("image_tensor", read_pipeline(Path(folder) / "pipeline.config"), folder, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
