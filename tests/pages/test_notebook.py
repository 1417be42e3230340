"""The notebook runs from top to bottom, where its wheel can be had and TensorFlow with Keras 3 is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages.documents import ROOT

NOTEBOOK = ROOT / "docs" / "notebooks" / "musicnn_to_keras3.ipynb"


def code() -> list[str]:
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def test_each_cell_is_python() -> None:
    for at, cell in enumerate(code()):
        compile(cell, f"{NOTEBOOK.name}, code cell {at}", "exec")
    assert len(code()) > 8


def test_it_is_committed_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    assert [cell for cell in cells if cell.get("outputs")] == []


def fetch(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "musicnn==0.1.0"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the wheel of musicnn cannot be had here: {done.stderr.strip().splitlines()[-1:]}")


@pytest.mark.matrix
def test_it_runs_from_top_to_bottom(tmp_path: Path) -> None:
    """In a process of its own, since Keras 2 may be the Keras of this one."""
    pytest.importorskip("tensorflow", reason="needs the [tf] extra")
    pytest.importorskip("keras", minversion="3", reason="needs Keras 3")
    fetch(tmp_path)
    (tmp_path / "notebook.py").write_text("\n".join(code()), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run(
        [sys.executable, "notebook.py"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "86 variables" in done.stdout
    assert (tmp_path / "musicnn_vgg.keras").is_file()
