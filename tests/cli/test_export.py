"""What cannot be exported is refused before TensorFlow is imported, with what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ckptmap.verbs.conversion import convert
from tests.cli.conftest import Run

TINY = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """An old model, a converted one, its checkpoint alone, its config beside the old checkpoint, and nothing."""
    shutil.copytree(TINY, tmp_path / "old")
    convert(TINY, pipeline=TINY / "pipeline.config", output=tmp_path / "new")
    shutil.copytree(tmp_path / "new", tmp_path / "alone", ignore=shutil.ignore_patterns("*.config"))
    shutil.copytree(tmp_path / "old", tmp_path / "mixed")
    shutil.copy(tmp_path / "new" / "pipeline.config", tmp_path / "mixed")
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "where", "problem"),
    [
        (
            "old",
            "old/pipeline.config",
            "is a config of TF1, which TF2 cannot build (convert it first: ckptmap convert ",
        ),
        ("mixed", "mixed/model.ckpt", "is no checkpoint of TF2 (convert it first: ckptmap convert "),
        ("alone", "alone", "holds no pipeline.config (ckptmap convert --pipeline writes one beside the checkpoint)"),
        ("empty", "empty", "holds no pipeline.config (ckptmap convert --pipeline writes one beside the checkpoint)"),
        ("no", "no", "is no folder (name the folder that ckptmap convert --pipeline wrote)"),
        ("new/ckpt-0", "new/ckpt-0", "is no folder (name the folder that ckptmap convert --pipeline wrote)"),
    ],
)
def test_what_cannot_be_exported(folders: Path, run: Run, name: str, where: str, problem: str) -> None:
    result = run("export", folders / name, "-o", folders / "saved_model")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {folders / where}: {problem}")
    assert not (folders / "saved_model").exists()


def test_an_output_that_is_there(folders: Path, run: Run) -> None:
    result = run("export", folders / "new", "-o", folders / "old")
    assert result.code == 2
    assert result.err == f"error: {folders / 'old'}: exists already (give a new directory)\n"
