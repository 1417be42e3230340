"""What a command imports is what its start costs: nothing heavy where nothing heavy is done."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ckptmap.cli.commands import ENTRIES
from tests.convert.conftest import TABLE, tf1_values, write_template, write_tf1

PROBE = """
import json, sys
from ckptmap.cli.app import main
try:
    main(sys.argv[1:])
finally:
    sys.stderr.write(json.dumps(sorted(sys.modules)))
"""
HEAVY = {"numpy", "rich", "pandas", "pydantic", "yaml", "tensorflow", "fsspec", "ml_dtypes", "jsonschema"}


def imported(*arguments: object) -> set[str]:
    command = [sys.executable, "-c", PROBE, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["targets"], ["inspect", "--help"], ["convert", "--help"]]
)
def test_small_commands_import_nothing_heavy(arguments: list[str]) -> None:
    assert imported(*arguments) & HEAVY == set()


def test_the_help_of_the_program_imports_no_command() -> None:
    commands = {f"ckptmap.cli.{entry.module}" for entry in ENTRIES.values()}
    assert imported("--help") & commands == set()
    assert imported("inspect", "--help") & commands == {"ckptmap.cli.inspect"}


@pytest.mark.parametrize("form", ["tree", "table", "json", "csv"])
def test_inspect_imports_nothing_heavy(tmp_path: Path, form: str) -> None:
    prefix = write_tf1(tmp_path / "model.ckpt", tf1_values())
    assert imported("inspect", prefix, "--format", form) & HEAVY == set()


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_conversion_imports_what_it_uses(tmp_path: Path, form: list[str]) -> None:
    """No arrays where bytes are copied, nothing that understands configs, label maps or architectures without one."""
    source = write_tf1(tmp_path / "old" / "model.ckpt", tf1_values())
    template = write_template(tmp_path / "zoo" / "ckpt-0")
    (tmp_path / "t.yaml").write_text(TABLE)
    found = imported("convert", source, "--to", template, "--table", tmp_path / "t.yaml", "-o", tmp_path / "new", *form)
    assert found & HEAVY == {"yaml"}
    assert [
        name for name in found if name.startswith(("ckptmap.families.detection.pipeline", "ckptmap.inspection"))
    ] == []
