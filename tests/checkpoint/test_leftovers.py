from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Container
from pathlib import Path

import pytest

from ckptmap.basics.errors import OutputError
from ckptmap.checkpoint import leftovers
from ckptmap.checkpoint.folder_lock import LOCK_NAME, FolderLock
from ckptmap.checkpoint.leftovers import end_dead_runs, is_leftover, make_aside, surviving
from ckptmap.checkpoint.staging import Staging
from tests.dead_runs import ORDER, clear_leftovers, dead_run


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("moves", range(4))
def test_before_the_decisive_move_all_is_undone_and_after_it_all_is_finished(tmp_path: Path, moves: int) -> None:
    (tmp_path / "index").write_text("old")
    (tmp_path / "state").write_text("old")
    dead_run(tmp_path, moves)
    expected = surviving(tmp_path)
    clear_leftovers(tmp_path)
    assert set(contents(tmp_path)) == expected
    old, new = {"index": "old", "state": "old"}, dict.fromkeys(ORDER, "new")
    assert contents(tmp_path) == (old if moves < 2 else new)


@pytest.mark.parametrize("moves", range(4))
def test_the_same_in_an_empty_folder(tmp_path: Path, moves: int) -> None:
    dead_run(tmp_path, moves)
    with Staging(tmp_path):
        found = {path.name for path in tmp_path.iterdir() if not path.name.startswith(".ckptmap-")}
        assert found == (set() if moves < 2 else set(ORDER))


def test_what_somebody_else_has_written_since_stays(tmp_path: Path) -> None:
    dead_run(tmp_path, 1)
    (tmp_path / "data").write_text("somebody's")
    clear_leftovers(tmp_path)
    assert contents(tmp_path) == {"data": "somebody's"}

    (tmp_path / "state").write_text("old")
    dead_run(tmp_path, 2)
    (tmp_path / "state").write_text("somebody's")
    clear_leftovers(tmp_path)
    assert contents(tmp_path) == {"data": "new", "index": "new", "state": "somebody's"}


def test_a_run_that_died_before_its_first_move(tmp_path: Path) -> None:
    aside = dead_run(tmp_path, 0)
    (aside / "journal").write_text('{"files": {"da')
    clear_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../victim", "/victim", "a/b", "..", "", "a\0b", "a" * 256, "\ud800"])
def test_a_journal_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "out"
    victim = tmp_path / "victim"
    victim.write_text("precious")
    aside = dead_run(folder, 1)
    identity = leftovers._identity(victim)
    (aside / "journal").write_text(
        json.dumps({"files": {name: identity, "index": [1, 2, 3]}, "replaced": {}, "decisive": "index"})
    )
    clear_leftovers(folder)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize(
    "journal",
    [
        "[]",
        "{}",
        '{"files": 3, "decisive": "x"}',
        '{"files": [[1, 2]], "replaced": {}, "decisive": "x"}',
        '{"files": {"..": null}, "replaced": {"a\\u0000": null}, "decisive": ".."}',
        '{"files": ' + "[" * 100_000,
        "\udcff",
    ],
    ids=range(7),
)
def test_a_journal_that_is_none(tmp_path: Path, journal: str) -> None:
    aside = dead_run(tmp_path, 1)
    (aside / "journal").write_text(journal, encoding="utf-8", errors="surrogateescape")
    clear_leftovers(tmp_path)
    assert contents(tmp_path) == {"data": "new"}


def test_a_run_that_is_alive_is_left_alone(tmp_path: Path) -> None:
    with Staging(tmp_path) as staging:
        staging.new("data").write_text("new")
        with pytest.raises(OutputError, match="another run is writing into this folder"):
            clear_leftovers(tmp_path)
        staging.commit()
    assert contents(tmp_path) == {"data": "new"}


def test_where_nobody_can_tell_whether_a_run_is_alive_nothing_is_cleared(tmp_path: Path) -> None:
    aside = dead_run(tmp_path, 1)
    lock = FolderLock(tmp_path)
    lock.certain = False
    end_dead_runs(tmp_path, lock)
    lock.release()
    assert aside.is_dir()


def test_a_link_to_a_folder_elsewhere_is_not_cleared(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x").write_text("precious")
    (tmp_path / "out" / ".ckptmap-link").symlink_to(tmp_path / "other")
    clear_leftovers(tmp_path / "out")
    assert (tmp_path / "other" / "x").read_text() == "precious"


@pytest.mark.parametrize("moves", range(4))
def test_what_will_survive_is_told_without_a_change(tmp_path: Path, moves: int) -> None:
    aside = dead_run(tmp_path, moves)
    before = {path: path.lstat().st_mtime_ns for path in (tmp_path, aside, *aside.iterdir())}
    assert surviving(tmp_path) == (set() if moves < 2 else set(ORDER))
    assert {path: path.lstat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("make", ["name", "no marker", "marker of another", "marker with content"])
def test_only_a_folder_that_a_run_made_is_a_leftover(tmp_path: Path, make: str) -> None:
    """The user's own ``.ckptmap-src``, a folder out of an archive, a copy of what a dead run left elsewhere."""
    aside = dead_run(tmp_path / "dead", 0)
    marker = next(aside.glob("run-*"))
    assert is_leftover(aside)
    if make == "name":
        aside = aside.rename(tmp_path / "dead" / ".ckptmap-src")
    elif make == "no marker":
        marker.unlink()
    elif make == "marker of another":
        marker.rename(aside / "run-1")
    else:
        marker.write_text("x")
    assert not is_leftover(aside)
    assert surviving(tmp_path / "dead") == {aside.name}
    before = sorted(path.name for path in aside.iterdir())
    clear_leftovers(tmp_path / "dead")
    assert sorted(path.name for path in aside.iterdir()) == before


@pytest.mark.skipif(os.name == "nt", reason="there are no users' numbers there")
def test_nor_is_one_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aside = dead_run(tmp_path, 1)
    monkeypatch.setattr(os, "geteuid", lambda: aside.stat().st_uid + 1)
    clear_leftovers(tmp_path)
    assert aside.is_dir()
    assert (tmp_path / "data").exists()
    shutil.rmtree(aside)
    aside.mkdir()
    assert not is_leftover(aside)  # not even an empty one


def test_a_folder_whose_run_died_before_its_marker_is_a_leftover(tmp_path: Path) -> None:
    aside = make_aside(tmp_path)
    next(aside.iterdir()).unlink()
    assert is_leftover(aside)
    clear_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", range(5))
def test_a_run_that_dies_while_it_cleans_up_leaves_a_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Journal, three files, marker: with the index gone and the journal there, the next run would go on with it."""
    aside = dead_run(tmp_path, 0)
    removed: list[Path] = []
    unlink = Path.unlink

    def die_late(self: Path, missing_ok: bool = False) -> None:
        if len(removed) == count:
            raise KeyboardInterrupt
        removed.append(self)
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", die_late)
    names = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(sorted(names(self))))  # the journal after data and index
    with pytest.raises(KeyboardInterrupt):
        leftovers.discard(aside)
    monkeypatch.undo()
    assert is_leftover(aside)
    clear_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes on this system")
def test_a_pipe_in_place_of_the_journal_is_not_opened(tmp_path: Path) -> None:
    aside = dead_run(tmp_path, 1)
    (aside / "journal").unlink()
    os.mkfifo(aside / "journal")
    clear_leftovers(tmp_path)
    assert contents(tmp_path) == {"data": "new"}


def test_a_lock_alone_is_cleared(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).touch()
    clear_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_hard_links_the_old_file_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    (tmp_path / "data").write_text("old")
    with Staging(tmp_path) as staging:
        for name in ("data", "index"):
            staging.new(name).write_text("new")
        monkeypatch.setattr(Path, "replace", failing(Path.replace, {2}))
        with pytest.raises(OutputError, match="index: cannot be written: Input/output error"):
            staging.commit()
    assert contents(tmp_path) == {"data": "old"}


def failing(replace: Callable[[Path, Path], Path], numbers: Container[int]) -> Callable[[Path, Path], Path]:
    """``Path.replace`` whose calls of these numbers, from 1, fail."""
    calls: list[Path] = []

    def fail(self: Path, target: Path) -> Path:
        calls.append(self)
        if len(calls) in numbers:
            raise OSError(5, "Input/output error")
        return replace(self, target)

    return fail


def test_what_cannot_be_taken_back_is_left_to_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk goes away between the moves: index and data stay together, and so does what was kept of the old ones."""
    for name in ORDER[1:]:
        (tmp_path / name).write_text("old")
    with Staging(tmp_path) as staging:
        for name in ORDER:
            staging.new(name, decisive=name == "index").write_text("new")
        monkeypatch.setattr(Path, "replace", failing(Path.replace, range(3, 10)))
        with pytest.raises(OutputError, match="state: cannot be written: Input/output error"):
            staging.commit()
        monkeypatch.undo()
    shown = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    assert shown == {"data": "new", "index": "new", "state": "old"}
    clear_leftovers(tmp_path)
    assert contents(tmp_path) == dict.fromkeys(ORDER, "new")
