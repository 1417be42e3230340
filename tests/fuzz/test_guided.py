"""A short coverage-guided run of every parser, from a seed; README.md tells of the long ones."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.parsers import PARSERS

ROOT = Path(__file__).resolve().parents[2]
RUNS = 2000
OF_ITS_OWN = ("sh", "-c", '"$@"; exit $?', "sh")
"""libFuzzer's limit of memory counts the peak of the process that starts it: a small one, not that of all tests."""


@pytest.mark.skipif(find_spec("atheris") is None, reason="needs the [fuzz] extra: Linux on x86-64, from Python 3.11 on")
@pytest.mark.parametrize("parser", PARSERS)
def test_no_input_breaks_the_parser(parser: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*OF_ITS_OWN, sys.executable, "-m", "tests.fuzz", parser, f"-runs={RUNS}", "-seed=1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    executed = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert executed is not None
    assert int(executed[1]) >= RUNS
    assert list((tmp_path / ".fuzz").glob("*-crash-*")) == []
