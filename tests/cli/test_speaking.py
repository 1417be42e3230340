"""How much is said, and in which colors."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from ckptmap.cli.speaking import has_colors
from tests.cli.conftest import Project, Run


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "colors"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colors(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, environment: dict[str, str], colors: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert has_colors(stream) is colors


def test_an_error_is_red_where_there_are_colors(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert run("inspect", "nowhere").err.startswith("error: ")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run("inspect", "nowhere").err.startswith("\x1b[31m\x1b[1merror:\x1b[0m ")
    assert "\x1b[31m\x1b[1merror:\x1b[0m No such option" in run("inspect", "--nothing").err


def test_quiet_says_nothing_but_makes_what_is_asked_for(run: Run, project: Project) -> None:
    report = project.folder / "report.html"
    result = run("convert", *project.arguments, "-o", project.folder / "new", "-q", "--report", report)
    assert (result.code, result.out, result.err) == (0, "", "")
    assert report.read_text().startswith("<!doctype html>")
    assert (project.folder / "new" / "ckpt-0.index").is_file()
    assert run("convert", *project.arguments, "--dry-run", "-q", "--json").out.startswith("{")
    failed = run("-q", "convert", *project.arguments, "-o", project.folder / "new")
    assert (failed.code, failed.out) == (2, "")
    assert failed.err.startswith("error: ")


def test_quiet_keeps_the_exit_code(run: Run, project: Project) -> None:
    other = project.folder / "other"
    run("edit", project.source, "-o", other, "--scope", "x")
    assert run("diff", project.source, other, "-q") == run("diff", project.source, other, "--quiet")
    result = run("diff", project.source, other, "-q")
    assert (result.code, result.out, result.err) == (1, "", "")
    assert (run("inspect", project.source, "-q").out, run("inspect", project.source).out != "") == ("", True)


def test_verbose_says_how_long_it_took_and_lists_all(run: Run, project: Project) -> None:
    plain, verbose = (run("diff", project.source, project.source, *more) for more in ([], ["-v"]))
    assert (plain.code, verbose.code) == (0, 0)
    assert len(verbose.out.splitlines()) > len(plain.out.splitlines())
    assert verbose.err.startswith("ckptmap ")
    assert verbose.err.endswith(" s, exit code 0\n")
    assert plain.err == ""


def test_verbose_says_where_an_error_arose(run: Run) -> None:
    assert "Traceback" not in run("inspect", "nowhere").err
    told = run("inspect", "nowhere", "-v").err
    assert "Traceback" in told
    assert "error: " in told


def test_every_file_that_is_written_is_named(run: Run, project: Project, tmp_path: Path) -> None:
    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    result = run("inspect", project.source, "-o", page, "--report", table)
    assert result.err == f"wrote {page}\nwrote {table}\n"


def test_what_is_said_goes_to_stderr_that_is_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert run("inspect", "nowhere").code == 2
