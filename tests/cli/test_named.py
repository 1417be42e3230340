"""What the user names, and names wrongly: targets as `inspect` prints them, folders, label maps, lists."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Project, Run

FIXTURES = Path(__file__).parents[2] / "fixtures"
TINY = FIXTURES / "ssd_mobilenet_v2_tiny"
DEPTHWISE = FIXTURES / "ssd_mobilenet_v2_depthwise"


def test_old_and_new_are_enough(run: Run, tmp_path: Path) -> None:
    result = run("convert", TINY, "-o", tmp_path / "new")
    assert result.code == 0
    assert f"{TINY / 'pipeline.config'} is used: it lies beside the checkpoint" in result.out
    assert "verdict equal: ssd_mobilenet_v2_keras" in result.out
    assert (tmp_path / "new" / "pipeline.config").is_file()


def test_no_pipeline_leaves_it_out(run: Run, tmp_path: Path) -> None:
    result = run("convert", TINY, "--no-pipeline", "-o", tmp_path / "new")
    assert result.code == 0
    assert "pipeline.config is used" not in result.out
    assert not (tmp_path / "new" / "pipeline.config").exists()
    refused = run("convert", TINY, "--no-pipeline", "--pipeline", TINY / "pipeline.config", "-o", tmp_path / "new")
    assert (refused.code, "leave one of the two out" in refused.err) == (2, True)


def test_the_model_that_inspect_prints_is_a_target(run: Run, tmp_path: Path) -> None:
    model = json.loads(run("inspect", DEPTHWISE, "--json").out)["architecture"]["name"]
    result = run("convert", DEPTHWISE, "--to", model, "-o", tmp_path / "new")
    assert result.code == 0
    assert run("audit", tmp_path / "new", "--to", model).code == 0
    assert run("convert", TINY, "--to", "ssdlite_mobilenet_v2", "--dry-run").code == 0


def test_a_dry_run_lists_the_edits_of_the_real_run(run: Run, tmp_path: Path) -> None:
    arguments = ("convert", TINY, "--pipeline", TINY / "pipeline.config", "-o", tmp_path / "new", "--json")
    dry = json.loads(run(*arguments, "--dry-run").out)
    assert not (tmp_path / "new").exists()
    assert dry["config"] == json.loads(run(*arguments).out)["config"]


@pytest.mark.parametrize("command", ["convert", "audit"])
def test_a_pointer_in_place_of_the_data_fails_what_promises(run: Run, tmp_path: Path, command: str) -> None:
    folder = tmp_path / "new"
    if command == "audit":
        run("convert", TINY, "-o", folder)
        arguments: list[object] = ["audit", folder, "--to", "ssd_mobilenet_v2"]
    else:
        shutil.copytree(TINY, folder)
        arguments = ["convert", folder, "--dry-run"]
    (data,) = folder.glob("*.data-*")
    data.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n")
    result = run(*arguments, *(("-o", tmp_path / "a.xml") if command == "audit" else ()))
    assert (result.code, result.out) == (2, "")
    assert "this is a Git-LFS pointer, not the file itself" in result.err
    assert not (tmp_path / "a.xml").exists()
    assert run(*arguments, "--index-only").code == 0


def test_index_only_writes_nothing(run: Run, tmp_path: Path) -> None:
    result = run("convert", TINY, "--index-only", "-o", tmp_path / "new")
    assert (result.code, "add --dry-run" in result.err) == (2, True)


def test_a_folder_as_the_config(run: Run, tmp_path: Path) -> None:
    assert run("convert", TINY, "--pipeline", TINY, "-o", tmp_path / "new").code == 0
    assert run("audit", tmp_path / "new", "--pipeline", tmp_path / "new").code == 0
    assert run("config", "migrate", TINY, "-o", tmp_path / "migrated.config").code == 0
    assert run("freeze", TINY, "--pipeline", TINY, "--pattern", "FeatureExtractor/.*").code == 0
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "mine.config").write_text("")
    result = run("convert", TINY, "--pipeline", tmp_path / "none", "-o", tmp_path / "other")
    assert result.code == 2
    assert "none: is a folder without a pipeline.config (name the file: mine.config)" in result.err


@pytest.mark.parametrize("behind", [("--dry-run",), ("-o", "new"), ("SOURCE",)])
def test_one_file_after_label_map(run: Run, tmp_path: Path, behind: tuple[str, ...]) -> None:
    (tmp_path / "a.pbtxt").write_text("item { id: 1 name: 'cat' }")
    words = [str(TINY) if word == "SOURCE" else word for word in behind]
    before = [] if behind == ("SOURCE",) else [TINY]
    result = run("convert", *before, "--label-map", tmp_path / "a.pbtxt", *words)
    assert result.code == 2
    assert (
        f"takes two files, OLD and NEW: the map of the old classes and the map of the new ones, not {words[0]}"
        in result.err
    )


def test_a_label_map_with_an_absurd_class(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.pbtxt").write_text("item { id: 999999999 name: 'cat' }")
    result = run("convert", TINY, "--label-map", tmp_path / "a.pbtxt", tmp_path / "b.pbtxt", "--dry-run")
    assert result.code == 2
    assert f"{tmp_path}/b.pbtxt: num_classes lies between 1 and 100000, not 999999999" in result.err


@pytest.mark.parametrize(
    "option", [("--num-classes", "2147483647"), ("--num-classes", "0"), ("--set", "anchors_0=2147483647")]
)
def test_absurd_numbers_on_the_command_line(run: Run, option: tuple[str, str]) -> None:
    result = run("convert", TINY, *option, "--dry-run")
    assert result.code == 2
    assert "100000" in result.err or "10000" in result.err


def test_no_words_of_python(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "r.json"
    bad.write_text("[\n  oops")
    told = [
        run("report", bad).err,
        run("report", tmp_path / "none.json").err,
        run("convert", "--batch", tmp_path / "none.txt", "-o", tmp_path / "new").err,
        run("convert", "--batch", tmp_path, "-o", tmp_path / "new").err,
        run("convert", TINY, "--pipeline", tmp_path / "none.config", "--dry-run").err,
    ]
    assert "what begins on line 2, column 3 is not JSON" in told[0]
    assert not [text for text in told if "Errno" in text or "Expecting" in text or "Traceback" in text]
    assert all(text.startswith("error: ") for text in told)


def test_a_file_of_a_checkpoint_in_a_list_names_the_folder_by_the_prefix(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copytree(TINY, tmp_path / "zoo" / name)
    (tmp_path / "zoo" / "list.txt").write_text("a/model.ckpt.index\nb/model.ckpt.data-00000-of-00001\n")
    result = run("convert", "--batch", tmp_path / "zoo" / "list.txt", "-o", tmp_path / "new")
    assert result.code == 0
    assert sorted(path.name for path in (tmp_path / "new").glob("*/*")) == ["model.ckpt", "model.ckpt"]


def test_a_user_s_own_model_is_not_fine_tuned_by_the_api(run: Run, project: Project) -> None:
    result = run("convert", *project.arguments, "-o", project.folder / "new")
    assert result.code == 0
    assert "fine_tune_checkpoint" not in result.out
    assert "checkpoint.restore(" in result.out
