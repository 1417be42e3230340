"""A hint that names an extra installs it where this ckptmap is from."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from ckptmap.basics import extras
from ckptmap.basics.extras import direct_folder, install, installed_from

ROOT = Path(__file__).resolve().parents[2]


class Record:
    """A distribution's record of where it is from."""

    def __init__(self, text: str | None) -> None:
        self.text = text

    def read_text(self, _name: str) -> str | None:
        return self.text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, (None, False)),
        ("{}", (None, False)),
        ("no json", (None, False)),
        ("[]", (None, False)),
        ('{"url": "file:///src/my%20tool", "dir_info": {}}', (Path("/src/my tool"), False)),
        ('{"url": "file:///src", "dir_info": {"editable": true}}', (Path("/src"), True)),
        (
            '{"url": "file:///dist/x-1-py3-none-any.whl", "archive_info": {}}',
            (Path("/dist/x-1-py3-none-any.whl"), False),
        ),
        ('{"url": "https://host/x.whl", "archive_info": {}}', (None, False)),
        ('{"url": "https://host/x.git", "dir_info": {}}', (None, False)),
    ],
)
def test_where_a_distribution_is_from(text: str | None, found: tuple[Path | None, bool]) -> None:
    assert direct_folder(Record(text)) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "command", "words"),
    [
        ((None, False), "pip install 'ckptmap[keras]'", "the package index"),
        ((Path("/src"), False), "pip install '/src[keras]'", "/src"),
        ((Path("/a b"), True), "pip install -e '/a b[keras]'", "/a b (editable)"),
    ],
)
def test_the_command(
    monkeypatch: pytest.MonkeyPatch, source: tuple[Path | None, bool], command: str, words: str
) -> None:
    monkeypatch.setattr(extras, "_source", lambda: source)
    assert (install("keras"), installed_from()) == (command, words)
    assert shlex.split(command)[-1].endswith("[keras]")


def test_here_it_is_the_checkout() -> None:
    assert shlex.split(install("tf")) == ["pip", "install", "-e", f"{ROOT}[tf]"]


def test_a_record_that_pip_writes_is_understood() -> None:
    record = json.dumps({"dir_info": {"editable": True}, "url": ROOT.as_uri()})
    assert direct_folder(Record(record)) == (ROOT, True)  # type: ignore[arg-type]
