import sys
from pathlib import Path
from typing import Any

import pytest

from ckptmap.report.github import annotation, to_github
from ckptmap.report.sheet import Level, Message
from ckptmap.report.sheets import sheet_of


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository as a step finds it: its root is the working directory and has a table."""
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "t.yaml").touch()
    return tmp_path


@pytest.mark.usefixtures("workspace")
def test_annotations_on_lines_of_tables(conversion: dict[str, Any]) -> None:
    assert to_github(sheet_of(conversion)).splitlines() == [
        "::error file=tables/t.yaml,line=7,title=ckptmap convert::1 source variable is unused (map it)",
        "::error title=ckptmap convert::extra/bias: 1 target variable is missing",
        "::warning title=ckptmap convert::assumed use_dropout = false (give it with --set use_dropout=true)",
        "::error title=ckptmap convert::extra: 1 variable missing",
        "::error title=ckptmap convert::old: 1 variable unused",
        "::error title=ckptmap convert::2 findings: nothing was written; 2 of 4 target variables restored otherwise",
    ]


def test_every_line_is_our_own_command(hostile: dict[str, Any]) -> None:
    for line in to_github(sheet_of(hostile)).splitlines():
        assert line.startswith(("::error ", "::warning ", "::notice "))
        properties = line.split("::")[1].partition(" ")[2]
        assert all(item.split("=")[0] in ("file", "line", "title") for item in properties.split(","))


@pytest.mark.skipif(sys.platform == "win32", reason="the name of a file on Windows has no colon")
def test_properties_and_text_are_escaped(workspace: Path) -> None:
    (workspace / "a,b:c.yaml").touch()
    message = Message(Level.NOTE, "100%\r\nsure", "a,b:c.yaml:3")
    assert annotation(message, "x") == r"::notice file=a%2Cb%3Ac.yaml,line=3,title=x::100%25\r\nsure"


def test_files_are_relative_to_the_workspace(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = str(workspace / "tables" / "t.yaml")
    assert annotation(Message(Level.FAILURE, "m", f"{place}:4"), "x") == "::error file=tables/t.yaml,line=4,title=x::m"
    monkeypatch.setenv("GITHUB_WORKSPACE", str(workspace))
    monkeypatch.chdir(workspace / "tables")
    assert annotation(Message(Level.FAILURE, "m", "t.yaml"), "x") == "::error file=tables/t.yaml,title=x::m"
    monkeypatch.setenv("GITHUB_WORKSPACE", str(workspace / "tables"))
    (workspace / "outside.yaml").touch()
    outside = annotation(Message(Level.FAILURE, "m", str(workspace / "outside.yaml")), "x")
    assert outside.startswith("::error title=x::")


@pytest.mark.parametrize("where", ["model.ckpt", "net/conv.1/weights", "gone.yaml:3", "tables", "a\0b.yaml"])
def test_what_is_no_file_is_told_in_the_text(workspace: Path, where: str) -> None:
    (workspace / "model.ckpt.index").touch()  # the prefix itself is no file
    assert annotation(Message(Level.FAILURE, "m", where), "x").startswith("::error title=x::")
