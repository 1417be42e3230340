"""What ``ckptmap verify`` says of wrong input, before any model is run. tests/tf/verify runs them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from ckptmap.basics.extras import install
from tests.cli.conftest import Run

TINY = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"


@pytest.fixture
def new(run: Run, tmp_path: Path) -> Path:
    assert run("convert", TINY, "--pipeline", TINY / "pipeline.config", "-o", tmp_path / "new").code == 0
    return tmp_path / "new"


@pytest.mark.skipif(find_spec("tensorflow") is not None, reason="TensorFlow is installed")
def test_without_tensorflow_the_install_command_is_told(run: Run, new: Path) -> None:
    result = run("verify", TINY, new)
    assert result.code == 2
    assert result.err == f"error: TensorFlow is not installed (with Python 3.10 to 3.12: {install('tf')})\n"


@pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed")
def test_wrong_input_is_named_with_exit_code_2(run: Run, new: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, told in {
        (new, new): "this is a TF2 checkpoint (the old side is a TF1 export",
        (TINY, TINY): "this is a TF1 V2 bundle (the new side is what convert --pipeline wrote",
        (tmp_path / "gone", new): "gone",
        (TINY, tmp_path / "empty"): "empty: the folder is empty",
        (TINY, new, "--images", tmp_path / "empty"): "empty: there are no images in this directory",
        (TINY, new, "--images", tmp_path / "gone"): "gone: is not a directory with images",
        (TINY, new, "--label-map", tmp_path / "gone.pbtxt"): "gone.pbtxt",
        (TINY, new, "--pipeline", tmp_path / "gone.config"): "gone.config",
    }.items():
        result = run("verify", *arguments)
        assert (result.code, result.out) == (2, ""), arguments
        assert result.err.startswith("error: ")
        assert told in result.err
    assert run("verify", TINY, new, "--format", "csv", "--json").code == 2
