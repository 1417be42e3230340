"""Every kind of source converts to the same TF2 values as the plain V2 checkpoint of the same model.

TensorFlow writes the files, from the variables of a small real detector.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ckptmap import convert, open_checkpoint
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Kind
from ckptmap.tf.environment import TensorFlowError, prepare

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorFlow's own dependencies
    import tensorflow as tf

v1 = tf.compat.v1
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SAVERS = {
    "v2": {"write_version": v1.train.SaverDef.V2},
    "v2_sharded": {"write_version": v1.train.SaverDef.V2, "sharded": True},
    "v1": {"write_version": v1.train.SaverDef.V1},
    "v1_sharded": {"write_version": v1.train.SaverDef.V1, "sharded": True},
}


def read_all(path: Path) -> dict[str, np.ndarray]:
    with open_checkpoint(path) as checkpoint:
        return {name: checkpoint.read(name) for name in checkpoint.inventory.variables if name != OBJECT_GRAPH_KEY}


def make_variables(values: dict[str, np.ndarray]) -> list[Any]:
    """The variables on two devices, so that a sharded Saver makes two files."""
    made = []
    for number, (name, value) in enumerate(values.items()):
        with tf.device(f"/cpu:{number % 2}"):
            made.append(v1.get_variable(name, initializer=value, use_resource=False, trainable=name != "global_step"))
    return made


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One detector as V2, sharded V2, V1, sharded V1, SavedModel and frozen graph."""
    folder = tmp_path_factory.mktemp("sources")
    values = read_all(FIXTURES / "ssd_mobilenet_v2_tiny" / "model.ckpt")
    assert len(values) == 325
    with tf.Graph().as_default(), v1.Session(config=v1.ConfigProto(device_count={"CPU": 2})) as session:
        variables = make_variables(values)
        session.run(v1.global_variables_initializer())
        for name, options in SAVERS.items():
            (folder / name).mkdir()
            v1.train.Saver(variables, **options).save(session, str(folder / name / "model.ckpt"))
        weights = [variable for variable in variables if variable.dtype.base_dtype.is_floating]
        scale = v1.placeholder(tf.float32, (), name="scale")
        out = tf.identity(scale * tf.add_n([tf.reduce_sum(variable) for variable in weights]), "out")
        v1.saved_model.simple_save(session, str(folder / "saved_model"), {"scale": scale}, {"out": out})
        graph = v1.graph_util.convert_variables_to_constants(session, session.graph_def, ["out"])
    (folder / "frozen").mkdir()
    (folder / "frozen" / "frozen_inference_graph.pb").write_bytes(graph.SerializeToString())
    return folder


@pytest.fixture(scope="module")
def plain(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What the plain V2 checkpoint becomes."""
    return converted(sources / "v2", tmp_path_factory.mktemp("plain"))


def converted(source: Path, folder: Path) -> dict[str, np.ndarray]:
    report = convert(source, to="ssd_mobilenet_v2", output=folder / "new")
    assert report["findings"] == []
    assert report["summary"]["restored"] == 324
    return read_all(folder / "new" / "ckpt-0")


@pytest.mark.parametrize(
    ("name", "kind", "files"),
    [
        ("v2_sharded", Kind.V2, 2),
        ("v1", Kind.V1, 1),
        ("v1_sharded", Kind.V1, 2),
        ("saved_model", Kind.SAVED_MODEL, 2),
        ("frozen", Kind.FROZEN_GRAPH, 0),
    ],
)
def test_any_source_converts_alike(
    sources: Path, plain: dict[str, np.ndarray], tmp_path: Path, name: str, kind: Kind, files: int
) -> None:
    with open_checkpoint(sources / name) as checkpoint:
        assert (checkpoint.inventory.kind, len(checkpoint.inventory.data_files)) == (kind, files)
    found = converted(sources / name, tmp_path)
    assert len(plain) == 325
    assert found.keys() == plain.keys()
    for key, value in plain.items():
        assert found[key].dtype == value.dtype
        assert np.array_equal(found[key], value), key


@pytest.mark.parametrize("name", ["v2", "v2_sharded", "v1", "v1_sharded", "saved_model", "frozen"])
def test_any_source_is_recognized(sources: Path, name: str) -> None:
    from ckptmap import inspect

    found = inspect(sources / name)
    assert found.architecture is not None
    assert (found.architecture.name, found.architecture.heads.num_classes) == ("ssd_mobilenet_v2", 3)
    assert found.architecture.backbone.depth_multiplier == 0.1
    assert found.advice.command.startswith("ckptmap convert ")


def test_tensorflow_restores_what_a_frozen_graph_became(
    sources: Path, plain: dict[str, np.ndarray], tmp_path: Path
) -> None:
    convert(sources / "frozen", to="ssd_mobilenet_v2", output=tmp_path / "new")
    reader = tf.train.load_checkpoint(str(tmp_path / "new" / "ckpt-0"))
    for key, value in plain.items():
        assert np.array_equal(reader.get_tensor(key), value), key


def test_tensorflow_finds_the_step_where_its_trainer_keeps_it(sources: Path, tmp_path: Path) -> None:
    convert(sources / "v1", to="ssd_mobilenet_v2", output=tmp_path / "new", step=True)
    with open_checkpoint(sources / "v1") as checkpoint:
        wanted = int(checkpoint.read("global_step"))
    step = tf.Variable(-1, dtype=tf.int64)
    tf.train.Checkpoint(step=step).restore(
        str(tmp_path / "new" / "ckpt-0")
    ).expect_partial().assert_existing_objects_matched()
    assert int(step) == wanted
