"""Files of every kind, written by TensorFlow itself, hold the values of the plain V2 checkpoint of the same model."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ckptmap.checkpoint.inventory import Kind
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.tf.environment import TensorFlowError, prepare
from tests.checkpoint.strategies import same

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorFlow's own dependencies
    import tensorflow as tf

v1 = tf.compat.v1
TYPES = ("float16", "float64", "int32", "int64", "uint8", "int8", "int16", "uint16", "bool", "complex64", "complex128")


def build(*, resource: bool = False) -> dict[str, Any]:
    """A small TF1 graph: convolution, batch norm, every type that V1 can hold, and strings."""
    random = np.random.default_rng(5)

    def variable(name: str, value: Any, **more: Any) -> Any:
        return v1.get_variable(name, initializer=value, use_resource=resource, **more)

    variables = {
        "conv/weights": variable("conv/weights", random.normal(size=(3, 3, 2, 4)).astype(np.float32)),
        "conv/BatchNorm/gamma": variable("conv/BatchNorm/gamma", np.ones(4, np.float32)),
        "conv/BatchNorm/moving_mean": variable(
            "conv/BatchNorm/moving_mean", random.normal(size=4).astype(np.float32), trainable=False
        ),
        "global_step": variable("global_step", np.int64(123456789012), trainable=False),
        "empty": variable("empty", np.zeros((0, 3), np.float32)),
        "names": variable("names", tf.constant([b"cat", b"", b"\xff\x00dog"]), trainable=False),
    }
    for name in TYPES:
        values = np.array([[0, 1, 100], [2, 3, 5]]).astype(name)
        if name.startswith(("int", "float", "complex")):
            values = -values
        variables[name] = variable(name, values, trainable=False)
    return variables


def partitioned(initial: np.ndarray) -> Any:
    """A variable in three parts of rows."""

    def rows(shape: list[int], dtype: Any = None, partition_info: Any = None) -> Any:
        start = partition_info.var_offset[0]
        return tf.constant(initial[start : start + shape[0]], dtype)

    return v1.get_variable(
        "embedding",
        shape=initial.shape,
        initializer=rows,
        partitioner=v1.fixed_size_partitioner(3, axis=0),
        use_resource=False,
    )


def read(path: Path | str, kind: Kind) -> dict[str, np.ndarray]:
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.inventory.kind is kind
        values = {name: checkpoint.read(name) for name in checkpoint.inventory.variables}
        for name, variable in checkpoint.inventory.variables.items():
            raw = b"".join(checkpoint.chunks(name, 64))
            if variable.dtype.itemsize:
                assert raw == values[name].tobytes()
                assert variable.nbytes == len(raw)
        return values


def assert_equal(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> None:
    assert sorted(left) == sorted(right)
    for name, value in left.items():
        assert value.dtype == right[name].dtype
        assert same(value, right[name]), name


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One graph saved as V2, V1, sharded V1, sharded V2, SavedModel."""
    folder = tmp_path_factory.mktemp("saved")
    formats = v1.train.SaverDef
    devices = v1.ConfigProto(device_count={"CPU": 2})
    with tf.Graph().as_default(), v1.Session(config=devices) as session:
        variables = build()
        with tf.device("/cpu:1"):
            matrix = partitioned(np.arange(70, dtype=np.float32).reshape(10, 7))
        everything = [*variables.values(), *matrix]
        session.run(v1.global_variables_initializer())
        for name, more in {
            "v2": {"write_version": formats.V2},
            "v2_sharded": {"write_version": formats.V2, "sharded": True},
            "v1": {"write_version": formats.V1},
            "v1_sharded": {"write_version": formats.V1, "sharded": True},
        }.items():
            (folder / name).mkdir()
            v1.train.Saver(everything, **more).save(session, str(folder / name / "model.ckpt"))
        image = v1.placeholder(tf.float32, (1, 4, 4, 2))
        out = tf.nn.conv2d(image, variables["conv/weights"], 1, "SAME")
        v1.saved_model.simple_save(session, str(folder / "saved_model"), {"x": image}, {"y": out})
    return folder


@pytest.mark.parametrize("name", ["v1", "v1_sharded"])
def test_v1_equals_v2(saved: Path, name: str) -> None:
    plain = read(saved / "v2" / "model.ckpt", Kind.V2)
    assert len(plain) == 18
    assert plain["embedding"].tolist() == np.arange(70.0).reshape(10, 7).tolist()
    for path in (saved / name, saved / name / "model.ckpt", saved / name / "model.ckpt.meta"):
        assert_equal(read(path, Kind.V1), plain)
    with open_checkpoint(saved / name) as checkpoint:
        assert len(checkpoint.inventory.variables["embedding"].slices) == 3
        assert len(checkpoint.inventory.data_files) == (2 if name == "v1_sharded" else 1)


def test_sharded_v2_equals_v2(saved: Path) -> None:
    assert_equal(read(saved / "v2_sharded", Kind.V2), read(saved / "v2", Kind.V2))
    with open_checkpoint(saved / "v2_sharded") as checkpoint:
        assert len(checkpoint.inventory.data_files) == 2


def test_a_tf1_saved_model_equals_v2(saved: Path) -> None:
    plain = read(saved / "v2", Kind.V2)
    for path in (saved / "saved_model", saved / "saved_model" / "saved_model.pb", saved / "saved_model" / "variables"):
        with open_checkpoint(path) as checkpoint:
            assert_equal({name: checkpoint.read(name) for name in checkpoint.inventory.variables}, plain)
    assert read(saved / "saved_model", Kind.SAVED_MODEL)["global_step"] == 123456789012


def test_tensorflow_reads_the_v1_files_alike(saved: Path) -> None:
    """The files are what they are taken for: TensorFlow's own reader agrees."""
    reader = v1.train.NewCheckpointReader(str(saved / "v1" / "model.ckpt"))
    ours = read(saved / "v1", Kind.V1)
    assert sorted(reader.get_variable_to_shape_map()) == sorted(ours)
    for name in ("conv/weights", "global_step", "names", "int8", "bool"):
        assert same(np.asarray(reader.get_tensor(name)), ours[name])


def test_the_meta_file_knows_what_is_trainable(saved: Path) -> None:
    with open_checkpoint(saved / "v2") as checkpoint:
        meta = checkpoint.meta()
    assert meta is not None
    assert meta.tensorflow_version == tf.__version__
    assert set(meta.trainable) == {"conv/weights", "conv/BatchNorm/gamma", "empty", "embedding"}
    assert "conv/BatchNorm/moving_mean" in meta.variables


def test_the_meta_file_knows_what_is_averaged(tmp_path: Path) -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        weights = v1.get_variable("w", initializer=np.ones(2, np.float32), use_resource=False)
        tf.train.ExponentialMovingAverage(0.9).apply([weights])
        session.run(weights.initializer)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(tmp_path / "m"))
    with open_checkpoint(tmp_path) as checkpoint:
        assert list(checkpoint.inventory.variables) == ["w", "w/ExponentialMovingAverage"]
        meta = checkpoint.meta()
    assert meta is not None
    assert meta.moving_averages == ("w",)


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("half", [False, True])
def test_a_frozen_graph_equals_v2(tmp_path: Path, resource: bool, half: bool) -> None:
    dtype = np.float16 if half else np.float32
    random = np.random.default_rng(3)
    with tf.Graph().as_default(), v1.Session() as session:
        values = {
            "conv/weights": random.normal(size=(3, 3, 2, 4)).astype(dtype),
            "conv/BatchNorm/moving_mean": np.zeros(4, dtype),
            "conv/BatchNorm/beta": np.full(4, 0.25, dtype),
        }
        made = {n: v1.get_variable(n, initializer=value, use_resource=resource) for n, value in values.items()}
        image = v1.placeholder(dtype, (1, 4, 4, 2))
        out = tf.nn.conv2d(image, made["conv/weights"], 1, "SAME") + tf.constant(1, dtype)
        out = tf.identity(out - made["conv/BatchNorm/moving_mean"] + made["conv/BatchNorm/beta"], "out")
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(tmp_path / "v2" / "model.ckpt"))
        graph = v1.graph_util.convert_variables_to_constants(session, session.graph_def, ["out"])
    (tmp_path / "frozen_inference_graph.pb").write_bytes(graph.SerializeToString())
    frozen = read(tmp_path / "frozen_inference_graph.pb", Kind.FROZEN_GRAPH)
    assert_equal(frozen, read(tmp_path / "v2", Kind.V2))
    assert_equal(frozen, values)


def test_a_tf2_saved_model_equals_its_checkpoint(tmp_path: Path) -> None:
    module = tf.Module()
    module.kernel = tf.Variable(tf.reshape(tf.range(6.0), (2, 3)), name="dense/kernel")
    module.inner = tf.Module()
    module.inner.bias = tf.Variable([1, 2], name="dense/bias")
    tf.saved_model.save(module, str(tmp_path / "saved_model"))
    prefix = tf.train.Checkpoint(module).save(str(tmp_path / "ckpt"))
    with open_checkpoint(tmp_path / "saved_model") as exported, open_checkpoint(prefix) as plain:
        assert exported.inventory.kind is Kind.SAVED_MODEL
        assert exported.inventory.object_based
        for name in ("kernel/.ATTRIBUTES/VARIABLE_VALUE", "inner/bias/.ATTRIBUTES/VARIABLE_VALUE"):
            assert same(exported.read(name), plain.read(name))
            assert exported.saved_names().full_names[name] == plain.saved_names().full_names[name]
