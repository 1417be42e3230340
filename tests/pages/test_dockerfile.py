"""No test builds the images; but what a look at the file can tell holds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINES = [line for line in TEXT.splitlines() if line and not line.startswith("#")]


def stages() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in LINES:
        if line.startswith("FROM "):
            name = re.fullmatch(r"FROM (\S+) AS (\S+)", line)
            assert name, line
            found[name[2]] = [f"FROM {name[1]}"]
        else:
            found[list(found)[-1]].append(line)
    return found


def test_the_core_is_what_is_built_without_a_target() -> None:
    assert list(stages()) == ["build", "build-tf", "tf", "core"]


@pytest.mark.parametrize("stage", ["tf", "core"])
def test_an_image_runs_ckptmap_and_not_as_root(stage: str) -> None:
    lines = stages()[stage]
    assert [line for line in lines if line.startswith("USER ")] == ["USER 1000"]
    assert lines.index("USER 1000") > max(at for at, line in enumerate(lines) if line.startswith(("RUN ", "COPY ")))
    (entry,) = (line.removeprefix("ENTRYPOINT ") for line in lines if line.startswith("ENTRYPOINT "))
    assert json.loads(entry) == ["/venv/bin/ckptmap"]


def test_what_is_copied_is_there_and_nothing_is_fetched_by_another_way() -> None:
    for line in LINES:
        assert not line.startswith("ADD ")
        if copied := re.fullmatch(r"COPY (?:--from=(\S+) )?(\S+) \S+", line):
            assert copied[1] in stages() if copied[1] else (ROOT / copied[2]).exists()
        else:
            assert not line.startswith("COPY")


def test_bases_have_versions_and_extras_exist() -> None:
    known = re.findall(r"^([\w-]+) = \[", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    for name, lines in stages().items():
        base = lines[0].removeprefix("FROM ")
        assert re.fullmatch(r"python:3\.\d+-slim", base) or base in stages(), name
    extras = [extra for told in re.findall(r"/source\[([^\]]+)\]", TEXT) for extra in told.split(",")]
    assert set(extras) == {"remote", "keras", "tf"}
    assert set(extras) <= set(known)
