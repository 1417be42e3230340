"""Names to names on disk: what our reader finds again, and that bytes stay where they may."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ckptmap
from ckptmap.basics.errors import CkptmapError, OutputError, PlanError, TargetError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import encode
from ckptmap.checkpoint.writer import BundleWriter
from tests.checkpoint.strategies import Value, same
from tests.checkpoint.strategies import values as any_value
from tests.checkpoint.test_frozen import GRAPH
from tests.checkpoint.test_v1 import TENSORFLOW_FILE
from tests.convert.conftest import write_template, write_tf1

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def read_all(prefix: Path) -> dict[str, np.ndarray]:
    with ckptmap.open_checkpoint(prefix) as checkpoint:
        assert not checkpoint.inventory.object_based
        return {name: checkpoint.read(name) for name in checkpoint.inventory.variables}


def old(folder: Path) -> tuple[Path, dict[str, np.ndarray]]:
    tensors = {
        "global_step": np.array(7, np.int64),
        "net/w": np.arange(6, dtype=np.float32).reshape(2, 3),
        "net/w/Momentum": np.ones((2, 3), np.float32),
        "net/w/ExponentialMovingAverage": np.full((2, 3), 0.5, np.float32),
    }
    return write_tf1(folder / "old" / "m.ckpt", tensors), tensors


def test_a_renamed_checkpoint_holds_the_same_values(tmp_path):
    source, tensors = old(tmp_path)
    report = ckptmap.edit(source, output=tmp_path / "new", strip=["net"])
    made = read_all(tmp_path / "new")
    np.testing.assert_equal(made, {name.removeprefix("net/"): value for name, value in tensors.items()})
    assert (report["command"], report["target"]["form"], report["output"]["verified"]) == ("edit", "names", 4)
    assert json.loads((tmp_path / "new" / "report.json").read_text()) == report
    assert sorted(path.name for path in (tmp_path / "new").iterdir() if not path.name.startswith(".")) == [
        "checkpoint",
        "model.ckpt.data-00000-of-00001",
        "model.ckpt.index",
        "report.json",
    ]


def test_a_rename_by_link_moves_no_byte(tmp_path):
    source, tensors = old(tmp_path)
    report = ckptmap.edit(source, output=tmp_path / "new", renames=[("net", "a/b")], data="link")
    data = tmp_path / "new" / "model.ckpt.data-00000-of-00001"
    assert data.samefile(f"{source}.data-00000-of-00001")
    assert (report["output"]["data"], report["output"]["kept"]) == ("link", 4)
    np.testing.assert_equal(read_all(tmp_path / "new")["a/b/w"], tensors["net/w"])


def test_averages_and_half_precision(tmp_path):
    source, tensors = old(tmp_path)
    ckptmap.edit(source, output=tmp_path / "new", ema=True, weights_only=True, cast="float16")
    expected = {"net/w": tensors["net/w/ExponentialMovingAverage"].astype(np.float16)}
    made = read_all(tmp_path / "new")
    assert {name: value.dtype for name, value in made.items()} == {"net/w": np.float16}
    np.testing.assert_equal(made, expected)


def test_bfloat16_and_back(tmp_path):
    source, tensors = old(tmp_path)
    ckptmap.edit(source, output=tmp_path / "half", cast="bfloat16")
    ckptmap.edit(tmp_path / "half", output=tmp_path / "whole", cast="float32")
    np.testing.assert_equal(read_all(tmp_path / "whole"), tensors)


def test_a_number_that_half_precision_does_not_hold_is_refused(tmp_path):
    source = write_tf1(tmp_path / "old" / "m", {"w": np.array([1.0, 7e4, np.inf], np.float32)})
    with pytest.raises(CkptmapError, match=r"^w: cast float16: 1 value is larger than it holds, up to 70000$"):
        ckptmap.edit(source, output=tmp_path / "new", cast="float16")
    assert not (tmp_path / "new" / "model.ckpt.index").exists()


@pytest.mark.parametrize("data", ["copy", "link"])
def test_partitioned_variables_become_whole(tmp_path, data):
    whole = np.arange(12, dtype=np.float32).reshape(4, 3)
    with Staging(tmp_path / "old") as staging:
        with BundleWriter(staging, "m") as writer:
            for start, length in ((0, 1), (1, 3)):
                part = encode(DType.FLOAT32, whole[start : start + length])
                writer.add_part("net/w", DType.FLOAT32, (4, 3), ((start, length), (0, -1)), [part])
            writer.add("net/b", DType.FLOAT32, (3,), [encode(DType.FLOAT32, whole[0])])
            writer.finish()
        staging.commit()
    ckptmap.edit(tmp_path / "old" / "m", output=tmp_path / "new", strip=["net"], data=data)
    np.testing.assert_equal(read_all(tmp_path / "new"), {"w": whole, "b": whole[0]})


def test_two_sources_of_one_name_write_nothing(tmp_path):
    source = write_tf1(tmp_path / "old" / "m", {"a/w": np.zeros(2, np.float32), "b/w": np.ones(2, np.float32)})
    with pytest.raises(PlanError, match="a/w and b/w both become b/w"):
        ckptmap.edit(source, output=tmp_path / "new", renames=[("a", "b")])
    assert not (tmp_path / "new").exists()


def test_findings_write_nothing(tmp_path):
    source, _ = old(tmp_path)
    report = ckptmap.edit(source, output=tmp_path / "new", drop=["nothing/*"])
    assert ([one["where"] for one in report["findings"]], report["output"]) == (["nothing/*"], None)
    assert not (tmp_path / "new").exists()


def test_the_source_is_never_written_over(tmp_path):
    source = write_tf1(tmp_path / "old" / "model.ckpt", {"w": np.zeros(2, np.float32)})
    before = {path: path.read_bytes() for path in (tmp_path / "old").iterdir() if path.is_file()}
    with pytest.raises(OutputError, match="holds the source checkpoint"):
        ckptmap.edit(source, output=tmp_path / "old", renames=[("w", "v")], force=True)
    assert {path: path.read_bytes() for path in (tmp_path / "old").iterdir() if path.is_file()} == before


def test_a_table_in_the_place_of_an_output_is_never_written_over(tmp_path):
    source, _ = old(tmp_path)
    (tmp_path / "new").mkdir()
    table = tmp_path / "t.yaml"
    table.write_text("variables:\n  - {from: net/w, to: w}\n")
    (tmp_path / "new" / "report.json").hardlink_to(table)
    with pytest.raises(OutputError, match="holds the mapping table"):
        ckptmap.edit(source, output=tmp_path / "new", table=table, force=True)
    assert table.read_text().startswith("variables")


def test_object_paths_need_a_table(tmp_path):
    template = write_template(tmp_path / "tf2" / "ckpt")
    with pytest.raises(TargetError, match="nothing gives their names"):
        ckptmap.edit(template, output=tmp_path / "new", weights_only=True)
    table = tmp_path / "t.yaml"
    with ckptmap.open_checkpoint(template) as checkpoint:
        keys = [key for key in checkpoint.inventory.variables if key.startswith("model/")]
        wanted = {f"tf1/{number}": checkpoint.read(key) for number, key in enumerate(keys)}
    rules = "".join(f'  - {{from: "{key}", to: tf1/{number}}}\n' for number, key in enumerate(keys))
    table.write_text(f"variables:\n{rules}")
    report = ckptmap.edit(template, output=tmp_path / "new", table=table)
    assert report["findings"] == []
    np.testing.assert_equal(read_all(tmp_path / "new"), wanted)


def test_a_frozen_graph_becomes_a_checkpoint(tmp_path):
    (tmp_path / "frozen.pb").write_bytes(GRAPH)
    with ckptmap.open_checkpoint(tmp_path / "frozen.pb") as checkpoint:
        expected = {f"net/{name}": checkpoint.read(name) for name in checkpoint.inventory.variables}
    ckptmap.edit(tmp_path / "frozen.pb", output=tmp_path / "new", scope="net")
    np.testing.assert_equal(read_all(tmp_path / "new"), expected)


def test_a_v1_checkpoint_becomes_one_of_today(tmp_path):
    (tmp_path / "old.ckpt").write_bytes(TENSORFLOW_FILE)
    ckptmap.edit(tmp_path / "old.ckpt", output=tmp_path / "new", renames=[("neg32", "a/b")])
    np.testing.assert_equal(read_all(tmp_path / "new"), {"a/b": np.array([-1, 5], np.int32)})


words = st.sampled_from(["a", "b", "net", "conv_1", "w"])
paths = st.lists(words, min_size=1, max_size=4).map("/".join)


@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.data())
def test_any_checkpoint_under_any_names(tmp_path_factory, data):
    """Values of every type, in shards, some in parts: after an edit each is under the name that the rename says."""
    drawn: dict[str, Value] = data.draw(st.dictionaries(paths, any_value(), min_size=1, max_size=6))
    old_scope, new_scope = data.draw(words), data.draw(st.one_of(st.just(""), paths))
    scope = data.draw(st.one_of(st.none(), words))
    folder = tmp_path_factory.mktemp("edit")
    write_shards(folder, drawn)
    expected: dict[str, np.ndarray] = {}
    clash = False
    for name, value in drawn.items():
        below = name == old_scope or name.startswith(f"{old_scope}/")
        new = "/".join(filter(None, (new_scope, name[len(old_scope) + 1 :]))) if below else name
        new = f"{scope}/{new}" if scope and new else new
        clash = clash or not new or new in expected
        expected[new] = value.array
    rename = {"renames": [(old_scope, new_scope)]}
    mode = data.draw(st.sampled_from(["copy", "link"]))
    if clash:
        with pytest.raises(PlanError):
            ckptmap.edit(folder / "m", output=folder / "new", scope=scope, data=mode, **rename)
        return
    report = ckptmap.edit(folder / "m", output=folder / "new", scope=scope, data=mode, **rename)
    if report["findings"]:
        assert not any(name == old_scope or name.startswith(f"{old_scope}/") for name in drawn)
        return
    made = read_all(folder / "new")
    assert made.keys() == expected.keys()
    assert all(same(made[name], value) for name, value in expected.items())


def write_shards(folder: Path, drawn: dict[str, Value]) -> None:
    """Half of the values in an adopted data file, the rest in one of its own; matrices in two parts."""
    names = list(drawn)
    first = {name: drawn[name] for name in names[::2]}
    with Staging(folder / "first") as staging:
        with BundleWriter(staging, "f") as writer:
            for name, value in first.items():
                writer.add(name, value.dtype, value.array.shape, [encode(value.dtype, value.array)])
            writer.finish()
        staging.commit()
    with Staging(folder) as staging, ckptmap.open_checkpoint(folder / "first" / "f") as held:
        with BundleWriter(staging, "m") as writer:
            shard = writer.adopt(held.inventory.data_files[0])
            for name, value in first.items():
                span = held.inventory.variables[name].span
                assert span is not None
                writer.refer(name, value.dtype, value.array.shape, shard, span)
            for name in names[1::2]:
                add_in_parts(writer, name, drawn[name])
            writer.finish()
        staging.commit()


def add_in_parts(writer: BundleWriter, name: str, value: Value) -> None:
    shape = value.array.shape
    if value.dtype.itemsize is None or not shape or shape[0] < 2:
        writer.add(name, value.dtype, shape, [encode(value.dtype, value.array)])
        return
    others = tuple((0, -1) for _ in shape[1:])
    for start, length in ((0, 1), (1, shape[0] - 1)):
        part = encode(value.dtype, value.array[start : start + length])
        writer.add_part(name, value.dtype, shape, ((start, length), *others), [part])
