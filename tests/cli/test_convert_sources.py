"""What ``convert`` takes besides one TF1 checkpoint, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Project, Run
from tests.convert.conftest import tf1_values, write_tf1


def test_a_further_checkpoint_by_its_name(run: Run, project: Project) -> None:
    names = [name for name in tf1_values() if name.startswith("head")]
    head = write_tf1(project.folder / "head" / "m", {name: tf1_values()[name] + 1 for name in names})
    body = {name: value for name, value in tf1_values().items() if name not in names}
    source = write_tf1(project.folder / "body" / "m", body)
    done = run(
        "convert", source, "--and", f"head={head}", "--table", project.table, "--to", project.template,
        *("-o", project.folder / "new"),
    )  # fmt: skip
    assert done.code == 0, done.err
    report = json.loads((project.folder / "new" / "report.json").read_text())
    assert report["summary"]["restored"] == 6
    assert {one["name"] for one in report["source_variables"]} == {*body, *(f"head:{name}" for name in names)}


@pytest.mark.parametrize("words", [["--and", "x"], ["--and", "x="], ["--and", "x=a", "--and", "x=b"]])
def test_a_further_checkpoint_that_is_none(run: Run, project: Project, words: list[str]) -> None:
    done = run("convert", *project.arguments, *words, "-o", project.folder / "new")
    assert done.code == 2
    assert "write NAME=CHECKPOINT, each name once" in done.err
    assert not (project.folder / "new").exists()


def test_the_config_beside_a_file_of_weights_names_no_checkpoint(run: Run, tmp_path: Path) -> None:
    tiny = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"
    done = run("convert", tiny, "--write", "safetensors", "-o", tmp_path / "new")
    assert done.code == 0
    assert "does not name this file: the Object Detection API restores checkpoints only" in done.out
    assert "ckpt-0" not in done.out + (tmp_path / "new" / "pipeline.config").read_text()
    assert "fine_tune_checkpoint" not in (tmp_path / "new" / "pipeline.config").read_text()
    planned = run("convert", tiny, "--write", "safetensors", "-o", tmp_path / "other", "--dry-run")
    assert "ckpt-0" not in planned.out


def test_a_safetensors_file_instead_of_a_checkpoint(run: Run, project: Project) -> None:
    done = run("convert", *project.arguments, "--write", "safetensors", "-o", project.folder / "new")
    assert done.code == 0, done.err
    assert f'safetensors.numpy.load_file("{project.folder / "new" / "model.safetensors"}")' in done.out
    shown = run("inspect", project.folder / "new" / "model.safetensors")
    assert "Conv1" in shown.out


@pytest.mark.parametrize("where", ["source", "template"])
def test_a_hostile_file_is_refused_and_nothing_is_written(run: Run, project: Project, where: str) -> None:
    bad = project.folder / "bad.weights.h5"
    h5py = pytest.importorskip("h5py", reason="needs the [keras] extra")
    with h5py.File(bad, "w") as file:
        file.create_dataset("d/vars/0", data=np.zeros(2, "f4"))
        file["out"] = h5py.ExternalLink("/etc/passwd", "/")
    paths = {"source": project.source, "template": project.template, where: bad}
    done = run("convert", paths["source"], "--to", paths["template"], "-o", project.folder / "new")
    assert done.code == 2
    assert done.err.startswith(f"error: {bad}: out is an external link")
    assert not (project.folder / "new").exists()


def test_a_folder_is_searched_and_a_second_run_resumes(run: Run, project: Project, tmp_path: Path) -> None:
    for name in "ab":
        write_tf1(tmp_path / "many" / name / "model.ckpt", tf1_values())
    words = ["convert", tmp_path / "many", *project.arguments[1:], "-o", project.folder / "new"]
    first = run(*words)
    assert (first.code, "2 of 2 checkpoints converted" in first.out) == (0, True), first.err
    again = run(*words, "--resume")
    assert again.code == 0
    assert "0 of 2 checkpoints converted; 2 kept from an earlier run" in again.out
    assert run(*words).code == 2
