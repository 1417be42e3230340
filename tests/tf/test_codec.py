"""TensorFlow is the judge of the codec: what ckptmap writes it reads, what it writes ckptmap reads."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_graph import VALUE_SUFFIX
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.ordered_code import FULL
from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import encode
from ckptmap.checkpoint.writer import BundleWriter
from ckptmap.tf.environment import TensorFlowError, prepare
from tests.checkpoint.strategies import TYPES, Value, bundles, same
from tests.checkpoint.test_writer import save

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorFlow's own dependencies
    import tensorflow as tf

_BITCAST_FROM = {
    DType.QINT8: DType.INT8,
    DType.QUINT8: DType.UINT8,
    DType.QINT16: DType.INT16,
    DType.QUINT16: DType.UINT16,
    DType.QINT32: DType.INT32,
}


def tensor(value: Value) -> Any:
    """``value`` as TensorFlow holds it."""
    dtype = tf.dtypes.as_dtype(value.dtype.label)
    if value.dtype in _BITCAST_FROM:
        return tf.bitcast(tf.constant(value.array, tf.dtypes.as_dtype(_BITCAST_FROM[value.dtype].label)), dtype)
    if value.dtype is DType.STRING:
        return tf.constant(value.array.tolist(), dtype, shape=value.array.shape)
    return tf.constant(value.array, dtype)


def tensorflow_saves(prefix: Path, bundle: dict[str, Value]) -> Path:
    names = sorted(bundle)
    tensors = [tensor(bundle[name]) for name in names]
    tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names), tensors=tensors)
    return prefix


def read_by_tensorflow(prefix: Path) -> dict[str, np.ndarray]:
    reader = tf.train.load_checkpoint(str(prefix))
    values = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    return {
        name: np.array(value, object) if isinstance(value, bytes) else np.asarray(value)
        for name, value in values.items()
    }


def read_by_ckptmap(prefix: Path) -> dict[str, np.ndarray]:
    with open_checkpoint(prefix) as checkpoint:
        return {name: checkpoint.read(name) for name in checkpoint.inventory.variables}


def types_by_tensorflow(prefix: Path) -> dict[str, int]:
    types = tf.train.load_checkpoint(str(prefix)).get_variable_to_dtype_map()
    return {name: dtype.as_datatype_enum for name, dtype in types.items()}


def assert_equal(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> None:
    assert sorted(left) == sorted(right)
    for name, value in left.items():
        assert same(value, right[name]), name


@settings(max_examples=75, deadline=None)
@given(bundles())
def test_tensorflow_reads_what_ckptmap_writes(
    tmp_path_factory: pytest.TempPathFactory, bundle: dict[str, Value]
) -> None:
    prefix = save(tmp_path_factory.mktemp("ours"), bundle)
    assert_equal(read_by_tensorflow(prefix), {name: value.array for name, value in bundle.items()})
    assert types_by_tensorflow(prefix) == {name: value.dtype.number for name, value in bundle.items()}


@settings(max_examples=75, deadline=None)
@given(bundles().filter(bool))
def test_ckptmap_reads_what_tensorflow_writes(
    tmp_path_factory: pytest.TempPathFactory, bundle: dict[str, Value]
) -> None:
    prefix = tensorflow_saves(tmp_path_factory.mktemp("theirs") / "m", bundle)
    assert_equal(read_by_ckptmap(prefix), {name: value.array for name, value in bundle.items()})
    with open_checkpoint(prefix) as checkpoint:
        for name, value in bundle.items():
            assert checkpoint.inventory.variables[name].dtype is value.dtype
            assert b"".join(checkpoint.chunks(name, 7)) == encode(value.dtype, value.array)


@settings(max_examples=40, deadline=None)
@given(bundles().filter(bool))
def test_both_write_the_same_bytes(tmp_path_factory: pytest.TempPathFactory, bundle: dict[str, Value]) -> None:
    theirs = tensorflow_saves(tmp_path_factory.mktemp("theirs") / "m", bundle).parent
    with open_checkpoint(theirs) as checkpoint:
        spans = {name: variable.span for name, variable in checkpoint.inventory.variables.items()}
    order = sorted(bundle, key=lambda name: (spans[name].offset, spans[name].size))
    ours = save(tmp_path_factory.mktemp("ours"), {name: bundle[name] for name in order}).parent
    files = {path.name: path.read_bytes() for path in theirs.iterdir()}
    assert {path.name: path.read_bytes() for path in ours.iterdir()} == files


@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_both_ways(tmp_path: Path, dtype: DType) -> None:
    array = np.array([[b"", b"a\x00", b"\xff"]], object) if dtype.itemsize is None else np.arange(3).astype(dtype.numpy)
    bundle = {"scalar": Value(dtype, array.reshape(-1)[1].reshape(()) if dtype.itemsize else np.array(b"x", object))}
    bundle |= {"row": Value(dtype, array), "empty": Value(dtype, array[:0])}
    expected = {name: value.array for name, value in bundle.items()}
    assert_equal(read_by_tensorflow(save(tmp_path / "ours", bundle)), expected)
    (tmp_path / "theirs").mkdir()
    assert_equal(read_by_ckptmap(tensorflow_saves(tmp_path / "theirs" / "m", bundle)), expected)


def numbered(count: int) -> dict[str, Value]:
    return {
        f"FeatureExtractor/expanded_conv_{number}/BatchNorm/moving_variance/ExponentialMovingAverage": Value(
            DType.INT32, np.full(number % 3, number, np.int32)
        )
        for number in range(count)
    }


def test_tables_of_many_blocks(tmp_path: Path) -> None:
    bundle = numbered(20_000)
    expected = {name: value.array for name, value in bundle.items()}
    ours = save(tmp_path / "ours", bundle)
    assert Path(f"{ours}.index").stat().st_size > 4 * 262144
    assert_equal(read_by_tensorflow(ours), expected)
    (tmp_path / "theirs").mkdir()
    assert_equal(read_by_ckptmap(tensorflow_saves(tmp_path / "theirs" / "m", bundle)), expected)


def test_shards_that_tensorflow_merged(tmp_path: Path) -> None:
    bundle = numbered(7)
    names = sorted(bundle)
    for part in range(3):
        tensorflow_saves(tmp_path / f"part{part}", {name: bundle[name] for name in names[part::3]})
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=[str(tmp_path / f"part{part}") for part in range(3)], destination_prefix=str(tmp_path / "m")
    )
    with open_checkpoint(tmp_path / "m") as checkpoint:
        assert len(checkpoint.inventory.data_files) == 3
    assert_equal(read_by_ckptmap(tmp_path / "m"), {name: value.array for name, value in bundle.items()})


def test_tensorflow_reads_an_adopted_shard(tmp_path: Path) -> None:
    bundle = {
        "old/a": Value(DType.HALF, np.arange(6, dtype=np.float16)),
        "old/b": Value(DType.STRING, np.array(b"s", object)),
    }
    old = tensorflow_saves(tmp_path / "old", bundle)
    with open_checkpoint(old) as source, Staging(tmp_path / "new") as staging, BundleWriter(staging, "n") as writer:
        shard = writer.adopt(source.inventory.data_files[0], "link")
        for name, variable in source.inventory.variables.items():
            writer.refer(name.replace("old", "new"), variable.dtype, (*variable.shape,), shard, variable.span)
        writer.add("fresh", DType.INT64, (), [bytes(8)])
        writer.finish()
        staging.commit()
    expected = {"new/a": bundle["old/a"].array, "new/b": bundle["old/b"].array, "fresh": np.array(0, np.int64)}
    assert_equal(read_by_tensorflow(tmp_path / "new" / "n"), expected)


@pytest.mark.parametrize(
    "slices",
    [
        ["6 400 0,1:0,400", "6 400 1,2:0,400", "6 400 3,3:0,400"],
        ["6 400 -:0,150", "6 400 -:150,250"],
        ["6 400 0,3:0,100", "6 400 3,3:0,100", "6 400 -:100,300"],
        ["6 400 -:-"],
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "string"])
def test_partitioned_variables_that_tensorflow_wrote(tmp_path: Path, slices: list[str], dtype: str) -> None:
    numbers = np.arange(2400).reshape(6, 400)
    whole = np.array([b"%d" % n for n in range(2400)], object).reshape(6, 400) if dtype == "string" else numbers
    tensors = []
    for spec in slices:
        extents = [part.split(",") for part in spec.split(" ")[2].split(":")]
        box = tuple(slice(None) if e == ["-"] else slice(int(e[0]), int(e[0]) + int(e[1])) for e in extents)
        piece = whole[box]
        tensors.append(tf.constant(piece.tolist()) if dtype == "string" else tf.cast(tf.constant(piece), dtype))
    tf.raw_ops.SaveV2(
        prefix=str(tmp_path / "m"), tensor_names=["v"] * len(slices), shape_and_slices=slices, tensors=tensors
    )
    with open_checkpoint(tmp_path / "m") as checkpoint:
        variable = checkpoint.inventory.variables["v"]
        assert (list(checkpoint.inventory.variables), variable.shape) == (["v"], (6, 400))
        expected = whole if dtype == "string" else whole.astype(variable.dtype.numpy)
        assert same(checkpoint.read("v"), expected)
        assert b"".join(checkpoint.chunks("v", 1000)) == encode(variable.dtype, expected)


def test_tensorflow_reads_partitioned_variables(tmp_path: Path) -> None:
    whole = np.arange(1200, dtype=np.float32).reshape(4, 300)
    with Staging(tmp_path) as staging, BundleWriter(staging, "m") as writer:
        for start, length in ((70, 230), (0, 70)):
            piece = whole[:, start : start + length]
            writer.add_part("v", DType.FLOAT32, (4, 300), ((0, FULL), (start, length)), [encode(DType.FLOAT32, piece)])
        writer.finish()
        staging.commit()
    assert_equal(read_by_tensorflow(tmp_path / "m"), {"v": whole})
    (part,) = tf.raw_ops.RestoreV2(
        prefix=str(tmp_path / "m"), tensor_names=["v"], shape_and_slices=["4 300 1,2:60,20"], dtypes=[tf.float32]
    )
    assert part.numpy().tolist() == whole[1:3, 60:80].tolist()


class Layer(tf.Module):
    """A trackable with lists, dictionaries and names that need escapes; no Keras."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.kernel = tf.Variable(tf.fill((3, 4), value), name="conv/kernel")
        self.parts = [tf.Variable(value, name="x"), {"a/b.c": tf.Variable(tf.cast([value], tf.bfloat16), name="odd")}]
        self.steps = tf.Variable(int(value), dtype=tf.int64)


def values_of(checkpoint: Checkpoint) -> dict[str, ObjectValue]:
    graph = checkpoint.object_graph()
    assert graph is not None
    found = checkpoint.inventory.variables
    return {
        key.removeprefix("model/").removesuffix(VALUE_SUFFIX): ObjectValue(
            name, found[key].dtype, found[key].shape, checkpoint.chunks(key), found[key].span.crc32c
        )
        for key, name in graph.names.full_names.items()
        if key.startswith("model/")
    }


def graph_of(prefix: str) -> dict[str, tuple[str, str, bool]]:
    """Every path in the graph that TensorFlow's own message holds: name and key of its value."""
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    graph.ParseFromString(tf.train.load_checkpoint(prefix).get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
    found, waiting = {}, [("", 0)]
    while waiting:
        path, number = waiting.pop()
        node = graph.nodes[number]
        values = [(value.full_name, value.checkpoint_key) for value in node.attributes]
        found[path] = (*(values[0] if values else ("", "")), node.has_checkpoint_values.value)
        waiting += [(f"{path}/{child.local_name}", child.node_id) for child in node.children]
    return found


def test_a_real_trackable_restores_with_every_assertion(tmp_path: Path) -> None:
    saved = Layer(2.5)
    theirs = tf.train.Checkpoint(model=saved).save(str(tmp_path / "theirs" / "ckpt"))
    with open_checkpoint(theirs) as checkpoint:
        write_object_checkpoint(tmp_path / "ours" / "ckpt-0", "model", values_of(checkpoint))
    ours = tf.train.latest_checkpoint(str(tmp_path / "ours"))
    assert ours == str(tmp_path / "ours" / "ckpt-0")
    restored = Layer(0.0)
    status = tf.train.Checkpoint(model=restored).restore(ours)
    status.assert_consumed()
    status.assert_existing_objects_matched()
    for left, right in zip(saved.variables, restored.variables, strict=True):
        assert left.numpy().tobytes() == right.numpy().tobytes()
    assert graph_of(ours) == graph_of(theirs)


def test_another_root_restores_too(tmp_path: Path) -> None:
    theirs = tf.train.Checkpoint(model=Layer(1.5)).save(str(tmp_path / "theirs" / "ckpt"))
    with open_checkpoint(theirs) as checkpoint:
        write_object_checkpoint(tmp_path / "ckpt-0", "feature_extractor", values_of(checkpoint), save_counter=4)
    restored = Layer(0.0)
    target = tf.train.Checkpoint(feature_extractor=restored)
    target.restore(str(tmp_path / "ckpt-0")).assert_consumed()
    assert restored.kernel.numpy().tolist() == [[1.5] * 4] * 3
    assert int(target.save_counter) == 4


def test_shards_and_slices_that_a_sharding_policy_made(tmp_path: Path) -> None:
    if not hasattr(tf.train.experimental, "MaxShardSizePolicy"):
        pytest.skip("this TensorFlow has no sharding policies")
    saved = Layer(1.0)
    saved.big = tf.Variable(tf.reshape(tf.range(3000.0), (300, 10)))
    options = tf.train.CheckpointOptions(experimental_sharding_callback=tf.train.experimental.MaxShardSizePolicy(5000))
    prefix = tf.train.Checkpoint(model=saved).save(str(tmp_path / "ckpt"), options=options)
    with open_checkpoint(prefix) as checkpoint:
        assert len(checkpoint.inventory.data_files) >= 3
        assert len(checkpoint.inventory.variables[f"model/big{VALUE_SUFFIX}"].slices) >= 2
        assert checkpoint.read(f"model/big{VALUE_SUFFIX}").tobytes() == np.arange(3000, dtype=np.float32).tobytes()
        assert len(b"".join(checkpoint.chunks(f"model/big{VALUE_SUFFIX}"))) == 12000
    ours, theirs = read_by_ckptmap(Path(prefix)), read_by_tensorflow(Path(prefix))
    assert_equal(ours, theirs)


def test_a_checkpoint_without_a_name(tmp_path: Path) -> None:
    """``saver.save(session, "folder/")``: TensorFlow restores it from ``folder/``, and reads ours so."""
    theirs, ours = f"{tmp_path}/theirs/", f"{tmp_path}/ours/"
    Path(theirs).mkdir()
    value = np.arange(6, dtype=np.float32).reshape(2, 3)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variable = tf.compat.v1.get_variable("net/w", initializer=value)
        session.run(variable.initializer)
        saver = tf.compat.v1.train.Saver()
        assert saver.save(session, theirs) == theirs
        save(Path(ours), {"net/w": Value(DType.FLOAT32, value + 1)}, "")
        saver.restore(session, ours)
        assert session.run(variable).tolist() == (value + 1).tolist()
    for place in (theirs, theirs[:-1], f"{theirs}.index", f"{theirs}.meta", f"{theirs}checkpoint"):
        with open_checkpoint(place) as checkpoint:
            assert checkpoint.inventory.path == theirs
            assert checkpoint.read("net/w").tolist() == value.tolist()
            meta = checkpoint.meta()
            assert meta is not None
            assert meta.variables == ("net/w",)
