"""The mean of several checkpoints of one model: literal values, TF1 and TF2, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ckptmap
from ckptmap.basics.errors import CheckpointError, OutputError, PlanError
from ckptmap.checkpoint.dtypes import DType, dtype_from_label
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY
from ckptmap.checkpoint.object_graph import Child, Node, ObjectGraph, SavedTensor, SlotReference, variable_key
from ckptmap.checkpoint.object_graph_writing import format_object_graph
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import encode, join_strings
from ckptmap.checkpoint.writer import BundleWriter
from tests.convert.conftest import write_tf1

MEMORY = """
import sys, json
import ckptmap
from tests.memory import peak_bytes
report = ckptmap.average(sys.argv[2:], output=sys.argv[1])
print(json.dumps([report["output"]["bytes"], peak_bytes()]))
"""


def read_all(prefix: Path) -> dict[str, np.ndarray]:
    with ckptmap.open_checkpoint(prefix) as checkpoint:
        return {name: checkpoint.read(name) for name in checkpoint.inventory.variables if name != OBJECT_GRAPH_KEY}


def tf1(folder: Path, number: int, step_type: type = np.int64, **more: np.ndarray) -> Path:
    tensors = {
        "w": np.array([1, 2, 2**24], np.float32) * number,
        "w/Momentum": np.array([9, 9, 9], np.float32),
        "w/ExponentialMovingAverage": np.array([4, 5, 6], np.float32) * number,
        "half": np.array([0.5], np.float16) * np.float16(number),
        "global_step": np.array(100 * number, step_type),
        "beta1_power": np.array(0.5**number, np.float32),
        **more,
    }
    return write_tf1(folder / f"m-{number}", tensors)


def test_weights_and_averages_are_averaged_and_the_rest_is_the_last_ones(tmp_path):
    sources = [tf1(tmp_path, number) for number in (1, 2, 4)]
    report = ckptmap.average(sources, output=tmp_path / "new")
    made = read_all(tmp_path / "new")
    np.testing.assert_equal(
        made,
        {
            "w": (np.array([7, 14, 7 * 2**24]) / 3).astype(np.float32),
            "w/ExponentialMovingAverage": (np.array([28, 35, 42]) / 3).astype(np.float32),
            "half": np.array([3.5 / 3], np.float16),
            "global_step": np.array(400, np.int64),
            "beta1_power": np.array(0.0625, np.float32),
        },
    )
    assert {name: value.dtype for name, value in made.items()}["half"] == np.float16
    fates = {one["name"]: (one["fate"], one["reason"]) for one in report["source_variables"]}
    assert fates["w/Momentum"] == ("dropped", "optimizer slot (Momentum)")
    reasons = {one["name"]: one["reason"] for one in report["target_variables"]}
    assert (reasons["w"], reasons["global_step"]) == ("mean of 3 checkpoints", "of the last checkpoint")
    assert report["output"]["checkpoint"] == str(tmp_path / "new" / "model.ckpt")
    assert len(report["output"]["checksums"]["source"]) == 3
    assert json.loads((tmp_path / "new" / "report.json").read_text()) == report


def test_the_mean_is_computed_in_double_precision(tmp_path):
    """In single precision the ones would be lost beside 2^24, one after the other."""
    numbers = [2.0**24, 1.0, 1.0, 1.0]
    sources = [write_tf1(tmp_path / f"m-{at}", {"w": np.array([n], np.float32)}) for at, n in enumerate(numbers)]
    ckptmap.average(sources, output=tmp_path / "new")
    assert read_all(tmp_path / "new")["w"].tolist() == [np.float32((2**24 + 3) / 4)]


def tf2(folder: Path, number: int) -> Path:
    """A model that two paths lead to, with a slot, a step, and the save counter."""
    kernel, slot = variable_key("model/kernel"), variable_key("model/kernel/.OPTIMIZER_SLOT/optimizer/m")
    counter = variable_key("save_counter")
    graph = ObjectGraph(
        (
            Node((Child("model", 1), Child("again", 1), Child("optimizer", 3), Child("save_counter", 5))),
            Node((Child("kernel", 2),)),
            Node((), (SavedTensor("VARIABLE_VALUE", "dense/kernel", kernel),)),
            Node((), (), (SlotReference(2, "m", 4),)),
            Node((), (SavedTensor("VARIABLE_VALUE", "dense/kernel/m", slot),)),
            Node((), (SavedTensor("VARIABLE_VALUE", "save_counter", counter),)),
        )
    )
    tensors: Mapping[str, np.ndarray] = {
        kernel: np.array([2.0, 4.0], np.float32) * number,
        slot: np.ones(2, np.float32),
        counter: np.array(number, np.int64),
    }
    with Staging(folder) as staging:
        with BundleWriter(staging, f"ckpt-{number}") as writer:
            for name, value in tensors.items():
                dtype = dtype_from_label(value.dtype.name)
                assert dtype is not None
                writer.add(name, dtype, value.shape, [encode(dtype, value)])
            writer.add(OBJECT_GRAPH_KEY, DType.STRING, (), [join_strings([format_object_graph(graph)])])
            writer.finish()
        staging.commit()
    return folder / f"ckpt-{number}"


def test_tf2_checkpoints_keep_their_object_graph_without_slots(tmp_path):
    sources = [tf2(tmp_path, number) for number in (1, 2)]
    report = ckptmap.average(sources, output=tmp_path / "new")
    assert read_all(tmp_path / "new") == {
        variable_key("model/kernel"): pytest.approx([3.0, 6.0]),
        variable_key("save_counter"): 2,
    }
    with ckptmap.open_checkpoint(tmp_path / "new") as checkpoint:
        assert checkpoint.inventory.path == str(tmp_path / "new" / "ckpt-0")
        graph = checkpoint.object_graph()
    assert graph is not None
    assert (graph.key("model/kernel"), graph.key("again/kernel")) == (variable_key("model/kernel"),) * 2
    assert graph.names.slot_keys == frozenset()
    assert all(node.slots == () for node in graph.nodes)
    names = {one["key"]: one["name"] for one in report["target_variables"]}
    assert names["model/kernel"] == "dense/kernel"


def test_every_difference_is_named(tmp_path):
    first = tf1(tmp_path, 1, extra=np.zeros(2, np.float32))
    other = tf1(tmp_path, 2, np.int32, other=np.zeros(2, np.float32), half=np.zeros(2, np.float16))
    with pytest.raises(PlanError) as refused:
        ckptmap.average([first, other], output=tmp_path / "new")
    assert [str(one) for one in refused.value.problems] == [
        f"{other}: holds no extra, which {first} has",
        f"{other}: holds other, which {first} does not have",
        f"{other}: global_step is int32 [], and int64 [] in {first}",
        f"{other}: half is float16 [2], and float16 [1] in {first}",
    ]
    assert not (tmp_path / "new").exists()


def test_slots_may_differ(tmp_path):
    one = write_tf1(tmp_path / "a", {"w": np.zeros(2, np.float32), "w/Adam": np.zeros(2, np.float32)})
    other = write_tf1(tmp_path / "b", {"w": np.ones(2, np.float32)})
    ckptmap.average([one, other], output=tmp_path / "new")
    assert read_all(tmp_path / "new")["w"].tolist() == [0.5, 0.5]


def test_one_checkpoint_or_one_twice_is_no_mean(tmp_path):
    one = tf1(tmp_path, 1)
    with pytest.raises(PlanError, match="one checkpoint is its own mean"):
        ckptmap.average([one], output=tmp_path / "new")
    with pytest.raises(PlanError, match="is named twice"):
        ckptmap.average([one, f"{one}.index"], output=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_damaged_source_is_refused(tmp_path):
    sources = [tf1(tmp_path, number) for number in (1, 2)]
    data = Path(f"{sources[0]}.data-00000-of-00001")
    raw = bytearray(data.read_bytes())
    raw[3] ^= 1
    data.write_bytes(raw)
    with pytest.raises(CheckpointError, match="checksum"):
        ckptmap.average(sources, output=tmp_path / "new")
    assert not (tmp_path / "new" / "model.ckpt.index").exists()


def test_no_source_is_written_over(tmp_path):
    sources = [tf1(tmp_path / str(number), number) for number in (1, 2)]
    for number in (1, 2):
        with pytest.raises(OutputError, match="holds a source checkpoint"):
            ckptmap.average(sources, output=tmp_path / str(number), force=True)


floats = st.floats(width=32, allow_subnormal=False)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(floats, min_size=3, max_size=3), min_size=2, max_size=5), st.booleans())
def test_the_mean_of_any_numbers(tmp_path_factory, rows, parts):
    folder = tmp_path_factory.mktemp("mean")
    arrays = [np.array(row, np.float32) for row in rows]
    sources = [in_parts(folder / f"m-{at}", array, parts and at % 2 == 0) for at, array in enumerate(arrays)]
    ckptmap.average(sources, output=folder / "new")
    with np.errstate(over="ignore", invalid="ignore"):
        expected = (sum(array.astype(np.float64) for array in arrays) / len(arrays)).astype(np.float32)
    np.testing.assert_array_equal(read_all(folder / "new")["w"], expected)


def in_parts(prefix: Path, array: np.ndarray, parts: bool) -> Path:
    with Staging(prefix.parent) as staging:
        with BundleWriter(staging, prefix.name) as writer:
            for start, length in ((0, 1), (1, 2)) if parts else ((0, 3),):
                piece = encode(DType.FLOAT32, array[start : start + length])
                writer.add_part("w", DType.FLOAT32, (3,), ((start, length),), [piece])
            writer.finish()
        staging.commit()
    return prefix


@pytest.mark.skipif(os.name == "nt", reason="needs a peak of memory, which Windows tells otherwise")
def test_ten_checkpoints_of_100_mb_take_little_memory(tmp_path):
    """One data file under ten names: what counts is what is read."""
    first = write_tf1(tmp_path / "0" / "m", {f"w{at}": np.full(5 << 20, at, np.float32) for at in range(5)})
    sources = [str(first)]
    for number in range(1, 10):
        ckptmap.edit(first, output=tmp_path / str(number), data="link")
        sources.append(str(tmp_path / str(number)))
    code = [sys.executable, "-c", MEMORY, str(tmp_path / "new"), *sources]
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        code, capture_output=True, text=True, check=True, cwd=root, env={**os.environ, "PYTHONPATH": root}
    )
    nbytes, peak = json.loads(done.stdout)
    assert nbytes == 100 << 20
    assert peak < 150 << 20
