"""A migrated checkpoint in the hands of the Object Detection API: fine-tuned from, and exported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ckptmap.tf.environment import tf2
from ckptmap.tf.exact import register
from ckptmap.tf.models import VARIABLE_VALUE, build_model, read_pipeline
from tests.tf.harness import convert
from tests.tf.rows import EDITS, EXACT, Row
from tests.tf.ssd_rows import ONE_EACH

ROW = Row("7_classes", "ssd_mobilenet_v2", fields={"num_classes": 7, "size": 160})
SHARED = next(row for row in ONE_EACH if row.name == "ssd_mobilenet_v1_fpn")
TWO_STAGES = [
    pytest.param(Row("fine_tune_faster_rcnn", "faster_rcnn_resnet50", EDITS), 275, marks=pytest.mark.matrix),
    pytest.param(
        Row("fine_tune_inception", "faster_rcnn_inception_resnet_v2", EXACT, {"stride": 8}),
        906,
        marks=pytest.mark.matrix,
    ),
]


@pytest.fixture(scope="module", params=[ROW], ids=str)
def ran(request, tf1):
    return tf1(request.param)


@pytest.fixture(scope="module")
def migrated(ran, tmp_path_factory):
    return convert(ran, tmp_path_factory.mktemp("migrated") / "new")


def new_model(folder: Path, num_classes: int):
    """A model that another training would start with: its own initial values."""
    config = folder / "training.config"
    row = replace(ROW, fields={**ROW.fields, "num_classes": num_classes})
    config.write_text(row.tf2_config(), encoding="utf-8")
    return build_model(config, is_training=True)


def new_faster_rcnn(row: Row, folder: Path):
    """The same for two stages: without groundtruth they cannot run, so the API builds their variables on loading."""
    register()
    from object_detection.builders import model_builder

    (folder / "training.config").write_text(row.tf2_config(), encoding="utf-8")
    return model_builder.build(read_pipeline(folder / "training.config").model, is_training=True)


def training_data(num_classes: int, size: int = 160):
    """A dataset of one image with one object, as the API's input pipeline gives it."""
    tensorflow = tf2()
    features = {
        "image": np.zeros((size, size, 3), np.float32),
        "true_image_shape": np.array([size, size, 3], np.int32),
    }
    labels = {
        "groundtruth_boxes": np.array([[0.1, 0.1, 0.6, 0.6]], np.float32),
        "groundtruth_classes": np.eye(num_classes, dtype=np.float32)[:1],
        "groundtruth_weights": np.ones(1, np.float32),
        "num_groundtruth_boxes": np.array(1, np.int32),
    }
    return tensorflow.data.Dataset.from_tensors((features, labels)).batch(1)


def load_fine_tune_checkpoint(model, prefix: Path, kind: str, num_classes: int, size: int = 160) -> None:
    tf2()
    from object_detection import model_lib_v2
    from object_detection.protos import train_pb2

    model_lib_v2.load_fine_tune_checkpoint(
        model,
        str(prefix),
        kind,
        train_pb2.CheckpointVersion.V2,
        run_model_on_dummy_input=True,
        input_dataset=training_data(num_classes, size),
        unpad_groundtruth_tensors=True,
    )


def stored(prefix: Path, root: str) -> dict[str, np.ndarray]:
    reader = tf2().train.load_checkpoint(str(prefix))
    return {key: reader.get_tensor(key) for key in reader.get_variable_to_shape_map() if key.startswith(f"{root}/")}


def saved(folder: Path, root: str, trackable) -> dict[str, np.ndarray]:
    """The values of a live object, as TensorFlow would save them under ``root``."""
    return stored(Path(tf2().train.Checkpoint(**{root: trackable}).write(str(folder / "saved"))), root)


def assert_equal(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> None:
    assert sorted(left) == sorted(right)
    assert [key for key in left if not np.array_equal(left[key], right[key])] == []


def test_full_restores_every_variable(migrated, tmp_path):
    model = new_model(tmp_path, num_classes=7)
    load_fine_tune_checkpoint(model, migrated / "ckpt-0", "full", num_classes=7)
    loaded = saved(tmp_path, "model", model)
    assert len(loaded) == 324
    assert_equal(loaded, stored(migrated / "ckpt-0", "model"))


def test_detection_with_another_class_count_restores_the_feature_extractor_and_leaves_the_heads(migrated, tmp_path):
    model = new_model(tmp_path, num_classes=3)
    before = saved(tmp_path, "model", model)
    load_fine_tune_checkpoint(model, migrated / "ckpt-0", "detection", num_classes=3)
    after, converted = saved(tmp_path, "model", model), stored(migrated / "ckpt-0", "model")
    extractor = [key for key in after if key.startswith("model/_feature_extractor/")]
    assert (len(after), len(extractor)) == (324, 300)
    assert_equal({key: after[key] for key in extractor}, {key: converted[key] for key in extractor})
    heads = after.keys() - set(extractor)
    assert_equal({key: after[key] for key in heads}, {key: before[key] for key in heads})


def test_classification_restores_the_backbone_from_a_checkpoint_rooted_there(ran, tmp_path):
    new = convert(ran, tmp_path / "new", root="feature_extractor")
    model = new_model(tmp_path, num_classes=3)
    load_fine_tune_checkpoint(model, new / "ckpt-0", "classification", num_classes=3)
    backbone = model._feature_extractor.classification_backbone
    loaded = saved(tmp_path, "feature_extractor", backbone)
    assert len(loaded) == 260
    assert_equal(loaded, stored(new / "ckpt-0", "feature_extractor"))


@pytest.mark.parametrize("row", [SHARED], ids=str)
def test_a_part_restores_by_the_paths_that_few_shot_training_takes(row, tf1, tmp_path):
    """Feature extractor, towers and box head alone, as the few-shot notebooks of the Object Detection API do."""
    register()
    new = convert(tf1(row), tmp_path / "new")
    model = build_model(new / "pipeline.config", is_training=True)
    predictor, checkpoint = model._box_predictor, tf2().train.Checkpoint
    heads = checkpoint(
        _base_tower_layers_for_heads=predictor._base_tower_layers_for_heads,
        _box_prediction_head=predictor._box_prediction_head,
    )
    part = checkpoint(_feature_extractor=model._feature_extractor, _box_predictor=heads)
    checkpoint(model=part).restore(str(new / "ckpt-0")).expect_partial()
    loaded, converted = saved(tmp_path, "model", model), stored(new / "ckpt-0", "model")
    head = "model/_box_predictor/_prediction_heads/class_predictions_with_background/_class_predictor_layers/0"
    assert loaded.keys() == converted.keys()
    assert {key for key in loaded if not np.array_equal(loaded[key], converted[key])} == {
        f"{head}/kernel/{VARIABLE_VALUE}",
        f"{head}/bias/{VARIABLE_VALUE}",
    }


@pytest.mark.parametrize(("row", "variables"), TWO_STAGES, ids=str)
def test_full_restores_every_variable_of_a_faster_rcnn(row, variables, tf1, tmp_path):
    new = convert(tf1(row), tmp_path / "new")
    model = new_faster_rcnn(row, tmp_path)
    load_fine_tune_checkpoint(model, new / "ckpt-0", "full", row.num_classes)
    loaded = saved(tmp_path, "model", model)
    assert len(loaded) == variables
    assert_equal(loaded, stored(new / "ckpt-0", "model"))


@pytest.mark.parametrize(("row", "variables"), TWO_STAGES, ids=str)
def test_detection_restores_both_extractors_of_a_faster_rcnn(row, variables, tf1, tmp_path):
    new = convert(tf1(row), tmp_path / "new")
    other = replace(row, fields={**row.fields, "num_classes": 5})
    model = new_faster_rcnn(other, tmp_path)
    load_fine_tune_checkpoint(model, new / "ckpt-0", "detection", other.num_classes)
    loaded, converted = saved(tmp_path, "model", model), stored(new / "ckpt-0", "model")
    extractors = [key for key in loaded if key.startswith("model/_feature_extractor_for_")]
    assert (len(loaded), len(extractors)) == (variables, variables - 10)
    assert_equal({key: loaded[key] for key in extractors}, {key: converted[key] for key in extractors})
    kernels = [key for key in loaded.keys() - set(extractors) if "/kernel/" in key]
    assert len(kernels) == 5
    assert [key for key in kernels if np.array_equal(loaded[key], converted[key])] == []


@pytest.mark.matrix
def test_exported_saved_model_detects_what_the_tf1_graph_detected(ran, migrated, tmp_path, monkeypatch):
    """Traced without AutoGraph, which takes most of the time. `ckptmap export` has a quick test of its own."""
    tensorflow = tf2()
    from object_detection import exporter_lib_v2

    module = exporter_lib_v2.DetectionInferenceModule
    without = tensorflow.autograph.experimental.do_not_convert(module._run_inference_on_images)
    monkeypatch.setattr(module, "_run_inference_on_images", without)
    pipeline = read_pipeline(migrated / "pipeline.config")
    exporter_lib_v2.export_inference_graph("image_tensor", pipeline, str(migrated), str(tmp_path))
    exported = tensorflow.saved_model.load(str(tmp_path / "saved_model"))
    found = exported.signatures["serving_default"](tensorflow.constant(ran.image.astype(np.uint8)))
    expected = ran.outputs
    assert found["num_detections"].numpy().tolist() == expected["num_detections"].tolist()
    assert np.array_equal(found["detection_classes"].numpy(), expected["detection_classes"] + 1)
    assert np.array_equal(found["detection_scores"].numpy(), expected["detection_scores"])
    assert np.array_equal(found["detection_boxes"].numpy(), expected["detection_boxes"])
