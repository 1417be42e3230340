from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import encode
from ckptmap.checkpoint.writer import BundleWriter
from ckptmap.diff import Delta, Diff, DiffFate, diff
from tests.convert.conftest import tf1_values, values, write_template, write_tf1


@pytest.fixture
def a(tmp_path: Path) -> Path:
    return write_tf1(tmp_path / "a" / "model.ckpt", tf1_values())


def write_b(tmp_path: Path, changes: Mapping[str, np.ndarray | None]) -> Path:
    tensors = {**tf1_values(), **changes}
    kept = {name: value for name, value in tensors.items() if value is not None}
    return write_tf1(tmp_path / "b" / "model.ckpt", kept)


def fates(found: Diff) -> dict[str, str]:
    return {record.name: record.fate.value for record in found.records if record.fate is not DiffFate.EQUAL}


def test_a_checkpoint_equals_itself_without_its_data(a: Path) -> None:
    (a.parent / "model.ckpt.data-00000-of-00001").unlink()
    found = diff(a, a)
    assert found.equal
    assert found.summary["equal"] == 7
    assert [note.rpartition("/")[2] for note in found.notes] == [
        "model.ckpt.data-00000-of-00001: this data file is missing: compared by the index alone"
    ] * 2


def test_every_way_to_differ_is_told_the_worst_first(a: Path, tmp_path: Path) -> None:
    b = write_b(
        tmp_path,
        {
            "global_step": None,
            "extra": values((2,)),
            "head/ClassPredictor/biases": values((9,)),
            "net/conv/BatchNorm/gamma": values((8,), 100, "float64"),
            "net/conv/BatchNorm/beta": values((8,), 200.5),
            "net/conv/weights": values((1, 1, 3, 8), 11),
        },
    )
    found = diff(a, b)
    assert list(fates(found).items()) == [
        ("global_step", "only_in_a"),
        ("extra", "only_in_b"),
        ("head/ClassPredictor/biases", "shape"),
        ("net/conv/BatchNorm/gamma", "dtype"),
        ("net/conv/weights", "changed"),
        ("net/conv/BatchNorm/beta", "changed"),
    ]
    deltas = {record.name: record.delta for record in found.records}
    assert deltas["net/conv/BatchNorm/gamma"] == Delta(0, max_abs=0.0, rms=0.0, cosine=1.0)
    beta = deltas["net/conv/BatchNorm/beta"]
    assert beta is not None
    assert (beta.different, beta.max_abs, beta.rms) == (8, 0.5, 0.5)
    assert not found.equal


def test_tolerance_accepts_small_changes(a: Path, tmp_path: Path) -> None:
    b = write_b(tmp_path, {"net/conv/BatchNorm/beta": values((8,), 200.5)})
    assert fates(diff(a, b, tolerance=0.5)) == {"net/conv/BatchNorm/beta": "within_tolerance"}
    assert diff(a, b, tolerance=0.5, values=False).equal
    assert not diff(a, b, tolerance=0.4).equal


def test_match_chooses_names(a: Path, tmp_path: Path) -> None:
    b = write_b(tmp_path, {"global_step": None, "net/conv/weights": values((1, 1, 3, 8), 11)})
    assert fates(diff(a, b, match=["net/**"])) == {"net/conv/weights": "changed"}
    assert len(diff(a, b, match=["net/**"]).records) == 4


def test_checksums_alone_tell_that_values_changed_but_not_how_far(a: Path, tmp_path: Path) -> None:
    b = write_b(tmp_path, {"net/conv/weights": values((1, 1, 3, 8), 11)})
    changed = diff(a, b, values=False).records[0]
    assert (changed.fate, changed.delta) == (DiffFate.CHANGED, None)


def test_values_equal_but_for_the_sign_of_zero_are_equal(a: Path, tmp_path: Path) -> None:
    one = write_b(tmp_path / "1", {"zero": np.array([0.0], np.float32)})
    other = write_b(tmp_path / "2", {"zero": np.array([-0.0], np.float32)})
    assert diff(one, other).equal


def damage(prefix: Path) -> None:
    data = prefix.parent / "model.ckpt.data-00000-of-00001"
    raw = bytearray(data.read_bytes())
    raw[-1] ^= 1
    data.write_bytes(raw)


def test_read_looks_at_the_bytes_behind_equal_checksums(a: Path, tmp_path: Path) -> None:
    b = write_b(tmp_path, {})
    damage(b)
    assert diff(a, b).equal
    with pytest.raises(CheckpointError, match="the checksum of head/ClassPredictor/biases is wrong"):
        diff(a, b, read=True)


def test_read_of_equal_files_is_equal(a: Path, tmp_path: Path) -> None:
    assert diff(a, write_b(tmp_path, {}), read=True).summary["equal"] == 7


def test_partitioned_and_whole_variables_are_the_same_value(tmp_path: Path) -> None:
    value = values((4, 3))
    whole = write_tf1(tmp_path / "a" / "model.ckpt", {"v": value})
    with Staging(tmp_path / "b") as staging:
        with BundleWriter(staging, "model.ckpt") as writer:
            for start in (0, 2):
                part = encode(DType.FLOAT32, value[start : start + 2])
                writer.add_part("v", DType.FLOAT32, (4, 3), ((start, 2), (0, -1)), [part])
            writer.finish()
        staging.commit()
    assert diff(whole, tmp_path / "b").equal
    assert diff(tmp_path / "b", tmp_path / "b").equal


def test_object_graphs_that_differ_are_noted(tmp_path: Path) -> None:
    a = write_template(tmp_path / "a" / "ckpt-0")
    b = write_template(tmp_path / "b" / "ckpt-0", extra={"zz/kernel": ("Z/kernel", (1,))})
    found = diff(a, b)
    assert found.notes == ("the object graphs differ: other objects, or the same in another order",)
    assert fates(found) == {"model/zz/kernel/.ATTRIBUTES/VARIABLE_VALUE": "only_in_b"}
