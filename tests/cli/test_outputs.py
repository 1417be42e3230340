from pathlib import Path

import pytest
import typer

from ckptmap.cli.outputs import Outputs, choose_outputs
from ckptmap.report.formats import Format
from tests.checkpoint.test_v1 import TENSORFLOW_FILE
from tests.cli.conftest import Project, Run

A, SUMMARY = Path("a.html"), Path("summary")


def test_text_goes_to_stdout_unless_a_format_is_asked_for() -> None:
    assert choose_outputs(None, None) == Outputs((), Format.TEXT)
    assert choose_outputs(None, [A]) == Outputs(((A, Format.HTML),), Format.TEXT)
    assert choose_outputs([Format.HTML], [A]) == Outputs(((A, Format.HTML),), None)
    assert choose_outputs([Format.MARKDOWN], None) == Outputs((), Format.MARKDOWN)
    assert choose_outputs(None, None, json=True) == Outputs((), Format.JSON)


def test_a_file_without_a_known_ending_takes_the_first_format_that_is_left() -> None:
    chosen = choose_outputs([Format.HTML, Format.MARKDOWN, Format.GITHUB], [A, SUMMARY])
    assert chosen == Outputs(((A, Format.HTML), (SUMMARY, Format.MARKDOWN)), Format.GITHUB)
    assert choose_outputs(None, [SUMMARY]) == Outputs(((SUMMARY, Format.TEXT),), Format.TEXT)


def test_two_formats_never_mix_on_stdout() -> None:
    with pytest.raises(typer.BadParameter, match="csv and json cannot both go to stdout"):
        choose_outputs([Format.CSV], None, json=True)
    with pytest.raises(typer.BadParameter, match="parquet is no text"):
        choose_outputs([Format.PARQUET], None)


def test_errors_are_annotations_on_the_lines_of_the_table(run: Run, project: Project) -> None:
    project.table.write_text(project.table.read_text().replace("to: Conv1,", "to: Conv9,"))
    result = run("convert", *project.arguments, "--dry-run", "--format", "github")
    assert result.code == 2
    assert result.out.startswith(f"::error file={project.table},line=5,title=ckptmap::net/conv/weights: ")
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
    assert run("diff", path, path, "--report", tmp_path / "model.index").code == 0  # there was none


def test_an_earlier_report_is_replaced(run: Run, project: Project, tmp_path: Path) -> None:
    path = tmp_path / "r.md"
    path.write_text("earlier")
    assert run("convert", *project.arguments, "--dry-run", "--report", path).code == 0
    assert path.read_text().startswith("### ✅ ckptmap convert")
