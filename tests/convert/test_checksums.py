"""The same input gives the same bytes, the report says which they were, and damage does not pass for a value."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.reader import open_checkpoint
from tests.checkpoint.test_frozen import GRAPH
from tests.convert.conftest import TABLE, tf1_values

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "fixtures" / "ssd_mobilenet_v2_tiny"
HEAD = "model/head/kernel/.ATTRIBUTES/VARIABLE_VALUE"
KERNEL = "model/backbone/layer-0/kernel/.ATTRIBUTES/VARIABLE_VALUE"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def data_file(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}.data-00000-of-00001")


def damage(source: Path) -> None:
    """A byte of the first value, net/conv/weights behind global_step, is another one."""
    raw = bytearray(data_file(source).read_bytes())
    raw[12] ^= 1
    data_file(source).write_bytes(raw)


def test_the_report_has_the_checksums_of_both_sides_and_of_every_table(
    source: Path, template: Path, tmp_path: Path
) -> None:
    table = tmp_path / "my_model.yaml"
    (tmp_path / "inner.yaml").write_text(TABLE)
    table.write_text("include: [{table: inner}]\n")
    report = ckptmap.convert(source, to=template, table=table, output=tmp_path / "new")
    assert report["output"]["checksums"] == {
        "source": {"model.ckpt.index": sha256(tmp_path / "old" / "model.ckpt.index")},
        "table": {
            table.as_posix(): sha256(table),
            (tmp_path / "inner.yaml").as_posix(): sha256(tmp_path / "inner.yaml"),
        },
        "output": {"ckpt-0.index": sha256(tmp_path / "new" / "ckpt-0.index")},
    }


def test_a_source_without_checksums_of_its_values_is_told_by_its_files(tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(GRAPH)
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.digests() == {"graph.pb": sha256(path)}


def test_the_bytes_are_the_same_on_every_platform_and_python(tmp_path: Path) -> None:
    """A class head is drawn anew, all else is carried over; the values were written down on Linux, Python 3.11."""
    ckptmap.convert(
        TINY, to="ssd_mobilenet_v2", num_classes=5, output=tmp_path / "new", data="copy", seed=5, no_pipeline=True
    )
    assert {path.name: sha256(path) for path in (tmp_path / "new").iterdir() if path.name != "report.json"} == {
        "checkpoint": "3cbc5a977ed375d0e03551fd895e49271a86a02c7a9ae4855aa249749f61f910",
        "ckpt-0.data-00000-of-00001": "20cca7f70c115dc50c08eff55b39d5404d628160881b779f8939d47e791cf77c",
        "ckpt-0.index": "f1a9b24336a9e9ea1c5b7c97df39ce495b1ed3c5f0e08a11f53bb0f77189fdcc",
    }


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the order of sets and dicts, the time, and the folder it runs in."""
    found = []
    for seed in ("0", "1"):
        folder = tmp_path / seed
        folder.mkdir()
        (folder / "old").symlink_to(ROOT / "fixtures" / "ssd_mobilenet_v2_tiny", target_is_directory=True)
        command = [sys.executable, "-m", "ckptmap", "convert", "old/model.ckpt", "-o", "new", "--report", "r.html"]
        command += ["--pipeline", "old/pipeline.config", "--data", "copy"]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        found.append({path.name: path.read_bytes() for path in (*(folder / "new").iterdir(), folder / "r.html")})
    assert found[0] == found[1]
    assert len(found[0]) == 6


@pytest.mark.parametrize("mode", ["auto", "copy", "link"])
def test_without_verify_damage_is_taken_and_the_report_says_so(
    source: Path, template: Path, table: Path, tmp_path: Path, mode: str
) -> None:
    damage(source)
    report = ckptmap.convert(source, to=template, table=table, output=tmp_path / "new", data=mode, verify=False)
    note = "verify=False: the checksums of the source were not compared, its values may be damaged"
    output = report["output"]
    assert (output["data"], output["verified"], output["notes"]) == ("copy", 7, [note])
    assert json.loads((tmp_path / "new" / "report.json").read_text())["output"]["notes"] == [note]
    with open_checkpoint(tmp_path / "new") as checkpoint:  # with a checksum of its own
        differs = checkpoint.read(KERNEL) != tf1_values()["net/conv/weights"]
        assert np.flatnonzero(differs).size == 1


def test_with_verify_the_report_has_no_such_note(source: Path, template: Path, table: Path, tmp_path: Path) -> None:
    report = ckptmap.convert(source, to=template, table=table, output=tmp_path / "new")
    assert report["output"]["notes"] == []


@pytest.mark.parametrize("suffix", ["index", "data-00000-of-00001"])
def test_a_source_that_changes_meanwhile(
    source: Path, template: Path, table: Path, tmp_path: Path, suffix: str
) -> None:
    """The same bytes, but written anew: whoever wrote them may write others next."""
    file = source.with_name(f"{source.name}.{suffix}")

    def rewrite(done: int, total: int) -> None:
        file.write_bytes(file.read_bytes())
        os.utime(file, (1, 1))

    with pytest.raises(CheckpointError) as caught:
        ckptmap.convert(source, to=template, table=table, output=tmp_path / "new", data="copy", progress=rewrite)
    assert str(caught.value) == (
        f"{file}: was changed while it was read (wait until nobody writes to it, then run this again)"
    )
    assert not (tmp_path / "new").exists()


def test_a_source_that_goes_away_meanwhile(source: Path, template: Path, table: Path, tmp_path: Path) -> None:
    index = source.with_name("model.ckpt.index")
    with pytest.raises(CheckpointError, match=r"model\.ckpt\.index: was changed while it was read"):
        ckptmap.convert(
            source, to=template, table=table, output=tmp_path / "new", progress=lambda *_: index.unlink(missing_ok=True)
        )
    assert not (tmp_path / "new").exists()
