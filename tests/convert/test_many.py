"""What many variables cost: memory in proportion to their number, as benchmarks/README.md says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.data import Case, Files, make

ROOT = Path(__file__).resolve().parents[2]
VARIABLES = 20_000
PROBE = """
import json, sys
from ckptmap.cli import main
from tests.memory import peak_bytes
try:
    main(sys.argv[1:])
finally:
    sys.stderr.write(json.dumps(peak_bytes() / 1e6))
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no peak of resident memory to ask for")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return make(Case("many", 4 * VARIABLES, VARIABLES, sparse=True, rules=20), tmp_path_factory.mktemp("many"))


def megabytes(*arguments: object) -> float:
    """The peak of the command, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return float(json.loads(done.stderr.splitlines()[-1]))


def test_inspect(many: Files) -> None:
    assert megabytes("inspect", many.source) < 50


def test_diff(many: Files) -> None:
    assert megabytes("diff", many.source, many.twin) < 85


def test_convert(many: Files, tmp_path: Path) -> None:
    options = ("--to", many.template, "--table", many.table, "-o", tmp_path / "new", "--data", "link")
    assert megabytes("convert", many.source, *options) < 95
