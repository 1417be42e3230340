import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Project, Run
from tests.convert.conftest import tf1_values, values, write_tf1


@pytest.fixture
def options(project: Project) -> list[object]:
    return ["--table", project.table, "--to", project.template, "-o", project.folder / "new"]


@pytest.fixture
def several(project: Project) -> list[Path]:
    return [write_tf1(project.folder / "zoo" / name / "model.ckpt", tf1_values()) for name in ("a", "b", "c")]


def test_several_checkpoints_and_one_report(
    run: Run, several: list[Path], options: list[object], project: Project
) -> None:
    result = run("convert", *several, *options, "--data", "copy")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[2] == "plans   1 plan for 3 checkpoints"
    assert lines[-1] == "3 of 3 checkpoints converted"
    for name in "abc":
        assert (project.folder / "new" / name / "model.ckpt" / "ckpt-0.index").exists()


def test_a_list_and_its_worst(run: Run, several: list[Path], options: list[object], project: Project) -> None:
    write_tf1(several[1], {**tf1_values(), "other/scale": values((2,))})
    (project.folder / "list.txt").write_text("# two\nzoo/a/model.ckpt\n\nzoo/b/model.ckpt\n")
    result = run("convert", "--batch", project.folder / "list.txt", *options, "--json", "--jobs", 2)
    assert result.code == 1
    report = json.loads(result.out)
    assert report["schema"] == "ckptmap.batch/1"
    assert [(one["fate"], one["exit_code"]) for one in report["conversions"]] == [("converted", 0), ("findings", 1)]
    assert report["conversions"][1]["findings"] == [
        {
            "message": "1 source variable that no rule of my_model matches",
            "where": "other/scale",
            "hint": "map or drop them in a table, or accept with --allow-unused other/scale",
        }
    ]
    several[1].with_name("model.ckpt.index").unlink()
    result = run("convert", "--batch", project.folder / "list.txt", several[2], *options, "--force")
    assert result.code == 2
    assert "2 of 3 checkpoints converted; 1 failed" in result.out
    assert "is only the values of a checkpoint: model.ckpt.index, which names them, is missing" in result.out


def test_a_list_of_one_goes_below_the_output_too(
    run: Run, several: list[Path], options: list[object], project: Project
) -> None:
    (project.folder / "list.txt").write_text("zoo/a/model.ckpt\n")
    assert run("convert", "--batch", project.folder / "list.txt", *options).code == 0
    assert (project.folder / "new" / "model.ckpt" / "ckpt-0.index").exists()


def test_a_batch_is_rendered_from_its_json(
    run: Run, several: list[Path], options: list[object], project: Project
) -> None:
    assert run("convert", *several, *options, "--report", project.folder / "all.json").code == 0
    result = run("report", project.folder / "all.json", "--format", "markdown")
    assert result.code == 0
    assert "3 of 3 checkpoints converted" in result.out


def test_a_dry_run_of_many(run: Run, several: list[Path], options: list[object], project: Project) -> None:
    result = run("convert", *several, *options, "--dry-run")
    assert result.code == 0
    assert result.out.splitlines()[-1] == "3 of 3 checkpoints planned; dry run, nothing was written"
    assert not (project.folder / "new").exists()


def test_a_checkpoint_is_needed(run: Run, options: list[object]) -> None:
    result = run("convert", *options)
    assert result.code == 2
    assert "name a checkpoint, or a list of them with --batch" in result.err


def test_a_note_of_all_stands_once_and_what_is_kept_is_no_plan(run: Run, tmp_path: Path) -> None:
    tiny = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"
    for name in ("a", "b", "c"):
        shutil.copytree(tiny, tmp_path / "zoo" / name)
    first = run("convert", tmp_path / "zoo", "-o", tmp_path / "new")
    notes = [line for line in first.out.splitlines() if line.startswith("note")]
    assert len(notes) == 1
    assert f"{tmp_path / 'zoo' / 'a'} and 2 more: pipeline.config is used" in notes[0]
    again = run("convert", tmp_path / "zoo", "-o", tmp_path / "new", "--resume").out.splitlines()
    assert again[:3] == [
        "target  ssd_mobilenet_v2",
        "table   ssd_mobilenet_v2",
        "plans   none needed; 3 kept from an earlier run",
    ]
    shutil.rmtree(tmp_path / "new" / "b")
    some = run("convert", tmp_path / "zoo", "-o", tmp_path / "new", "--resume").out.splitlines()
    assert some[2] == "plans   1 plan for 1 checkpoint; 2 kept from an earlier run"
    report = json.loads((tmp_path / "new" / "batch.json").read_text())
    assert [len(one["notes"]) for one in report["conversions"]] == [1, 1, 1]


def test_what_is_not_known_of_a_batch_is_left_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("nowhere\n")
    failed = run("convert", "--batch", tmp_path / "list.txt", "-o", tmp_path / "new")
    assert (failed.code, failed.out.splitlines()[0]) == (2, "plans  none made")


def test_a_model_that_nobody_knows_leads_to_a_draft(run: Run, project: Project) -> None:
    refused = run("convert", project.source, "-o", project.folder / "new")
    assert refused.code == 2
    assert "your own table with --table, which ckptmap suggest drafts" in refused.err
