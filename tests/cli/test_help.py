"""The help as a person reads it: whole at every width, in groups, with examples that are valid commands."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from ckptmap.cli.app import EXAMPLES, app
from ckptmap.cli.commands import ENTRIES
from tests.cli.conftest import Run

PROBE = """
import sys
from ckptmap.cli.app import main
try:
    main(["inspect", "--help"])
finally:
    print(*sys.modules)
"""
ROOT: Any = typer.main.get_command(app)
PATHS = [
    *([name] for name, entry in ENTRIES.items() if not entry.group),
    *([name, below] for name, entry in ENTRIES.items() if entry.group for below in ROOT.commands[name].commands),
]
GROUPS = [[], *([name] for name, entry in ENTRIES.items() if entry.group)]


def command_at(path: list[str]) -> Any:
    found = ROOT
    for name in path:
        found = found.commands[name]
    return found


def examples_of(text: str | None) -> list[str]:
    return [line for line in (text or "").splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("path", [*PATHS, *GROUPS], ids=" ".join)
@pytest.mark.parametrize("columns", [40, 80, 200])
def test_help_fits_the_terminal_and_cuts_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch, path: list[str], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = run(*path, "--help").out
    assert "…" not in shown
    words = set(shown.split())
    command = command_at(path)
    for parameter in command.params:
        name = parameter.opts[0]
        assert name in shown.replace(",", " ").split() or not name.startswith("-")
        assert set((getattr(parameter, "help", "") or "").split()) <= words
    if columns >= 80:
        assert max(map(len, shown.splitlines())) <= columns


def test_the_help_is_as_wide_as_the_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    widths = []
    for columns in (60, 80, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        widths.append(max(map(len, run("convert", "--help").out.splitlines())))
    assert widths[0] < 80 < widths[2] <= 200
    assert 70 < widths[1] <= 80


def test_options_stand_in_groups(run: Run) -> None:
    lines = run("convert", "--help").out.splitlines()
    titles = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert titles == [
        *("Arguments:", "What:", "How:", "Several checkpoints:", "Output:", "Reports:", "General:", "Examples:"),
    ]
    shown = "\n".join(lines)
    wanted = [
        "What:",
        "--to ",
        "How:",
        "--ema ",
        "Output:",
        "--output ",
        "Reports:",
        "  --json ",
        "General:",
        "--quiet",
    ]
    places = [shown.index(text) for text in wanted]
    assert places == sorted(places)


def test_the_first_screen_groups_the_commands_and_says_each_whole(run: Run) -> None:
    shown = " ".join(run("--help").out.split())
    for name, entry in ENTRIES.items():
        assert f" {name} {entry.summary}" in shown
        assert f"{entry.panel}:" in shown


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_has_examples(path: list[str]) -> None:
    assert 1 <= len(examples_of(command_at(path).epilog)) <= 4


def _all_examples() -> Iterator[str]:
    yield from examples_of(EXAMPLES)
    for path in PATHS:
        yield from examples_of(command_at(path).epilog)


@pytest.mark.parametrize("line", list(_all_examples()))
def test_an_example_is_a_command_that_can_be_given(line: str) -> None:
    program, *words = shlex.split(line)
    assert (program, len(f"  {line}") <= 80) == ("ckptmap", True)
    found, parent = ROOT, None
    while hasattr(found, "commands"):
        parent = found.make_context(found.name, words, parent=parent)
        found, words = found.commands[words[0]], words[1:]
    with parent or found.make_context(found.name, []), found.make_context(found.name, words, parent=parent) as context:
        assert context.command is found


@pytest.mark.parametrize("words", [["convert"], ["rules", "check"], []], ids=" ".join)
def test_help_of_a_command_is_what_help_behind_it_shows(run: Run, words: list[str]) -> None:
    result = run("help", *words)
    assert (result.code, result.out) == (0, run(*words, "--help").out)


def test_help_of_what_is_no_command_names_the_nearest(run: Run) -> None:
    result = run("help", "convrt")
    assert (result.code, result.out) == (2, "")
    assert result.err == "error: there is no command 'convrt' (nearest: \"convert\")\n"


def test_the_version_has_two_names(run: Run) -> None:
    assert run("-V") == run("--version")


def test_a_mistake_on_the_command_line(run: Run) -> None:
    result = run("convert", "--outptu", "x")
    assert result.code == 2
    assert result.err.splitlines()[0].endswith("convert [OPTIONS] [CHECKPOINT...]")
    assert result.err.splitlines()[-1].startswith("error: No such option: --outptu")
    assert "--output" in result.err.splitlines()[-1]
    assert "Did you mean 'convert'?" in run("convrt").err


def test_without_a_command_the_help_is_shown_and_the_exit_code_is_that_of_a_mistake(run: Run) -> None:
    result = run()
    assert (result.code, result.out) == (2, "")
    assert result.err == run("--help").out


def test_a_command_imports_no_other_command() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "ckptmap.cli.inspect" in loaded
    assert not {"ckptmap.cli.convert", "ckptmap.cli.audit", "ckptmap.cli.verify"} & loaded
