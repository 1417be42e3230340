from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ckptmap.basics.errors import OutputError
from ckptmap.checkpoint import folder_lock
from ckptmap.checkpoint.folder_lock import LOCK_NAME, FolderLock

HOLDS = """
import sys, time
from pathlib import Path
from ckptmap.checkpoint.folder_lock import FolderLock

lock = FolderLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_one_at_a_time(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with pytest.raises(OutputError) as caught:
        FolderLock(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: another run is writing into this folder (wait until it has ended, or choose another folder)"
    )
    lock.release()
    assert list(tmp_path.iterdir()) == []
    FolderLock(tmp_path).release()


def test_it_ends_with_its_process(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(OutputError, match="another run"):
            FolderLock(tmp_path)
        process.kill()
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_NAME]
    FolderLock(tmp_path).release()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="removes an open file")
def test_a_lock_whose_file_its_last_holder_removed_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = FolderLock(tmp_path)
    lock = folder_lock._lock

    def lock_late(handle: int) -> bool:
        """Between our opening of the file and our locking it, its holder lets go."""
        monkeypatch.setattr(folder_lock, "_lock", lock)
        first.release()
        return lock(handle)

    monkeypatch.setattr(folder_lock, "_lock", lock_late)
    second = FolderLock(tmp_path)
    with pytest.raises(OutputError, match="another run"):
        FolderLock(tmp_path)
    second.release()


@pytest.mark.skipif(os.name == "nt", reason="flock is a matter of POSIX")
def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refuse(handle: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    lock = FolderLock(tmp_path)
    assert not lock.certain
    lock.release()


@pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege there")
def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError) as refused:  # noqa: PT011  (its words are the system's)
        FolderLock(tmp_path)
    assert refused.value.errno == errno.ELOOP
    assert not (tmp_path / "elsewhere").exists()


def test_what_somebody_keeps_under_the_name_of_the_lock_stays(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).write_text("precious")
    with pytest.raises(OutputError, match="is not a lock of ckptmap"):
        FolderLock(tmp_path)
    assert (tmp_path / LOCK_NAME).read_text() == "precious"
