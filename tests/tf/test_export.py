"""Loading and exporting a migrated model: the SavedModel detects as TF1 did, in plain TensorFlow."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ckptmap.basics.errors import CheckpointError, ConfigError, OutputError
from ckptmap.tf import outputs
from ckptmap.tf.export import export
from ckptmap.tf.load import load_detection_model
from ckptmap.tf.models import read_pipeline, side_inputs
from tests.tf.harness import convert
from tests.tf.rows import EDITS, EXACT, Row

PLAIN_TENSORFLOW = """
import sys
import numpy as np
import tensorflow as tf
detect = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
found = detect(**{name: tf.constant(value) for name, value in np.load(sys.argv[2]).items()})
np.savez(sys.argv[3], **{name: tensor.numpy() for name, tensor in found.items()})
assert not {"ckptmap", "object_detection", "tf_slim"} & {name.partition(".")[0] for name in sys.modules}
"""
SSD = Row("export_v2", "ssd_mobilenet_v2", EXACT, {"depth_multiplier": 0.35})
MATRIX = (
    Row("export_stock_v2", "ssd_mobilenet_v2"),
    Row("export_stock_faster_rcnn", "faster_rcnn_resnet50", EDITS),
    Row("export_retinanet", "ssd_resnet50_v1_fpn", EXACT),
    Row("export_inception_stride_8", "faster_rcnn_inception_resnet_v2", EXACT, {"stride": 8}),
)


@pytest.fixture(scope="module", params=[SSD], ids=str)
def ran(request, tf1):
    return tf1(request.param)


@pytest.fixture(scope="module")
def migrated(ran, tmp_path_factory):
    return convert(ran, tmp_path_factory.mktemp("migrated") / "new")


def test_the_saved_model_detects_as_tf1_did(ran, migrated, tmp_path):
    assert detections_differ(ran, migrated, tmp_path) == 0


@pytest.mark.matrix
@pytest.mark.parametrize("row", MATRIX, ids=str)
def test_saved_models_detect_as_tf1_did(row, tf1, tmp_path):
    assert detections_differ(tf1(row), convert(tf1(row), tmp_path / "new"), tmp_path) <= 2e-6


def detections_differ(ran, new, folder):
    """The largest difference of boxes and scores; classes and their number must be equal."""
    beside = outputs.random_values(side_inputs(read_pipeline(new / "pipeline.config")), ran.row.seed)
    outputs.save(folder / "inputs.npz", {"input_tensor": ran.image.astype(np.uint8), **beside})
    saved_model = export(new, folder / "saved_model")
    run = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        PLAIN_TENSORFLOW,
        saved_model,
        folder / "inputs.npz",
        folder / "out.npz",
    ]
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    found, wanted = outputs.load(folder / "out.npz"), ran.outputs
    assert found["num_detections"] == wanted["num_detections"] > 0
    assert found["detection_classes"].tolist() == (wanted["detection_classes"] + 1).tolist()
    return max(abs(found[name] - wanted[name]).max() for name in ("detection_boxes", "detection_scores"))


def test_an_occupied_output_is_refused_before_anything_is_built(tmp_path):
    (tmp_path / "saved_model").mkdir()
    (tmp_path / "saved_model" / "mine").touch()
    with pytest.raises(OutputError, match="exists already"):
        export(tmp_path / "new", tmp_path / "saved_model")


def test_a_directory_without_a_checkpoint_is_named(migrated, tmp_path):
    with pytest.raises(CheckpointError, match="there is no TF2 checkpoint in this directory"):
        load_detection_model(migrated / "pipeline.config", tmp_path)


def test_another_models_checkpoint_is_refused(migrated, tmp_path):
    other = (migrated / "pipeline.config").read_text().replace("num_classes: 3", "num_classes: 4")
    (tmp_path / "pipeline.config").write_text(other)
    with pytest.raises(CheckpointError, match="ClassPredictor"):
        load_detection_model(tmp_path / "pipeline.config", migrated)


def test_a_missing_config_is_named(migrated, tmp_path):
    with pytest.raises(ConfigError, match=r"missing\.config"):
        load_detection_model(tmp_path / "missing.config", migrated)
