from __future__ import annotations

import json
from collections.abc import Callable, Container
from pathlib import Path

import pytest

from ckptmap.basics.errors import OutputError
from ckptmap.checkpoint import leftovers
from ckptmap.checkpoint.folder_lock import LOCK_NAME, FolderLock
from ckptmap.checkpoint.leftovers import KEPT, clear_leftovers, end_dead_runs, keep_old, write_journal
from ckptmap.checkpoint.staging import Staging

ORDER = ("data", "index", "state")


def dead_run(folder: Path, moves: int) -> Path:
    """What a run leaves that dies after so many of the moves of :data:`ORDER`; ``index`` is the decisive one."""
    aside = folder / ".ckptmap-dead"
    (aside / KEPT).mkdir(parents=True)
    for name in ORDER:
        (aside / name).write_text("new")
        keep_old(folder, aside, name)
    write_journal(folder, aside, ORDER, "index")
    for name in ORDER[:moves]:
        (aside / name).replace(folder / name)
    return aside


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("moves", range(4))
def test_before_the_decisive_move_all_is_undone_and_after_it_all_is_finished(tmp_path: Path, moves: int) -> None:
    (tmp_path / "index").write_text("old")
    (tmp_path / "state").write_text("old")
    dead_run(tmp_path, moves)
    clear_leftovers(tmp_path)
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
    folder.mkdir()
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
        with pytest.raises(OutputError, match="another run is writing into this folder"):
            Staging(tmp_path)
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


def test_a_folder_without_leftovers_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("old")
    before = tmp_path.stat().st_mtime_ns
    clear_leftovers(tmp_path)
    assert tmp_path.stat().st_mtime_ns == before


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
