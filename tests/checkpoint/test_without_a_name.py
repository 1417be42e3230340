"""A checkpoint that was saved under an empty name (``saver.save(session, "folder/")``), opened by everything."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ckptmap.audit import audit
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, add_objects
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import encode
from ckptmap.checkpoint.writer import BundleWriter
from ckptmap.diff import diff
from ckptmap.inspection.inspector import inspect
from tests.checkpoint.strategies import Value
from tests.checkpoint.test_writer import save

WEIGHTS = {"net/w": Value(DType.FLOAT32, np.arange(6, dtype=np.float32).reshape(2, 3))}
FILES = ["", "/", "/.index", "/.data-00000-of-00001"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "m", WEIGHTS, "")
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == [".data-00000-of-00001", ".index"]
    return tmp_path / "m"


@pytest.mark.parametrize("name", FILES)
def test_it_is_read_whole(folder: Path, name: str) -> None:
    with open_checkpoint(f"{folder}{name}") as checkpoint:
        assert checkpoint.inventory.path == f"{folder}/"
        assert checkpoint.read("net/w").tolist() == [[0, 1, 2], [3, 4, 5]]
        assert list(checkpoint.digests()) == [".index"]


@pytest.mark.parametrize("name", FILES)
def test_it_is_inspected(folder: Path, name: str) -> None:
    (folder / "pipeline.config").write_text("model { ssd { num_classes: 1 } }")
    found = inspect(f"{folder}{name}")
    assert [(data.path, data.problem) for data in found.data] == [(f"{folder}/.data-00000-of-00001", "")]
    assert found.config is not None
    assert found.config.path == str(folder / "pipeline.config")


def test_it_is_compared(folder: Path, tmp_path: Path) -> None:
    other = save(tmp_path / "named", WEIGHTS)
    assert diff(f"{folder}/", os.fspath(other)).equal
    assert diff(f"{folder}/.index", f"{folder}").equal


def test_it_is_audited(tmp_path: Path) -> None:
    raw = encode(DType.FLOAT32, WEIGHTS["net/w"].array)
    value = ObjectValue("net/w", DType.FLOAT32, (2, 3), [raw])
    with Staging(tmp_path / "of") as staging, BundleWriter(staging, "") as writer:
        add_objects(writer, "model", [("net/w", value)])
        writer.finish()
        staging.commit()
    for name in FILES:
        found = audit(f"{tmp_path}/of{name}", like=f"{tmp_path}/of/")
        assert found.passed
        assert found.restored_share == 1.0


def test_it_is_read_from_a_store(folder: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the [remote] extra")
    system = fsspec.filesystem("memory")
    for path in folder.iterdir():
        system.pipe_file(f"/unnamed/m/{path.name}", path.read_bytes())
    try:
        for name in FILES:
            with open_checkpoint(f"memory://unnamed/m{name}") as checkpoint:
                assert checkpoint.read("net/w").shape == (2, 3)
    finally:
        system.rm("/unnamed", recursive=True)
