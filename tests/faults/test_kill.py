"""A conversion that is killed at any operation on files leaves the old output or the new one, whole."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.reader import open_checkpoint
from tests.dead_runs import clear_leftovers
from tests.faults.conftest import VERBS, Workshop, contents, spread
from tests.faults.injection import Outcome

Files = dict[str, bytes]


def readable(folder: Path) -> Files | None:
    """Every value of the checkpoint, its checksum compared; None where there is no checkpoint."""
    names = [path.name.removesuffix(".index") for path in folder.glob("*.index")]
    assert len(names) <= 1
    try:
        with open_checkpoint(folder / (names[0] if names else "ckpt-0")) as checkpoint:
            return {name: b"".join(checkpoint.chunks(name)) for name in checkpoint.inventory.variables}
    except CheckpointError as error:
        if "no such file" not in str(error) and "is missing" not in str(error):
            raise
        return None


def check(outcome: Outcome, workshop: Workshop, old: Files | None, new: Files | None, after: Files) -> str:
    """What a killed run left: ``old`` or ``new``, before and after the next run has cleared it."""
    folder = Path(outcome.folder)
    assert outcome.status == -signal.SIGKILL
    assert contents(folder / "old") == workshop.source
    found = readable(folder / "new")
    assert found in (old, new)
    if (folder / "new").is_dir():
        clear_leftovers(folder / "new")
        assert contents(folder / "new") == (workshop.before if found == old else after)
        assert not [path for path in (folder / "new").iterdir() if path.name.startswith(".ckptmap-")]
    return "old" if found == old else "new"


def kill_at(workshop: Workshop, wanted: int | None) -> list[str]:
    whole = workshop.whole_run()
    count = len(whole.operations)
    folder = Path(whole.folder) / "new"
    old, new = readable(workshop.folder / "new"), readable(folder)
    assert old != new
    points = list(range(count)) if wanted is None else spread(count, wanted)
    done = workshop.run(points, "kill")
    return [check(outcome, workshop, old, new, contents(folder)) for outcome in done]


def test_a_kill_at_a_few_points(workshop: Workshop) -> None:
    found = kill_at(workshop, 12)
    assert found == sorted(found, reverse=True)  # first always the old output, then always the new one
    assert set(found) == {"old", "new"}


@pytest.mark.slow
@pytest.mark.parametrize("data", ["copy", "link"])
@pytest.mark.parametrize("force", ["", "--force"])
def test_a_kill_at_every_point(tmp_path: Path, data: str, force: str) -> None:
    workshop = Workshop(tmp_path / "base", tmp_path / "work", "--data", data, *filter(None, [force]))
    found = kill_at(workshop, None)
    print(f"killed at {len(found)} points: {found.count('old')} left the old output, {found.count('new')} the new one")  # noqa: T201
    assert found == sorted(found, reverse=True)
    assert set(found) == {"old", "new"}


@pytest.mark.parametrize("verb", VERBS)
def test_a_kill_of_the_other_verbs_at_a_few_points(tmp_path: Path, verb: str) -> None:
    found = kill_at(Workshop.of_verb(tmp_path / "base", tmp_path / "work", verb, "--force"), 4)
    assert found == sorted(found, reverse=True)
    assert set(found) == {"old", "new"}


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("force", ["", "--force"])
def test_a_kill_of_the_other_verbs_at_every_point(tmp_path: Path, verb: str, force: str) -> None:
    found = kill_at(Workshop.of_verb(tmp_path / "base", tmp_path / "work", verb, *filter(None, [force])), None)
    print(f"killed at {len(found)} points: {found.count('old')} left the old output, {found.count('new')} the new one")  # noqa: T201
    assert found == sorted(found, reverse=True)
    assert set(found) == {"old", "new"}


@pytest.mark.slow
@pytest.mark.parametrize("force", ["", "--force"])
def test_a_kill_of_a_real_conversion_at_a_hundred_points(tmp_path: Path, force: str) -> None:
    options = ["--data", "copy", *filter(None, [force])]
    found = kill_at(Workshop.of_fixture(tmp_path / "base", tmp_path / "work", *options), 100)
    print(f"killed at {len(found)} points: {found.count('old')} left the old output, {found.count('new')} the new one")  # noqa: T201
    assert found == sorted(found, reverse=True)
    assert set(found) == {"old", "new"}


def test_the_same_command_works_after_a_kill(tmp_path: Path) -> None:
    """Without ``--force``: what a dead run left does not count as content, and the index decides."""
    workshop = Workshop(tmp_path / "base", tmp_path / "work")
    whole = workshop.whole_run()
    rename = whole.operations.index("rename")  # of the data file, inside the hidden folder
    decisive = [number for number, kind in enumerate(whole.operations) if kind == "rename" and number > rename][1]
    (killed,) = workshop.run([decisive], "kill")
    assert list(contents(Path(killed.folder) / "new")) == ["ckpt-0.data-00000-of-00001"]
    command = [sys.executable, "-m", "ckptmap", *workshop.command]
    subprocess.run(command, cwd=killed.folder, check=True, capture_output=True)
    assert contents(Path(killed.folder) / "new") == contents(Path(whole.folder) / "new")
