from pathlib import Path
from typing import Any

import pytest

from ckptmap.report.github import annotation, to_github
from ckptmap.report.sheet import Level, Message
from ckptmap.report.sheets import sheet_of


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


def test_properties_and_text_are_escaped() -> None:
    message = Message(Level.NOTE, "100%\r\nsure", "a,b:c.yaml:3")
    assert annotation(message, "x") == r"::notice file=a%2Cb%3Ac.yaml,line=3,title=x::100%25\r\nsure"


def test_files_below_the_working_directory_are_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = str(tmp_path / "tables" / "t.yaml")
    assert annotation(Message(Level.FAILURE, "m", f"{place}:4"), "x") == "::error file=tables/t.yaml,line=4,title=x::m"
