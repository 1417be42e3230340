"""Slim's own extractors train in TF2 as in TF1: a step's losses, gradients and statistics; the API's own programs."""

from __future__ import annotations

import numpy as np
import pytest

import ckptmap
from ckptmap.tf.environment import tf2
from ckptmap.tf.exact import register
from ckptmap.tf.load import latest_checkpoint
from ckptmap.tf.models import build_model, read_pipeline
from ckptmap.tf.tf2_model import restore
from tests.tf.harness import convert
from tests.tf.rows import ALL_SAMPLED, EXACT, Row
from tests.tf.test_export import detections_differ
from tests.tf.test_training import BOX_HEAD, cosine, launch, migrated_for_training
from tests.tf.tf1_step import losses_of, run_tf1_step

SSD, RCNN = "ssd_inception_v2", "faster_rcnn_inception_v2"
OVERRIDE = {"override": "true"}
STEPS = (
    Row("step_ssd", SSD, EXACT, OVERRIDE),
    Row("step_frozen_ssd", SSD, EXACT, {**OVERRIDE, "freeze_batchnorm": "true"}),
    Row("step_rcnn", RCNN, EXACT),
    Row("step_rcnn_with_batch_norm", RCNN, EXACT, {"batch_norm_trainable": "true"}),
)
PROGRAMS = (Row("programs_ssd", SSD, EXACT, OVERRIDE), Row("programs_rcnn", RCNN, EXACT))
NOISE = 2e-5
"""Of a tensor's largest value."""
LOSS_NOISE = 2e-6
"""Of a loss; the largest measured is 1.2e-6, of a Faster R-CNN whose batch norms train."""


@pytest.mark.matrix
@pytest.mark.parametrize("row", STEPS, ids=str)
def test_a_step_is_tf1s(row, tf1, tmp_path):
    ran, pipeline = tf1(row), tmp_path / "pipeline.config"
    pipeline.write_text(row.tf1_config().replace("second_stage_batch_size: 8", ALL_SAMPLED))
    wanted = run_tf1_step(pipeline, ran.checkpoint, tmp_path / "step")
    start = converted(ran.checkpoint, pipeline, tmp_path / "start")
    found = step(start, row, ran.image, tmp_path / "tf2")
    assert found == pytest.approx(wanted, rel=LOSS_NOISE)
    expected = converted(tmp_path / "step", pipeline, tmp_path / "expected")
    assert differences(expected, tmp_path / "tf2", start) == {}


def converted(checkpoint, pipeline, folder):
    """The folder of a TF1 checkpoint, converted as its config says."""
    document = ckptmap.convert(checkpoint, pipeline=pipeline, output=folder)
    assert document["output"] is not None, document["findings"]
    return folder


def step(start, row, image, folder):
    """Take the step in TF2; the losses. Gradients and statistics are saved as the TF1 process saves them."""
    tensorflow = tf2()
    register()
    from object_detection.builders import model_builder

    model = model_builder.build(read_pipeline(start / "pipeline.config").model, is_training=True)

    @tensorflow.function(autograph=False)
    def losses_and_gradients():
        with tensorflow.GradientTape() as tape:
            losses, terms = losses_of(tensorflow, model, image)
            total = tensorflow.add_n([*losses.values(), *terms])
        told = {**losses, "regularization": tensorflow.add_n(terms) if terms else tensorflow.constant(0.0)}
        return told, tape.gradient(total, model.trainable_variables)

    losses_and_gradients()  # builds the variables
    restore(model, latest_checkpoint(start))
    losses, gradients = losses_and_gradients()
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        variable.assign(gradient)
    tensorflow.train.Checkpoint(model=model).save(str(folder / "ckpt"))
    return {name: float(value) for name, value in losses.items()}


def differences(expected, found, start):
    """Variables whose gradient or statistic is another than TF1's, with the largest difference."""
    read = [tf2().train.load_checkpoint(latest_checkpoint(folder)) for folder in (expected, found, start)]
    keys = [key for key in read[0].get_variable_to_shape_map() if key.startswith("model/")]
    moved, wrong = 0, {}
    for key in keys:
        one, other, before = (reader.get_tensor(key) for reader in read)
        moved += not np.array_equal(one, before)
        distance = np.abs(one - other).max() / max(np.abs(one).max(), 1e-12)
        if distance > NOISE:
            wrong[key] = float(distance)
    assert moved > len(keys) / 2
    return wrong


@pytest.mark.matrix
@pytest.mark.parametrize("row", PROGRAMS, ids=str)
def test_the_apis_own_programs_train_two_steps_and_export(row, tf1, tmp_path):
    new = migrated_for_training(tf1(row), tmp_path)
    config, run, exported = new / "pipeline.config", tmp_path / "run", tmp_path / "exported"
    flags = {"pipeline_config_path": config, "model_dir": run, "num_train_steps": 2, "checkpoint_every_n": 2}
    launch(tmp_path, "model_main_tf2", **flags)
    old, trained = weights(new), weights(run)
    assert old.keys() == trained.keys()
    assert {key for key in old if np.array_equal(old[key], trained[key])} <= {BOX_HEAD}
    assert min(cosine(old[key], trained[key]) for key in old) > 0.9
    flags = {"pipeline_config_path": config, "trained_checkpoint_dir": run, "output_directory": exported}
    launch(tmp_path, "exporter_main_v2", **flags)
    assert (exported / "saved_model" / "saved_model.pb").exists()


@pytest.mark.matrix
@pytest.mark.parametrize("row", PROGRAMS, ids=str)
def test_the_saved_model_detects_as_tf1_did_in_plain_tensorflow(row, tf1, tmp_path):
    assert detections_differ(tf1(row), convert(tf1(row), tmp_path / "new"), tmp_path) <= 2e-6


@pytest.mark.matrix
@pytest.mark.parametrize("row", PROGRAMS, ids=str)
def test_every_fine_tune_checkpoint_type_finds_all_that_it_asks_for(row, tf1, tmp_path):
    whole = convert(tf1(row), tmp_path / "whole")
    backbone = convert(tf1(row), tmp_path / "backbone", root="feature_extractor")
    register()
    model = build_model(whole / "pipeline.config")
    for kind, folder in (("classification", backbone), ("detection", whole), ("full", whole)):
        objects = tf2().train.Checkpoint(**model.restore_from_objects(kind))
        status = objects.restore(latest_checkpoint(folder)).expect_partial()
        status.assert_existing_objects_matched()


def weights(folder):
    """The kernels in a folder's latest checkpoint, slim's and those of the heads, without an optimizer's slots."""
    reader = tf2().train.load_checkpoint(latest_checkpoint(folder))
    endings = ("weights/.ATTRIBUTES/VARIABLE_VALUE", "kernel/.ATTRIBUTES/VARIABLE_VALUE")
    return {key: reader.get_tensor(key) for key in reader.get_variable_to_shape_map() if key.endswith(endings)}
