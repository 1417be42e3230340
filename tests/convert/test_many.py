"""What many variables cost: memory in proportion to their number, as benchmarks/README.md says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from benchmarks.data import Case, Files, make

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 100, 20_000
PROBE = """
import sys
from ckptmap.cli import main
from tests.memory import peak_bytes
try:
    main(sys.argv[1:])
finally:
    sys.stderr.write(str(peak_bytes()))
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no peak of resident memory to ask for")


def made(folder: Path, variables: int) -> Files:
    return make(Case("many", 4 * variables, variables, sparse=True, rules=20), folder)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return made(tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return made(tmp_path_factory.mktemp("many"), MANY)


def peak(*arguments: object) -> int:
    """The bytes that the command takes at most, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return int(done.stderr.splitlines()[-1])


def bytes_each(command: Callable[[Files], Sequence[object]], few: Files, many: Files) -> float:
    """What a variable adds to what the command takes anyway."""
    return (peak(*command(many)) - peak(*command(few))) / (MANY - FEW)


def test_inspect(few: Files, many: Files) -> None:
    assert bytes_each(lambda files: ("inspect", files.source), few, many) < 1300


def test_diff(few: Files, many: Files) -> None:
    assert bytes_each(lambda files: ("diff", files.source, files.twin), few, many) < 3200


def test_convert(few: Files, many: Files, tmp_path: Path) -> None:
    def command(files: Files) -> Sequence[object]:
        output = tmp_path / files.source.parent.parent.name
        return (
            "convert", files.source, "--to", files.template, "--table", files.table, "-o", output, "--data", "link",
        )  # fmt: skip

    assert bytes_each(command, few, many) < 3000
