"""Every attack ends in exit code 2 and one message, in bounded time and memory; what is no mistake is shown safely."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.attacks import ATTACKS, HOSTILE_NAME, Attack

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 30
MEGABYTES = 700

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs limits on time and memory")

LIMITED = """
import json, resource, sys
from ckptmap import open_checkpoint
from ckptmap.cli import main
from ckptmap.basics.errors import CkptmapError
from tests.memory import peak_bytes

def read(path):
    try:
        with open_checkpoint(path) as checkpoint:
            checkpoint.object_graph()
            for name in checkpoint.inventory.variables:
                checkpoint.read(name)
    except CkptmapError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)

resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
try:
    command = json.loads(sys.argv[1])
    read(command[1]) if command[0] == "read" else main(command)
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open("usage", "w") as file:
        json.dump([used.ru_utime + used.ru_stime, peak_bytes() >> 20], file)
"""


def run(folder: Path, *command: str) -> tuple[subprocess.CompletedProcess[bytes], Any]:
    """The command in a process of its own, and what it used: seconds of the processor, megabytes."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, json.dumps(command)],
        cwd=folder,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return done, json.loads((folder / "usage").read_text())


def files(folder: Path) -> dict[Path, tuple[int, int, int]]:
    """What lies below ``folder``; some of it is a terabyte, or a pipe, so it is not opened."""
    found = {path: path.lstat() for path in folder.rglob("*")}
    return {path: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in found.items() if not path.is_dir()}


@pytest.mark.parametrize(
    "attack",
    [pytest.param(one, id=one.name, marks=[pytest.mark.slow] if one.heavy else []) for one in ATTACKS],
)
def test_attack(attack: Attack, tmp_path: Path) -> None:
    attack.make(tmp_path)
    before = files(tmp_path)
    done, (seconds, megabytes) = run(tmp_path, *attack.command)
    assert done.returncode == attack.code, done.stderr.decode(errors="replace")[-2000:]
    assert b"Traceback" not in done.stderr
    if attack.code == 2:
        assert done.stderr.startswith(b"error: ")
        assert attack.says.encode() in done.stderr, done.stderr.decode(errors="replace")[-2000:]
    assert seconds < SECONDS
    assert megabytes < MEGABYTES
    assert not (tmp_path / "owned").exists()
    assert not (tmp_path / "new").exists()
    (tmp_path / "usage").unlink()
    if attack.code == 0 and "-o" in attack.command and "--dry-run" not in attack.command:
        (tmp_path / attack.command[attack.command.index("-o") + 1]).unlink()  # what was asked for is there
    assert files(tmp_path) == before  # nothing is lost, and nothing else is left


def test_each_says_what_it_attacks() -> None:
    assert [attack.name for attack in ATTACKS if not attack.make.__doc__] == []
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    assert [attack.name for attack in ATTACKS if attack.code == 2 and not attack.says] == []


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html", "csv", "github"])
def test_no_format_hands_a_hostile_name_on(tmp_path: Path, form: str) -> None:
    next(one for one in ATTACKS if one.name == "names_that_attack_the_reader_of_a_report").make(tmp_path)
    done, _ = run(tmp_path, "diff", "m", "m", "--format", form)
    assert done.returncode in (0, 2), done.stderr.decode(errors="replace")
    shown = done.stdout + done.stderr
    for part in (b"\x1b", b"\x07", b"\r", b"\n::error", "\u202e".encode(), b"\xff"):
        assert part not in shown
    assert form not in ("markdown", "html") or b"<script>alert" not in shown
    assert HOSTILE_NAME.encode("utf-8", "surrogateescape") not in shown
