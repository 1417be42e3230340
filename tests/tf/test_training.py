"""Migrated models train: gradients for every trainable variable, and the API's own programs through the launcher."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.tf.environment import tf2
from ckptmap.tf.exact import register
from ckptmap.tf.load import latest_checkpoint
from ckptmap.tf.models import read_pipeline
from tests.tf.rows import EDITS, EXACT, WEIGHTS, Row

DOCUMENT = Path(__file__).parents[2] / "docs" / "training.md"
BOXES = [[0.1, 0.1, 0.5, 0.6], [0.3, 0.4, 0.9, 0.9]]
LABELS = [1, 3]
MODELS = (
    Row("train_v2", "ssd_mobilenet_v2", EXACT, {"depth_multiplier": 0.35}),
    Row("train_retinanet", "ssd_resnet50_v1_fpn", EXACT),
    Row("train_stride_8", "faster_rcnn_resnet50", EXACT, {"stride": 8}),
)
PROGRAMS = (
    *MODELS,
    Row("train_stock_v2", "ssd_mobilenet_v2"),
    Row("train_stock_retinanet", "ssd_resnet50_v1_fpn", WEIGHTS, prefer="stock"),
    Row("train_stock_faster_rcnn", "faster_rcnn_resnet50", EDITS),
    Row("train_inception_stride_8", "faster_rcnn_inception_resnet_v2", EXACT, {"stride": 8}),
)
BOX_HEAD = "model/_mask_rcnn_box_predictor/_box_prediction_head/_box_encoder_layers/1/kernel/.ATTRIBUTES/VARIABLE_VALUE"
SINGLE_STEPS = """
import functools, sys
from ckptmap.tf import environment, launch
environment.tf2()
from object_detection import model_lib_v2
model_lib_v2.train_loop = functools.partial(model_lib_v2.train_loop, num_steps_per_iteration=1)  # not 100
launch.launch(sys.argv[1], sys.argv[2:])
"""
INPUTS = """
train_input_reader {{
  label_map_path: '{labels}'
  tf_record_input_reader {{ input_path: '{record}' }}
}}
eval_input_reader {{
  label_map_path: '{labels}'
  shuffle: false
  tf_record_input_reader {{ input_path: '{record}' }}
}}
eval_config {{ min_score_threshold: 0.0 use_moving_averages: {averages} }}"""
"""Every detection is drawn."""
AVERAGES = Row("train_v2_averages", "ssd_mobilenet_v2", EXACT, {"depth_multiplier": 0.35, "use_moving_average": "true"})


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
@pytest.mark.parametrize("row", PROGRAMS, ids=str)
def test_the_apis_own_program_trains_a_migrated_checkpoint(row, tf1, tmp_path):
    new, trained = migrated_and_trained(tf1(row), tmp_path)
    before, after = kernels(new), kernels(trained)
    assert before.keys() == after.keys()
    still = {key for key in before if np.array_equal(before[key], after[key])}
    assert still <= {BOX_HEAD}  # which learns only from proposals that meet a box
    assert min(cosine(before[key], after[key]) for key in before) > 0.99


@pytest.mark.matrix
@pytest.mark.parametrize("row", [MODELS[0]], ids=str)
def test_the_apis_own_program_exports_what_was_trained(row, tf1, tmp_path):
    new, trained = migrated_and_trained(tf1(row), tmp_path)
    launch(
        tmp_path,
        "exporter_main_v2",
        pipeline_config_path=new / "pipeline.config",
        trained_checkpoint_dir=trained,
        output_directory=tmp_path / "exported",
    )
    assert (tmp_path / "exported" / "saved_model" / "saved_model.pb").exists()


@pytest.mark.matrix
@pytest.mark.parametrize("row", [MODELS[0], AVERAGES], ids=str)
def test_the_apis_own_program_evaluates_what_was_trained(row, tf1, tmp_path):
    """It draws: the detections on the left, the groundtruth on the right, each with its labels."""
    new, trained = migrated_and_trained(tf1(row), tmp_path)
    launch(
        tmp_path,
        "model_main_tf2",
        pipeline_config_path=new / "pipeline.config",
        model_dir=tmp_path / "run",
        checkpoint_dir=trained,
        num_train_steps=1,
    )
    summaries = read_summaries(tmp_path / "run" / "eval")
    assert np.isfinite(summaries["Loss/total_loss"])
    assert -1.0 <= summaries["DetectionBoxes_Precision/mAP"] <= 1.0
    image = pixels(0, row.size)
    detections, groundtruth = (
        (side != image).any(axis=-1) for side in np.split(summaries["eval_side_by_side_0_0"], 2, axis=1)
    )
    assert detections.any()
    top, left, bottom, right = (round(edge * row.size) for edge in BOXES[0])
    assert groundtruth[top, left:right].all()
    assert groundtruth[top : bottom - 4, left].all()
    assert not groundtruth[top + 5 : top + 20, left + 5 : left + 30].any()


@pytest.mark.matrix
@pytest.mark.parametrize("row", [MODELS[0], AVERAGES], ids=str)
def test_the_documented_loop_trains_what_is_not_frozen(row, tf1, tmp_path):
    new = migrated_for_training(tf1(row), tmp_path)
    stages = '(["^FeatureExtractor/"], [])'
    blocks = [block.partition("```")[0] for block in DOCUMENT.read_text().split("```python\n")[1:]]
    (code,) = [block for block in blocks if stages in block]
    run(tmp_path, "-c", code.replace(stages, '(["^FeatureExtractor/"],)'))
    old, trained = kernels(new), kernels(tmp_path / "stages")
    moved = {key for key in old if not np.array_equal(old[key], trained[key])}
    assert moved == {key for key in old if not key.startswith("model/_feature_extractor/")}
    run(tmp_path, "-c", code)
    trained = kernels(tmp_path / "stages")
    assert [key for key in old if np.array_equal(old[key], trained[key])] == []
    averages = kernels(tmp_path / "stages", "kernel/.OPTIMIZER_SLOT/optimizer/average/.ATTRIBUTES/VARIABLE_VALUE")
    assert len(averages) == (len(old) if row is AVERAGES else 0)
    assert all(average.any() for average in averages.values())
    assert not (tmp_path / "train").exists()


def migrated_and_trained(ran, folder):
    """The folders of a row's converted checkpoint, and of what one step of the API's trainer made of it."""
    new = migrated_for_training(ran, folder)
    launch(
        folder,
        "model_main_tf2",
        pipeline_config_path=new / "pipeline.config",
        model_dir=folder / "run",
        num_train_steps=1,
        checkpoint_every_n=1,
    )
    return new, folder / "run"


def migrated_for_training(ran, folder):
    """A row's checkpoint, converted with a config that names the examples to train on."""
    write_record(folder / "two.record", ran.row.size)
    (folder / "labels.pbtxt").write_text("".join(f"item {{ id: {i} name: 'c{i}' }}\n" for i in (1, 2, 3)))
    averages = ran.row.values["use_moving_average"]
    inputs = INPUTS.format(labels=folder / "labels.pbtxt", record=folder / "two.record", averages=averages)
    (folder / "old.config").write_text(ran.pipeline.read_text() + inputs)
    report = ckptmap.convert(
        ran.checkpoint, pipeline=folder / "old.config", prefer=ran.row.prefer, output=folder / "new"
    )
    assert report["verdict"]["kind"] == ran.row.verdict.value
    return folder / "new"


def launch(folder, program, **flags):
    run(folder, "-c", SINGLE_STEPS, program, *(f"--{name}={value}" for name, value in flags.items()))


def run(folder, *arguments):
    command = [sys.executable, "-W", "ignore", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
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
            features = {
                "image/encoded": feature("bytes", [tensorflow.io.encode_png(pixels(number, size)).numpy()]),
                "image/format": feature("bytes", [b"png"]),
                "image/source_id": feature("bytes", [b"%d" % number]),
                "image/height": feature("int64", [size]),
                "image/width": feature("int64", [size]),
                "image/object/class/label": feature("int64", LABELS),
                **{f"image/object/bbox/{name}": feature("float", values) for name, values in corners.items()},
            }
            example = tensorflow.train.Example(features=tensorflow.train.Features(feature=features))
            writer.write(example.SerializeToString())


def pixels(number: int, size: int) -> np.ndarray:
    """The image of this number: noise, nowhere black."""
    return np.random.default_rng(number).integers(1, 255, (size, size, 3), np.uint8)


def read_summaries(folder: Path) -> dict[str, float | np.ndarray]:
    """The last value of each tag: a number, or an image as pixels."""
    tensorflow, found = tf2(), {}
    for file in sorted(folder.rglob("events*")):
        for event in tensorflow.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                content = tensorflow.make_ndarray(value.tensor)
                is_image = value.metadata.plugin_data.plugin_name == "images"
                found[value.tag] = tensorflow.io.decode_png(content[2]).numpy() if is_image else content
    return found


def kernels(folder: Path, ending: str = "kernel/.ATTRIBUTES/VARIABLE_VALUE") -> dict[str, np.ndarray]:
    """What has this ending in a folder's latest checkpoint: the kernels, without an optimizer's slots."""
    reader = tf2().train.load_checkpoint(latest_checkpoint(folder))
    return {key: reader.get_tensor(key) for key in reader.get_variable_to_shape_map() if key.endswith(ending)}


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    """1 for arrays of one direction; two that were drawn at random are near 0."""
    return float((left * right).sum() / np.sqrt((left**2).sum() * (right**2).sum()))
