"""Migrated configs are read by the API's own ``config_util`` and built by its ``model_builder``."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckptmap.families.detection.pipeline.config import parse_config, read_config
from ckptmap.families.detection.pipeline.migrate import Migration, migrate
from ckptmap.families.detection.pipeline.models import EXACT_SUFFIX, EXTRACTORS
from ckptmap.families.detection.pipeline.training import Checkpoint
from ckptmap.tf import environment
from ckptmap.tf.exact import EXACT_TYPES, SLIM_ONLY_TYPES, exact_type, register

CONFIGS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus" / "configs"
PATHS = sorted(path for folder in ("samples_tf1", "user") for path in (CONFIGS / folder).glob("*.config"))
NO_CORPUS = "the corpus of public configs (../shared/corpus/configs) is not on this machine"


def migrated() -> list[tuple[str, str]]:
    """Each distinct (TF2 type, file name) that the corpus migrates to, exact and stock."""
    found = []
    for path in PATHS:
        for prefer in ("exact", "stock"):
            made = migrate(read_config(path), checkpoint=Checkpoint("new/ckpt-0"), prefer=prefer)
            if isinstance(made, Migration):
                found.append((made.verdict.extractor_type, prefer, path.name))
    return sorted(set(found))


MIGRATED = migrated()
ONE_OF_EACH_TYPE = list({one[0]: one for one in reversed(MIGRATED)}.values())


@pytest.fixture(scope="module")
def api():
    environment.tf2()
    register()
    return environment.import_quietly("object_detection.utils.config_util")


def build(api, prefer: str, name: str, directory: Path) -> dict:
    path = next(path for path in PATHS if path.name == name)
    made = migrate(read_config(path), checkpoint=Checkpoint("new/ckpt-0"), prefer=prefer)
    new = directory / "pipeline.config"
    new.write_text(made.text, encoding="utf-8", newline="")
    configs = api.get_configs_from_pipeline_file(str(new))
    assert configs["train_config"].fine_tune_checkpoint == "new/ckpt-0"
    assert configs["train_config"].fine_tune_checkpoint_type == "full"
    assert configs["train_config"].fine_tune_checkpoint_version == 2
    assert not configs["train_config"].load_all_detection_checkpoint_vars
    builder = environment.import_quietly("object_detection.builders.model_builder")
    model = builder.build(configs["model"], is_training=True)
    assert type(model).__name__.endswith("MetaArch")
    return configs


@pytest.mark.skipif(not PATHS, reason=NO_CORPUS)
def test_every_type_of_the_corpus_is_built() -> None:
    assert sorted(one[0] for one in ONE_OF_EACH_TYPE) == [
        "embedded_ssd_mobilenet_v1_exact_keras",
        "faster_rcnn_inception_resnet_v2_exact_keras",
        "faster_rcnn_inception_resnet_v2_keras",
        "faster_rcnn_inception_v2_exact_keras",
        "faster_rcnn_nas_exact_keras",
        "faster_rcnn_resnet101_exact_keras",
        "faster_rcnn_resnet101_keras",
        "faster_rcnn_resnet152_keras",
        "faster_rcnn_resnet50_exact_keras",
        "faster_rcnn_resnet50_keras",
        "ssd_inception_v2_exact_keras",
        "ssd_inception_v3_exact_keras",
        "ssd_mobiledet_cpu_exact_keras",
        "ssd_mobiledet_dsp_exact_keras",
        "ssd_mobiledet_edgetpu_exact_keras",
        "ssd_mobiledet_gpu_exact_keras",
        "ssd_mobilenet_edgetpu_exact_keras",
        "ssd_mobilenet_v1_exact_keras",
        "ssd_mobilenet_v1_fpn_exact_keras",
        "ssd_mobilenet_v1_fpn_keras",
        "ssd_mobilenet_v1_keras",
        "ssd_mobilenet_v1_ppn_exact_keras",
        "ssd_mobilenet_v2_fpn_exact_keras",
        "ssd_mobilenet_v2_keras",
        "ssd_mobilenet_v2_mnasfpn_exact_keras",
        "ssd_mobilenet_v3_large_exact_keras",
        "ssd_mobilenet_v3_small_exact_keras",
        "ssd_resnet101_v1_fpn_exact_keras",
        "ssd_resnet50_v1_fpn_exact_keras",
        "ssd_resnet50_v1_fpn_keras",
    ]


@pytest.mark.parametrize(("extractor_type", "prefer", "name"), ONE_OF_EACH_TYPE)
def test_a_migrated_config_is_read_and_built(api, extractor_type: str, prefer: str, name: str, tmp_path) -> None:
    configs = build(api, prefer, name, tmp_path)
    architecture = configs["model"].WhichOneof("model")
    assert getattr(configs["model"], architecture).feature_extractor.type == extractor_type


@pytest.mark.matrix
@pytest.mark.parametrize(("extractor_type", "prefer", "name"), MIGRATED)
def test_every_migrated_config_is_read_and_built(api, extractor_type: str, prefer: str, name: str, tmp_path) -> None:
    build(api, prefer, name, tmp_path)


def test_the_extractors_are_those_of_the_api(api) -> None:
    builder = environment.import_quietly("object_detection.builders.model_builder")
    keras = {*builder.SSD_KERAS_FEATURE_EXTRACTOR_CLASS_MAP, *builder.FASTER_RCNN_KERAS_FEATURE_EXTRACTOR_CLASS_MAP}
    assert {one.keras for one in EXTRACTORS.values() if one.keras} <= keras
    ours = (*EXACT_TYPES, *SLIM_ONLY_TYPES)
    assert {one.exact for one in EXTRACTORS.values()} == {exact_type(name) for name in ours}
    efficientdet = {f"ssd_efficientnet-b{version}_bifpn{EXACT_SUFFIX}" for version in range(1, 8)}
    exact = {one.exact for one in EXTRACTORS.values()} - {""}
    assert {name for name in keras if name.endswith(EXACT_SUFFIX)} == exact | efficientdet


def test_the_tf1_types_are_those_of_the_api(api) -> None:
    builder = environment.import_quietly("object_detection.builders.model_builder")
    source = Path(builder.__file__).read_text(encoding="utf-8").split("if tf_version.is_tf1():\n  SSD_FEATURE", 1)[1]
    listed = source.split("CENTER_NET_EXTRACTOR_FUNCTION_MAP", 1)[0]
    types = {line.split("'")[1] for line in listed.splitlines() if line.strip().startswith("'")}
    assert types == set(EXTRACTORS)
    assert len(types) == 31


RMS_PROP = """
model { ssd { feature_extractor { type: 'ssd_mobilenet_v1' } box_predictor { convolutional_box_predictor { } } } }
train_config {
  optimizer {
    rms_prop_optimizer {
      learning_rate { constant_learning_rate { learning_rate: 0.01 } }
      momentum_optimizer_value: 0.9
      epsilon: 1.0
    }
    use_moving_average: false
  }
}
"""


def steps_of(tf, optimizer, count: int) -> list[float]:
    """How far a variable moves in each step under a gradient of 1."""
    variable, moved = tf.Variable([0.0]), []
    for _ in range(count):
        before = float(variable[0])
        optimizer.apply_gradients([(tf.constant([1.0]), variable)])
        moved.append(round(before - float(variable[0]), 5))
    return moved


@pytest.mark.parametrize(
    ("migrates", "expected"),
    [
        (False, [0.00953, 0.01341, 0.01523, 0.01604]),
        # rms = 0.1, 0.19, 0.271, 0.3439: momentum * 0.9 + 0.01 / sqrt(rms + epsilon), as in TF1
        (True, [0.00953, 0.01775, 0.02484, 0.03099]),
    ],
)
def test_the_learning_rate_does_not_decay_by_the_decay_of_rms_prop(api, migrates, expected, tmp_path) -> None:
    tf = environment.tf2()
    config = tmp_path / "pipeline.config"
    config.write_text(migrate(parse_config(RMS_PROP)).text if migrates else RMS_PROP, encoding="utf-8")
    train_config = api.get_configs_from_pipeline_file(str(config))["train_config"]
    builder = environment.import_quietly("object_detection.builders.optimizer_builder")
    assert steps_of(tf, builder.build(train_config.optimizer)[0], 4) == expected
