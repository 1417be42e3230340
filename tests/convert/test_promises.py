"""Nothing promises a restore of values whose data files are not all there: no audit, no dry run, no batch."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.audit import audit
from ckptmap.basics.errors import CheckpointError, CkptmapError, MissingDataError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.ordered_code import FULL
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import encode
from ckptmap.checkpoint.writer import BundleWriter
from ckptmap.verbs.batch import convert_many

TINY = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:1234\nsize 354808\n"
Spoil = Callable[[Path], None]


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILED = {
    "missing": (Path.unlink, "this data file is missing"),
    "pointer": (lambda path: path.write_bytes(POINTER), "this is a Git-LFS pointer, not the file itself"),
    "short": (lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), "is cut off"),
    "empty": (lambda path: path.write_bytes(b""), "the file is empty"),
    "folder": (_folder, "is a folder, not a data file"),
    "dangling": (lambda path: (path.unlink(), path.symlink_to("nowhere")), "this data file is missing"),
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "old"))


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TF2 checkpoint in two data files."""
    folder = tmp_path_factory.mktemp("sharded")
    report = ckptmap.convert(TINY, to="ssd_mobilenet_v2", output=folder / "new", data="link")
    assert report["output"]["data"] == "link"
    return folder / "new"


def spoil(folder: Path, how: str, shard: str = "00000") -> str:
    change, message = SPOILED[how]
    (data,) = folder.glob(f"*.data-{shard}-of-*")
    change(data)  # type: ignore[operator]
    return message


@pytest.mark.parametrize("how", SPOILED)
def test_a_dry_run_says_what_the_real_run_says(old: Path, tmp_path: Path, how: str) -> None:
    message = spoil(old, how)
    with pytest.raises(CheckpointError, match=message) as dry:
        ckptmap.convert(old, to="ssd_mobilenet_v2", output=None)
    with pytest.raises(CheckpointError, match=message) as real:
        ckptmap.convert(old, to="ssd_mobilenet_v2", output=tmp_path / "new")
    promised = str(dry.value).replace("; index_only=True looks at the index alone", "")
    assert promised == str(real.value)
    assert "index_only" not in str(real.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("how", SPOILED)
@pytest.mark.parametrize("shard", ["00000", "00001"])
def test_an_audit_of_every_data_file(sharded: Path, tmp_path: Path, how: str, shard: str) -> None:
    new = Path(shutil.copytree(sharded, tmp_path / "new"))
    assert audit(new, to="ssd_mobilenet_v2").passed
    message = spoil(new, how, shard)
    with pytest.raises(CheckpointError, match=message):
        audit(new, to="ssd_mobilenet_v2")
    with pytest.raises(CheckpointError, match=message):
        audit(new, pipeline=new / "pipeline.config")


def test_a_batch_counts_it_as_failed(old: Path, tmp_path: Path) -> None:
    shutil.copytree(TINY, tmp_path / "whole")
    spoil(old, "pointer")
    report = convert_many([old, tmp_path / "whole"], to="ssd_mobilenet_v2", output=None)
    assert [one["fate"] for one in report["conversions"]] == ["failed", "planned"]
    assert report["exit_code"] == 2


def test_the_parts_of_a_partitioned_variable_count(tmp_path: Path) -> None:
    array = np.arange(600, dtype=np.float32).reshape(300, 2)
    with Staging(tmp_path) as staging, BundleWriter(staging, "m") as writer:
        for start in (0, 150):
            piece = encode(DType.FLOAT32, array[start : start + 150])
            writer.add_part("v", DType.FLOAT32, (300, 2), ((start, 150), (0, FULL)), [piece])
        writer.finish()
        staging.commit()
    with open_checkpoint(tmp_path / "m") as checkpoint:
        checkpoint.refuse_absent_data()
    spoil(tmp_path, "short")
    with (
        open_checkpoint(tmp_path / "m") as checkpoint,
        pytest.raises(CheckpointError, match=r"1200 bytes, the index needs at least 2400"),
    ):
        checkpoint.refuse_absent_data()


def test_index_only_judges_by_the_index(old: Path, tmp_path: Path) -> None:
    spoil(old, "missing")
    report = ckptmap.convert(old, to="ssd_mobilenet_v2", output=None, index_only=True)
    assert (report["summary"]["restored"], report["output"]) == (324, None)
    assert ckptmap.plan(old, to="ssd_mobilenet_v2").summary["restored"] == 324
    with pytest.raises(CkptmapError, match="without the data files nothing can be written"):
        ckptmap.convert(old, to="ssd_mobilenet_v2", output=tmp_path / "new", index_only=True)


def test_missing_is_told_apart(old: Path) -> None:
    spoil(old, "missing")
    with open_checkpoint(old) as checkpoint, pytest.raises(MissingDataError):
        checkpoint.refuse_absent_data()
