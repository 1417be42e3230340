"""Several writers and readers of one folder: writers exclude one another, readers see whole checkpoints."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.reader import open_checkpoint

ROOT = Path(__file__).resolve().parents[2]
VALUES = 8

WRITER = f"""
import sys
import numpy as np
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.basics.errors import OutputError

def values(number):
    array = np.full(1000, number, np.int32).tobytes()
    return {{f"v{{each}}": ObjectValue(f"v{{each}}", DType.INT32, (1000,), [array]) for each in range({VALUES})}}

sys.stdin.readline()
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    try:
        write_object_checkpoint(sys.argv[1] + "/ckpt-0", "model", values(number))
        print("written")
    except OutputError as error:
        assert "another run is writing into this folder" in str(error), error
        print("refused")
"""


def writer(folder: Path, start: int, stop: int) -> subprocess.Popen[str]:
    """A process that writes one checkpoint after the other, each of one number only, once it is told to."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(start), str(stop)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def numbers(folder: Path) -> set[int]:
    """The numbers that the checkpoint holds: one, where nothing is mixed."""
    with open_checkpoint(folder / "ckpt-0") as checkpoint:
        return {int(number) for each in range(VALUES) for number in np.unique(checkpoint.read(key(each)))}


def look(folder: Path) -> str:
    """``whole``, ``mixed``, or ``gone`` where there is an error."""
    try:
        return "whole" if len(numbers(folder)) == 1 else "mixed"
    except CheckpointError:
        return "gone"


def key(number: int) -> str:
    return f"model/v{number}/.ATTRIBUTES/VARIABLE_VALUE"


def test_a_reader_sees_whole_checkpoints_while_they_are_replaced(tmp_path: Path) -> None:
    """An old one that went away under the reader's hands is an error, never a mixture."""
    with writer(tmp_path, 0, 60) as process:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.close()
        process.stdin = None
        seen: Counter[str] = Counter()
        while process.poll() is None:
            seen[look(tmp_path)] += 1
        assert process.returncode == 0
    assert seen["mixed"] == 0
    assert seen["whole"] > 10
    assert numbers(tmp_path) == {59}


@pytest.mark.skipif(os.name == "nt", reason="a file that is read cannot be replaced there")
def test_writers_exclude_one_another(tmp_path: Path) -> None:
    processes = [writer(tmp_path, start, start + 40) for start in (0, 100, 200)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers: Counter[str] = Counter()
    for process in processes:
        out, _ = process.communicate()
        answers.update(out.split())
        assert process.returncode == 0
    assert sum(answers.values()) == 120
    assert answers["written"] >= 1
    assert len(numbers(tmp_path)) == 1
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".ckptmap-")] == []
