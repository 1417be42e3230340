"""Slim-exact models train: gradients for every trainable variable, and the API's own programs through the launcher."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ckptmap.tf.environment import tf2
from ckptmap.tf.exact import register
from ckptmap.tf.models import read_pipeline
from tests.tf.harness import convert
from tests.tf.rows import EXACT, Row

if TYPE_CHECKING:
    from pathlib import Path

BOXES = [[0.1, 0.1, 0.5, 0.6], [0.3, 0.4, 0.9, 0.9]]
LABELS = [1, 3]
MODELS = (
    Row("train_v2", "ssd_mobilenet_v2", EXACT, {"depth_multiplier": 0.35}),
    Row("train_retinanet", "ssd_resnet50_v1_fpn", EXACT),
    Row("train_stride_8", "faster_rcnn_resnet50", EXACT, {"stride": 8}),
)
INPUTS = """
train_input_reader {{
  label_map_path: '{labels}'
  tf_record_input_reader {{ input_path: '{record}' }}
}}"""


@pytest.mark.parametrize("row", MODELS, ids=str)
def test_a_step_has_finite_losses_and_a_gradient_for_every_trainable_variable(row, tmp_path):
    tensorflow = tf2()
    model = model_to_train(row.tf2_config(), tmp_path / "pipeline.config")
    boxes, classes = tensorflow.constant(BOXES), tensorflow.one_hot([label - 1 for label in LABELS], 3)
    model.provide_groundtruth(groundtruth_boxes_list=[boxes], groundtruth_classes_list=[classes])
    image = tensorflow.random.stateless_uniform([1, row.size, row.size, 3], [0, 1], 0, 255)
    with tensorflow.GradientTape() as tape:
        preprocessed, shapes = model.preprocess(image)
        losses = model.loss(model.predict(preprocessed, shapes), shapes)
        total = tensorflow.add_n([*losses.values(), *model.regularization_losses()])
    gradients = tape.gradient(total, model.trainable_variables)
    assert len(losses) == (4 if "rcnn" in row.type else 2)
    assert np.isfinite(total)
    without = [
        variable.name for variable, found in zip(model.trainable_variables, gradients, strict=True) if found is None
    ]
    assert without == []
    assert all(np.isfinite(found).all() for found in gradients)


def model_to_train(text, path):
    """The model as the train loop builds it: Faster R-CNN cannot even predict before it has groundtruth."""
    register()
    from object_detection.builders import model_builder

    path.write_text(text)
    return model_builder.build(read_pipeline(path).model, is_training=True)


@pytest.mark.matrix
@pytest.mark.parametrize("row", MODELS, ids=str)
def test_the_apis_own_programs_train_and_export_a_migrated_checkpoint(row, tf1, tmp_path):
    new = convert(tf1(row), tmp_path / "new")
    write_record(tmp_path / "two.record", row.size)
    (tmp_path / "labels.pbtxt").write_text("".join(f"item {{ id: {i} name: 'c{i}' }}\n" for i in (1, 2, 3)))
    inputs = INPUTS.format(labels=tmp_path / "labels.pbtxt", record=tmp_path / "two.record")
    config = tmp_path / "train.config"
    config.write_text((new / "pipeline.config").read_text() + inputs)
    launch(
        "model_main_tf2",
        pipeline_config_path=config,
        model_dir=tmp_path / "run",
        num_train_steps=1,
        checkpoint_every_n=1,
    )
    launch(
        "exporter_main_v2",
        pipeline_config_path=config,
        trained_checkpoint_dir=tmp_path / "run",
        output_directory=tmp_path / "exported",
    )
    assert (tmp_path / "exported" / "saved_model" / "saved_model.pb").exists()
    assert trained_variables(tmp_path / "run", new) == []


def launch(program, **flags):
    command = [sys.executable, "-W", "ignore", "-m", "ckptmap.tf.launch", program]
    done = subprocess.run(
        [*command, *(f"--{name}={value}" for name, value in flags.items())], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def write_record(path: Path, size: int) -> None:
    """Two images with two boxes each, as the API's TFExampleDecoder reads them."""
    tensorflow = tf2()

    def feature(kind, values):
        return tensorflow.train.Feature(
            **{f"{kind}_list": getattr(tensorflow.train, f"{kind.title()}List")(value=values)}
        )

    corners = dict(zip(("ymin", "xmin", "ymax", "xmax"), zip(*BOXES, strict=True), strict=True))
    with tensorflow.io.TFRecordWriter(str(path)) as writer:
        for number in range(2):
            image = np.random.default_rng(number).integers(0, 255, (size, size, 3), np.uint8)
            features = {
                "image/encoded": feature("bytes", [tensorflow.io.encode_png(image).numpy()]),
                "image/format": feature("bytes", [b"png"]),
                "image/source_id": feature("bytes", [b"%d" % number]),
                "image/height": feature("int64", [size]),
                "image/width": feature("int64", [size]),
                "image/object/class/label": feature("int64", LABELS),
                **{f"image/object/bbox/{name}": feature("float", values) for name, values in corners.items()},
            }
            example = tensorflow.train.Example(features=tensorflow.train.Features(feature=features))
            writer.write(example.SerializeToString())


def trained_variables(run: Path, before: Path) -> list[str]:
    """Kernels that a step of training left as they were."""
    from ckptmap.tf.load import latest_checkpoint

    readers = [tf2().train.load_checkpoint(latest_checkpoint(folder)) for folder in (before, run)]
    old, new = readers
    kernels = [key for key in old.get_variable_to_shape_map() if key.endswith("kernel/.ATTRIBUTES/VARIABLE_VALUE")]
    assert kernels
    return [key for key in kernels if np.array_equal(old.get_tensor(key), new.get_tensor(key))]
