"""What a person sees on a real terminal of 80 columns: nothing is longer, no word is cut, none is lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("a pseudoterminal is asked for", allow_module_level=True)

import fcntl
import pty
import struct
import termios

TINY = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"
_COLOR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(arguments: list[object], columns: int = 80, **environment: str) -> str:
    """Everything that the command shows, stdout and stderr together."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "ckptmap", *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=theirs, stderr=theirs, env=kept | {"TERM": "xterm"} | environment, cwd=TINY.parents[1]
    ):
        os.close(theirs)
        shown = b""
        while True:
            try:
                more = os.read(ours, 1 << 16)
            except OSError:  # the other end is closed
                more = b""
            if not more:
                break
            shown += more
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def in_a_pipe(arguments: list[object]) -> str:
    command = [sys.executable, "-m", "ckptmap", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TINY.parents[1])
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["inspect", "fixtures/ssd_mobilenet_v2_tiny"],
        ["targets"],
        ["convert", "fixtures/ssd_mobilenet_v2_tiny", "--to", "ssd_mobilenet_v2222", "--dry-run"],
        ["convert", "fixtures/ssd_mobilenet_v2_tiny", "--to", "ssd_mobilenet_v2", "--dry-run"],
    ],
    ids=" ".join,
)
def test_words_stay_whole_and_lines_fit(arguments: list[object]) -> None:
    shown = _COLOR.sub("", on_terminal(arguments))
    assert shown.split() == in_a_pipe(arguments).split()
    long = [line for line in shown.splitlines() if len(line) > 80]
    assert all(line.strip().startswith("convert   ckptmap ") for line in long)


def test_colors_are_those_of_the_terminal() -> None:
    wrong = ["inspect", "nowhere"]
    assert "\x1b[31m" in on_terminal(wrong)
    assert "\x1b" not in on_terminal(wrong, NO_COLOR="1")
    assert "\x1b" not in in_a_pipe(wrong)
    assert "\x1b[1mWhat:\x1b[0m" in on_terminal(["convert", "--help"])
    assert "\x1b" not in on_terminal(["convert", "--help"], NO_COLOR="1")


def test_the_help_is_as_wide_as_a_real_terminal() -> None:
    for columns in (60, 120):
        longest = max(map(len, _COLOR.sub("", on_terminal(["diff", "--help"], columns)).splitlines()))
        assert columns - 15 < longest <= columns
