from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.ordered_code import FULL
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.writer import BundleWriter
from ckptmap.inspection.datafiles import DataFile, data_files
from tests.convert.conftest import values, write_tf1

NAME = "model.ckpt.data-00000-of-00001"


def state(prefix: Path) -> DataFile:
    with open_checkpoint(prefix) as checkpoint:
        (found,) = data_files(checkpoint.inventory)
    return found


def written(tmp_path: Path) -> Path:
    return write_tf1(tmp_path / "model.ckpt", {"a": values((4,)), "b": values((6,))})


def test_a_whole_file(tmp_path: Path) -> None:
    assert state(written(tmp_path)) == DataFile(str(tmp_path / NAME), 40)


def test_a_missing_file(tmp_path: Path) -> None:
    prefix = written(tmp_path)
    (tmp_path / NAME).unlink()
    found = state(prefix)
    assert found == DataFile(str(tmp_path / NAME), None, "missing: copy it from where the index came from")


def test_a_short_file(tmp_path: Path) -> None:
    prefix = written(tmp_path)
    (tmp_path / NAME).write_bytes(b"\0" * 39)
    assert state(prefix).problem == "too short: 39 of 40 bytes, download or copy it again"


def test_a_short_file_of_a_partitioned_variable(tmp_path: Path) -> None:
    """The parts alone say what the file must hold: the whole has no place of its own."""
    with Staging(tmp_path) as staging, BundleWriter(staging, "model.ckpt") as writer:
        for start, length in ((0, 3), (3, 2)):
            writer.add_part("v", DType.FLOAT32, (5, 2), ((start, length), (0, FULL)), [bytes(8 * length)])
        writer.finish()
        staging.commit()
    assert state(tmp_path / "model.ckpt") == DataFile(str(tmp_path / NAME), 40)
    (tmp_path / NAME).write_bytes(b"\0" * 25)
    assert state(tmp_path / "model.ckpt").problem == "too short: 25 of 40 bytes, download or copy it again"


def test_a_pointer_in_place_of_the_file(tmp_path: Path) -> None:
    prefix = written(tmp_path)
    (tmp_path / NAME).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 40\n")
    assert state(prefix).problem.startswith("this is a Git-LFS pointer, not the file itself: run ")
    (tmp_path / NAME).write_bytes(b"see readme")
    assert state(prefix).problem == 'this is a text file ("see readme"): put the real file in its place'


def test_a_remote_file_is_not_looked_at(tmp_path: Path) -> None:
    with open_checkpoint(written(tmp_path)) as checkpoint:
        remote = replace(checkpoint.inventory, path="gs://bucket/model.ckpt", data_files=("gs://bucket/data",))
    assert data_files(remote) == (DataFile("gs://bucket/data", None),)
