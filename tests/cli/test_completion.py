"""What a shell offers, asked as bash asks."""

from __future__ import annotations

import pytest
import typer

from ckptmap.cli import completion
from ckptmap.cli.app import app
from ckptmap.report.formats import Format


@pytest.fixture
def offered(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """The words that bash offers for the last word of a line."""

    def ask(line: str) -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("_CKPTMAP_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        with pytest.raises(SystemExit):
            app(args=[], prog_name="ckptmap")
        return capsys.readouterr().out.split("\n")[:-1]

    return ask


def test_commands(offered) -> None:
    assert offered("ckptmap con") == ["convert", "config"]
    assert offered("ckptmap rules s") == ["show", "schema"]
    assert offered("ckptmap help ve") == ["verify"]


def test_targets_and_tables(offered) -> None:
    assert offered("ckptmap convert x --to ssd_mobilenet_v1_p") == ["ssd_mobilenet_v1_ppn"]
    assert "ssd_mobilenet_v2" in offered("ckptmap audit x --to ssd_")
    assert "ssd_mobilenet_v2" in offered("ckptmap convert x --table ssd_mob")
    assert offered("ckptmap rules show kinds/s") == ["kinds/slim"]


def test_a_path_is_left_to_the_shell(offered) -> None:
    assert offered("ckptmap convert x --to ./") == [""]


def test_settings_are_those_of_the_target(offered) -> None:
    assert offered("ckptmap convert x --to keras_vgg16 --set ") == [
        "keras=3",
        "keras=2",
        "include_top=true",
        "include_top=false",
    ]
    assert offered("ckptmap convert x --set ") == [""]


def test_formats_and_choices(offered) -> None:
    assert offered("ckptmap diff a b --format ") == list(map(str, Format))
    assert offered("ckptmap inspect a --format t") == ["tree", "table"]
    assert offered("ckptmap convert a --data ") == ["auto", "copy", "reflink", "link"]
    assert offered("ckptmap freeze a --stages heads,t") == ["heads,top"]


def test_every_option_with_names_to_choose_from_completes() -> None:
    """``--to`` and ``--table`` mean the same everywhere."""
    commands = typer.main.get_command(app).commands.values()  # type: ignore[attr-defined]
    found = {
        option: parameter._custom_shell_complete is not None
        for command in commands
        for parameter in command.params
        for option in parameter.opts
        if option in ("--to", "--table")
    }
    assert found == {"--to": True, "--table": True}


def test_functions() -> None:
    assert completion.complete_stages("heads,top,") == ["heads,top,heads", "heads,top,top", "heads,top,all"]
    assert completion.complete_formats("ju") == ["junit"]
