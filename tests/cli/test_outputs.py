import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import typer

from ckptmap.cli.outputs import Outputs, choose_outputs, emit
from ckptmap.report.formats import Format
from tests.checkpoint.test_v1 import TENSORFLOW_FILE
from tests.cli.conftest import Project, Run

A, SUMMARY = Path("a.html"), Path("summary")


def test_text_goes_to_stdout_unless_a_format_is_asked_for() -> None:
    assert choose_outputs(None, None) == Outputs((), (Format.TEXT,))
    assert choose_outputs(None, [A]) == Outputs(((A, Format.HTML),), (Format.TEXT,))
    assert choose_outputs([Format.HTML], [A]) == Outputs(((A, Format.HTML),), ())
    assert choose_outputs([Format.MARKDOWN], None) == Outputs((), (Format.MARKDOWN,))
    assert choose_outputs(None, None, json=True) == Outputs((), (Format.JSON,))
    log = Path("build.LOG")
    assert choose_outputs([Format.GITHUB], [log]) == Outputs(((log, Format.TEXT),), (Format.GITHUB,))


def test_a_file_without_a_known_ending_takes_the_first_format_that_is_left() -> None:
    chosen = choose_outputs([Format.HTML, Format.MARKDOWN, Format.GITHUB], [A, SUMMARY])
    assert chosen == Outputs(((A, Format.HTML), (SUMMARY, Format.MARKDOWN)), (Format.GITHUB,))


@pytest.mark.parametrize(
    ("name", "said"),
    [("a.pdf", "no format has the ending .pdf"), ("a", "it has no ending"), (".html", "it has no ending")],
)
def test_an_unknown_ending_is_an_error_that_lists_the_known_ones(
    run: Run, project: Project, tmp_path: Path, name: str, said: str
) -> None:
    result = run("diff", project.source, project.source, "-o", tmp_path / name)
    assert result.code == 2
    assert f"{said}: take one of .txt .log .json .csv .parquet .md .markdown .html .htm .xml" in flat(result.err)
    assert "Invalid value for -o / --report: " in flat(result.err)
    assert not (tmp_path / name).exists()
    beside = run("convert", project.source, "-o", tmp_path / "new", "--report", tmp_path / name)
    assert (beside.code, "Invalid value for --report: " in flat(beside.err)) == (2, True)
    assert run("diff", project.source, project.source, "-o", tmp_path / name, "--format", "markdown").code == 0
    assert (tmp_path / name).read_text(encoding="utf-8").startswith("### ")


def test_a_file_in_a_folder_that_is_not_there_is_refused_before_the_work(
    run: Run, project: Project, tmp_path: Path
) -> None:
    for command in (("diff", project.source, project.source), ("convert", project.source, "-o", tmp_path / "new")):
        option = "-o" if command[0] == "diff" else "--report"
        result = run(*command, option, tmp_path / "no" / "r.html")
        assert (result.code, result.out) == (2, "")
        assert "there is no folder " in result.err
        assert "(make the folder first, or name another one)" in result.err
    assert list(tmp_path.glob("n*")) == []


def flat(text: str) -> str:
    """Without the frame that typer draws, and its line breaks."""
    return " ".join(text.replace("│", " ").split())


def test_annotations_stand_behind_the_text(run: Run, project: Project) -> None:
    result = run("diff", project.source, project.source, "--format", "github", "--format", "text")
    lines = result.out.splitlines()
    assert lines[-2:] == [
        "equal: 7 variables compared",
        "::notice title=ckptmap diff::equal: 7 variables compared",
    ]
    assert run("diff", project.source, project.source, "--format", "text").out.splitlines() == lines[:-1]
    stat = run("diff", project.source, project.source, "--stat", "--format", "github").out.splitlines()
    assert stat == lines[-2:]


@pytest.mark.parametrize("before", [b"", b"### of an earlier step\n", b"no line's end"])
def test_the_summary_of_a_job_is_added_to(
    run: Run, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    summary = tmp_path / "step_summary_1b4e"
    summary.write_bytes(before)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    files = ["-o", summary, "-o", tmp_path / "d.xml"]
    first = run("diff", project.source, project.source, *files, "--format", "github", "--format", "markdown")
    assert (first.code, first.out) == (0, "::notice title=ckptmap diff::equal: 7 variables compared\n")
    once = summary.read_bytes()
    own = once.removeprefix(before).removeprefix(b"\n" if before and not before.endswith(b"\n") else b"")
    assert own.startswith("### ✅ ckptmap diff: equal".encode())
    monkeypatch.chdir(tmp_path)
    assert run("convert", *project.arguments, "--dry-run", "--report", "./step_summary_1b4e").code == 0
    assert summary.read_bytes().startswith(once + "### ✅ ckptmap convert".encode())


def test_another_file_is_replaced_where_a_summary_is_told(
    run: Run, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "gone" / "summary"))
    (tmp_path / "d.md").write_text("earlier")
    assert run("diff", project.source, project.source, "-o", tmp_path / "d.md").code == 0
    assert "earlier" not in (tmp_path / "d.md").read_text(encoding="utf-8")
    assert run("diff", project.source, project.source, "-o", tmp_path / "gone" / "summary").code == 2


@pytest.mark.parametrize("way", ["--stat", "--names-only"])
def test_a_short_text_does_not_mix_with_other_formats(run: Run, project: Project, way: str) -> None:
    assert run("diff", project.source, project.source, way, "--json").code == 2


def test_two_formats_never_mix_on_stdout() -> None:
    with pytest.raises(typer.BadParameter, match="csv and json cannot both go to stdout"):
        choose_outputs([Format.CSV], None, json=True)
    with pytest.raises(typer.BadParameter, match="parquet is not text"):
        choose_outputs([Format.PARQUET], None)


def test_errors_are_annotations_on_the_lines_of_the_table(
    run: Run, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.folder))
    project.table.write_text(project.table.read_text().replace("to: Conv1,", "to: Conv9,"))
    result = run("convert", *project.arguments, "--dry-run", "--format", "github")
    assert result.code == 2
    assert result.out.startswith(f"::error file={project.table.name},line=5,title=ckptmap::net/conv/weights: ")
    assert result.err.startswith("error: ")
    assert run("convert", *project.arguments, "--dry-run", "--json").out == ""


@pytest.mark.parametrize(
    "name", ["model.ckpt.index", "model.ckpt.data-00000-of-00001", "checkpoint", "a.pb", "p.config"]
)
def test_a_report_never_replaces_a_file_of_a_model(run: Run, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"precious")
    result = run("diff", tmp_path, tmp_path, "--report", path)
    assert result.code == 2
    assert result.err == (
        f"error: {path}: is a file of a checkpoint or a config: a report does not replace it (give another file)\n"
    )
    assert path.read_bytes() == b"precious"


def test_a_v1_checkpoint_is_known_by_its_content(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(TENSORFLOW_FILE)
    assert run("diff", path, path, "--report", path).code == 2
    assert path.read_bytes() == TENSORFLOW_FILE
    assert run("diff", path, path, "--report", tmp_path / "model.md").code == 0  # there was none


def test_an_earlier_report_is_replaced(run: Run, project: Project, tmp_path: Path) -> None:
    path = tmp_path / "r.md"
    path.write_text("earlier")
    assert run("convert", *project.arguments, "--dry-run", "--report", path).code == 0
    assert path.read_text().startswith("### ✅ ckptmap convert")


def test_a_notebook_s_stdout_takes_text_alone() -> None:
    document = {"schema": "ckptmap.targets/1", "generator": "ckptmap 1", "targets": []}
    with redirect_stdout(io.StringIO()) as stream:
        emit(document, Outputs((), (Format.JSON,)))
    assert json.loads(stream.getvalue()) == document
