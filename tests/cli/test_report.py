import json
from pathlib import Path

import pytest

from tests.cli.conftest import Project, Run


@pytest.fixture
def saved(run: Run, project: Project) -> Path:
    assert run("convert", *project.arguments, "-o", project.folder / "new").code == 0
    return project.folder / "new" / "report.json"


def test_text_is_what_convert_printed(run: Run, project: Project, saved: Path) -> None:
    result = run("report", saved)
    assert result.code == 0
    assert "6 restored       0 reinitialized       0 missing   of 6 target variables" in result.out


def test_a_page_is_rendered_later(run: Run, saved: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = run("report", saved, "--format", "html", "-o", page)
    assert (result.code, result.out) == (0, "")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_several_formats_at_once(run: Run, saved: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("r.csv", "r.md", "r.xml")]
    arguments = [item for file in files for item in ("-o", file)]
    assert run("report", saved, *arguments, "--json").out == saved.read_text()
    assert [file.stat().st_size > 100 for file in files] == [True] * 3


def test_a_failure_leaves_no_file(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps({"schema": "ckptmap.report/1"}))
    result = run("report", broken, "-o", tmp_path / "page.html")
    assert result.code == 2
    assert (
        result.err == f"error: {broken}: does not follow the schema ckptmap.report/1: 'target_variables' is missing\n"
    )
    assert not (tmp_path / "page.html").exists()
