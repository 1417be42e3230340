"""The commands that docs/fleets.md gives to a pipeline's containers, run as the containers run them."""

from __future__ import annotations

import ast
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages.documents import ROOT, blocks

FIXTURE = ROOT / "fixtures" / "ssd_mobilenet_v2_tiny"


def commands() -> dict[str, str]:
    """The shell command of each component of the page."""
    (page,) = (block.text for block in blocks("docs/fleets.md") if "@dsl.container_component" in block.text)
    found = {}
    for function in ast.walk(ast.parse(page)):
        if isinstance(function, ast.FunctionDef):
            for line in function.body:
                if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
                    found[function.name] = line.value.value
    return found


def run(name: str, *arguments: str | Path) -> int:
    """The exit code of a component's container with these arguments."""
    here = f"{shlex.quote(sys.executable)} -m ckptmap"
    command = commands()[name].replace("/venv/bin/ckptmap", here)
    assert command != commands()[name]
    return subprocess.run(
        ["sh", "-c", command, *map(str, arguments)], check=False, cwd=ROOT, capture_output=True
    ).returncode


@pytest.mark.skipif(sys.platform == "win32", reason="the containers have a shell of POSIX")
def test_the_exit_code_is_the_gate_and_the_report_is_there(tmp_path: Path) -> None:
    new, report = tmp_path / "outputs" / "converted", tmp_path / "outputs" / "convert" / "report"
    assert run("convert", FIXTURE, "ssd_mobilenet_v2", new, report) == 0
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")
    audited = tmp_path / "outputs" / "audit" / "report"
    assert run("audit", new, "ssd_mobilenet_v2", audited) == 0
    assert audited.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert run("audit", FIXTURE, "ssd_mobilenet_v2", tmp_path / "bad" / "report") == 1
    assert (tmp_path / "bad" / "report").exists()
    assert run("convert", tmp_path / "none", "ssd_mobilenet_v2", tmp_path / "no", tmp_path / "r") == 2
