"""What the operating system refuses becomes one line and exit code 2; the output is as it was, the source too."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ckptmap.checkpoint.folder_lock import LOCK_NAME
from tests.dead_runs import clear_leftovers
from tests.faults.conftest import Workshop, contents, spread
from tests.faults.injection import CHANGING, GROWING, READING, Outcome


def leftovers(folder: Path) -> list[Path]:
    """Folders of dead runs; the file of a lock that could not be taken stays, somebody else may hold it."""
    return [path for path in folder.glob(".ckptmap-*") if path.name != LOCK_NAME] if folder.is_dir() else []


def check_refused(outcome: Outcome, workshop: Workshop, strike: str, after: dict[str, bytes] | None = None) -> None:
    """Exit code 2, one error line that says why, and nothing changed.

    Where the disk takes no change at all any more, nothing can be taken back; the next run does it, or finishes what
    was begun: then the output may be the one ``after`` a whole run.
    """
    assert outcome.status == 2, outcome.message
    assert outcome.message.startswith("error: ")
    assert os.strerror(getattr(errno, strike.rstrip("+"))) in outcome.message
    assert "Traceback" not in outcome.message
    assert contents(Path(outcome.folder) / "old") == workshop.source
    output = Path(outcome.folder) / "new"
    if strike == "EROFS+" and output.is_dir():
        clear_leftovers(output)
        assert contents(output) in (workshop.before, after)
    else:
        assert contents(output) == workshop.before


def check_all(workshop: Workshop, strike: str, kinds: Sequence[str], wanted: int | None) -> list[int]:
    """The exit codes of runs in which one operation fails, or all from there on."""
    whole = workshop.whole_run(kinds=kinds)
    count = len(whole.operations)
    after = contents(Path(whole.folder) / "new")
    done = workshop.run(range(count) if wanted is None else spread(count, wanted), strike, kinds=kinds)
    for outcome in done:
        if outcome.status == 0:  # a cleaning up that failed, or a clone that became a copy
            assert contents(Path(outcome.folder) / "new").items() >= after.items()
        else:
            check_refused(outcome, workshop, strike, after)
            assert strike.endswith("+") or not leftovers(Path(outcome.folder) / "new")
    return [outcome.status for outcome in done]


def test_a_disk_that_fills_up(workshop: Workshop) -> None:
    codes = check_all(workshop, "ENOSPC+", GROWING, 6)
    assert codes[:-1] == [2] * (len(codes) - 1)  # the last operation is the flush of the folder, all files are in place


@pytest.mark.slow
@pytest.mark.parametrize("strike", ["ENOSPC+", "EDQUOT+", "EROFS+", "EACCES", "EIO", "ENOSPC", "ESTALE"])
def test_every_operation_that_changes_something_can_fail(workshop: Workshop, strike: str) -> None:
    codes = check_all(workshop, strike, GROWING if strike in ("ENOSPC+", "EDQUOT+") else CHANGING, None)
    print(f"{len(codes)} operations failed with {strike}: {codes.count(2)} refused")  # noqa: T201
    assert codes.count(2) > 20


def test_a_read_that_fails(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path / "base", tmp_path / "work")
    check_reads(workshop, "EIO", 5)


@pytest.mark.slow
@pytest.mark.parametrize("strike", ["EIO", "EACCES", "ESTALE", "ENOENT"])
def test_every_read_can_fail(tmp_path: Path, strike: str) -> None:
    check_reads(Workshop(tmp_path / "base", tmp_path / "work"), strike, None)


def check_reads(workshop: Workshop, strike: str, wanted: int | None) -> None:
    count = len(workshop.whole_run("old", READING).operations)
    done = workshop.run(range(count) if wanted is None else spread(count, wanted), strike, "old", READING)
    refused = [outcome for outcome in done if outcome.status]
    for outcome in refused:
        check_refused(outcome, workshop, strike) if strike != "ENOENT" else check_vanished(outcome, workshop)
    assert len(refused) > len(done) // 2


def check_vanished(outcome: Outcome, workshop: Workshop) -> None:
    assert outcome.status == 2, outcome.message
    assert outcome.message.startswith("error: ")
    assert contents(Path(outcome.folder) / "new") == workshop.before


@pytest.mark.parametrize("wanted", [6, pytest.param(None, marks=pytest.mark.slow)])
def test_short_reads_change_nothing(tmp_path: Path, wanted: int | None) -> None:
    """As on a network file system: a read gives less than it was asked for, though the file goes on."""
    workshop = Workshop(tmp_path / "base", tmp_path / "work", "--data", "copy")
    whole = workshop.whole_run("old", ["read"])
    after = contents(Path(whole.folder) / "new")
    count = len(whole.operations)
    for outcome in workshop.run(range(count) if wanted is None else spread(count, wanted), "short", "old", ["read"]):
        assert outcome.status == 0, outcome.message
        assert contents(Path(outcome.folder) / "new") == after


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, where this user may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full(small_disk: Path, tmp_path: Path) -> None:
    workshop = Workshop(tmp_path / "base", tmp_path / "work")
    (small_disk / "ballast").write_bytes(bytes((64 << 10) - 4096))
    command = [sys.executable, "-m", "ckptmap", *workshop.command[:-1], str(small_disk / "new")]
    done = subprocess.run(command, cwd=workshop.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert os.strerror(errno.ENOSPC) in done.stderr
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


def test_a_read_only_disk(small_disk: Path, tmp_path: Path) -> None:
    workshop = Workshop(tmp_path / "base", tmp_path / "work")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    command = [sys.executable, "-m", "ckptmap", *workshop.command[:-1], str(small_disk / "new")]
    done = subprocess.run(command, cwd=workshop.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, os.listdir(small_disk)) == (2, [])  # noqa: PTH208
    assert os.strerror(errno.EROFS) in done.stderr
