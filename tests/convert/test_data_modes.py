"""Every writing mode gives the same checkpoint and leaves the source alone, wherever it lies."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint import cloning
from tests.convert.conftest import tf1_values, write_template, write_tf1

MODES = ("auto", "copy", "reflink", "link")
TRANSPOSED = """\
variables:
  - {from: net/conv/weights, to: Conv1/kernel, ops: [{transpose: [0, 1, 3, 2]}]}
kinds:
  batch_norm: {gamma: gamma, beta: beta, moving_mean: moving_mean}
  conv: {weights: kernel, biases: bias}
layers:
  - {from: net/conv/BatchNorm, to: bn_Conv1, as: batch_norm}
  - {from: head/ClassPredictor, to: Head/ClassPredictor, as: conv, per_class: {axis: -1}}
drop:
  - {match: global_step, reason: bookkeeping}
"""


def contents(prefix: Path) -> dict[str, bytes]:
    with ckptmap.open_checkpoint(prefix) as checkpoint:
        return {name: b"".join(checkpoint.chunks(name)) for name in checkpoint.inventory.variables}


def state(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode) for path in folder.iterdir()}


def data_file(folder: Path, name: str = "ckpt-0") -> Path:
    return min(folder.glob(f"{name}.data-*"))


def fail(code: int) -> Any:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return refuse


@pytest.fixture
def clones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that can clone, in the eyes of the caller: the bytes arrive."""
    monkeypatch.setattr(cloning, "_clone", shutil.copyfile)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another device."""
    memory = Path("/dev/shm")  # noqa: S108
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_gives_the_same_values_and_leaves_the_source(
    source: Path, template: Path, table: Path, tmp_path: Path, mode: str
) -> None:
    ckptmap.convert(source, to=template, table=table, output=tmp_path / "plain", data="copy")
    before = state(source.parent)
    ckptmap.convert(source, to=template, table=table, output=tmp_path / "new", data=mode)
    assert contents(tmp_path / "new" / "ckpt-0") == contents(tmp_path / "plain" / "ckpt-0")
    assert state(source.parent) == before


def test_a_link_is_the_same_file_and_no_value_is_read(
    source: Path, template: Path, table: Path, tmp_path: Path
) -> None:
    report = ckptmap.convert(source, to=template, table=table, output=tmp_path / "new", data="link")
    assert data_file(tmp_path / "new").samefile(data_file(source.parent, "model.ckpt"))
    found = {name: report["output"][name] for name in ("data", "verified", "kept", "notes")}
    assert found == {"data": "link", "verified": 1, "kept": 6, "notes": []}  # the save counter is new
    assert (tmp_path / "new" / "ckpt-0.data-00001-of-00002").stat().st_size < 2000


def test_a_clone_is_a_file_of_its_own(source: Path, template: Path, table: Path, tmp_path: Path, clones: None) -> None:
    for mode in ("auto", "reflink"):
        report = ckptmap.convert(source, to=template, table=table, output=tmp_path / mode, data=mode)
        assert (report["output"]["data"], report["output"]["kept"]) == ("reflink", 6)
        clone, old = data_file(tmp_path / mode), data_file(source.parent, "model.ckpt")
        assert clone.read_bytes() == old.read_bytes()
        assert not clone.samefile(old)


def test_changed_values_go_into_a_file_of_their_own(source: Path, tmp_path: Path) -> None:
    table = tmp_path / "transposed.yaml"
    table.write_text(TRANSPOSED)
    template = write_template(
        tmp_path / "zoo" / "ckpt-0", extra={"backbone/layer-0/kernel": ("Conv1/kernel", (1, 1, 8, 3))}
    )
    report = ckptmap.convert(source, to=template, table=table, output=tmp_path / "new", data="link")
    assert (report["output"]["verified"], report["output"]["kept"]) == (2, 5)
    with ckptmap.open_checkpoint(tmp_path / "new" / "ckpt-0") as checkpoint:
        kernel = "model/backbone/layer-0/kernel/.ATTRIBUTES/VARIABLE_VALUE"
        np.testing.assert_array_equal(checkpoint.read(kernel), tf1_values()["net/conv/weights"].transpose(0, 1, 3, 2))
        span = checkpoint.inventory.variables[kernel].span
        assert span is not None
        assert span.file == 1


@pytest.mark.parametrize("mode", MODES)
def test_across_devices_every_mode_copies_and_says_so(
    source: Path, template: Path, table: Path, tmp_path: Path, elsewhere: Path, mode: str
) -> None:
    before = state(source.parent)
    report = ckptmap.convert(source, to=template, table=table, output=elsewhere / "new", data=mode)
    output = report["output"]
    assert (output["data"], output["verified"], output["kept"]) == ("copy", 7, 0)
    refused = [f"copied, {mode} is not possible here: Invalid cross-device link"]
    assert output["notes"] == (refused if mode in ("link", "reflink") else [])
    assert state(source.parent) == before
    ckptmap.convert(source, to=template, table=table, output=tmp_path / "plain", data="copy")
    assert contents(elsewhere / "new" / "ckpt-0") == contents(tmp_path / "plain" / "ckpt-0")


@pytest.mark.parametrize(("mode", "call"), [("link", "hardlink_to"), ("reflink", None), ("auto", None)])
def test_a_file_system_without_links_and_clones(
    source: Path, template: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, call: str
) -> None:
    if call:
        monkeypatch.setattr(Path, call, fail(errno.EOPNOTSUPP))
    else:
        monkeypatch.setattr(cloning, "_clone", fail(errno.EOPNOTSUPP))
    output = ckptmap.convert(source, to=template, table=table, output=tmp_path / "new", data=mode)["output"]
    reason = os.strerror(errno.EOPNOTSUPP)
    assert output["notes"] == ([] if mode == "auto" else [f"copied, {mode} is not possible here: {reason}"])
    assert (output["data"], output["verified"]) == ("copy", 7)
    assert [path.name for path in sorted((tmp_path / "new").iterdir())] == [
        "checkpoint", "ckpt-0.data-00000-of-00001", "ckpt-0.index", "report.json",
    ]  # fmt: skip


def test_without_copying_in_the_kernel(
    source: Path, template: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ckptmap.convert(source, to=template, table=table, output=tmp_path / "one", data="copy")
    monkeypatch.setattr(cloning, "_in_kernel", lambda *_: 0)
    ckptmap.convert(source, to=template, table=table, output=tmp_path / "other", data="copy")
    assert data_file(tmp_path / "one").read_bytes() == data_file(tmp_path / "other").read_bytes()


def test_a_copy_holds_the_wanted_bytes_alone(tmp_path: Path, template: Path, table: Path) -> None:
    slots = {f"{name}/Momentum": value for name, value in tf1_values().items() if name != "global_step"}
    training = write_tf1(tmp_path / "training" / "model.ckpt", {**tf1_values(), **slots})
    output = ckptmap.convert(training, to=template, table=table, output=tmp_path / "copy", data="copy")["output"]
    assert output["notes"] == []
    size = sum(len(value) for value in contents(tmp_path / "copy" / "ckpt-0").values())
    assert data_file(tmp_path / "copy").stat().st_size == size
    output = ckptmap.convert(training, to=template, table=table, output=tmp_path / "link", data="link")["output"]
    assert output["notes"] == [
        "344 bytes of the old data files belong to no variable; data='copy' omits them"
    ]  # 84 values of 4 bytes, and the global step


def test_a_symbolic_link_is_followed(source: Path, template: Path, table: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for path in source.parent.iterdir():
        (cache / path.name).symlink_to(path)
    ckptmap.convert(cache / source.name, to=template, table=table, output=tmp_path / "new", data="link")
    linked = data_file(tmp_path / "new")
    assert not linked.is_symlink()
    assert linked.samefile(data_file(source.parent, source.name))


@pytest.mark.parametrize("mode", ["copy", "link"])
def test_a_damaged_source_is_named(source: Path, template: Path, table: Path, tmp_path: Path, mode: str) -> None:
    data = data_file(source.parent, source.name)
    data.write_bytes(data.read_bytes()[:-4] + b"\xff\xff\xff\xff")
    with pytest.raises(CheckpointError, match=r"checksum of .* is wrong") as caught:
        ckptmap.convert(source, to=template, table=table, output=tmp_path / "new", data=mode, verify_data=True)
    assert str(data) in str(caught.value)
    assert not (tmp_path / "new").exists()


def test_a_cut_off_source_is_never_linked(source: Path, template: Path, table: Path, tmp_path: Path) -> None:
    data = data_file(source.parent, source.name)
    data.write_bytes(data.read_bytes()[:-4])
    with pytest.raises(CheckpointError, match="is cut off"):
        ckptmap.convert(source, to=template, table=table, output=tmp_path / "new", data="link")
    assert not (tmp_path / "new").exists()


def test_verify_data_reads_what_is_linked(source: Path, template: Path, table: Path, tmp_path: Path) -> None:
    report = ckptmap.convert(source, to=template, table=table, output=tmp_path / "new", data="link", verify_data=True)
    assert (report["output"]["data"], report["output"]["verified"], report["output"]["kept"]) == ("link", 7, 0)


LINKED = """
import sys
import ckptmap
source, template, table, output = sys.argv[1:]
ckptmap.convert(source, to=template, table=table, output=output, data="link")
print("numpy" in sys.modules)
"""


def test_a_link_computes_nothing(source: Path, template: Path, table: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", LINKED, source, template, table, tmp_path / "new"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
