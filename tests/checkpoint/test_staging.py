from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ckptmap.basics.errors import OutputError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.staging import Staging, write_whole
from tests.privileges import unprivileged


def visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".ckptmap-")]


def test_files_appear_together(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with Staging(folder) as staging:
        staging.new("data").write_bytes(b"1")
        staging.new("index").write_bytes(b"2")
        assert visible(folder) == []
        staging.commit()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"data": b"1", "index": b"2"}


def test_nothing_is_left_of_what_was_given_up(tmp_path: Path) -> None:
    with Staging(tmp_path / "a" / "b") as staging:
        staging.new("data").write_bytes(b"1")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"0")
    with Staging(tmp_path) as staging:
        staging.new("data").write_bytes(b"1")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_old_files_stay_until_the_new_are_complete(tmp_path: Path) -> None:
    for name in ("data", "index", "data-1"):
        (tmp_path / name).write_bytes(b"old")
    with Staging(tmp_path) as staging:
        staging.new("data").write_bytes(b"new")
        staging.new("index").write_bytes(b"new")
        staging.discard_later("data-1")
        staging.discard_later("never-there")
        assert {path.read_bytes() for path in visible(tmp_path)} == {b"old"}
        staging.commit()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"data": b"new", "index": b"new"}


def test_a_failed_move_brings_the_old_files_back(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"old")
    (tmp_path / "index").mkdir()  # a folder cannot be replaced by a file
    (tmp_path / "index" / "x").touch()
    with Staging(tmp_path) as staging:
        for name in ("fresh", "data", "index"):
            staging.new(name).write_bytes(b"new")
        with pytest.raises(OutputError, match="index: cannot be written"):
            staging.commit()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "index"]
    assert (tmp_path / "data").read_bytes() == b"old"


def test_files_are_flushed_beside_other_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed = []
    whole = os.fsync

    def fsync(handle: int) -> None:
        flushed.append((threading.current_thread().name, os.fstat(handle).st_size))
        whole(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with Staging(tmp_path / "new") as staging:
        staging.new("data").write_bytes(b"12345")
        staging.begin_flush()
        staging.new("index").write_bytes(b"1234567")
        staging.commit()
    assert ("flush", 5) in flushed
    assert ("MainThread", 7) in flushed
    assert [path.name for path in sorted((tmp_path / "new").iterdir())] == ["data", "index"]


def test_what_the_disk_refuses_is_told_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.fsync

    def fsync(handle: int) -> None:
        if threading.current_thread().name == "flush":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        whole(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with Staging(tmp_path / "new") as staging:
        staging.new("data").write_bytes(b"12345")
        staging.begin_flush()
        with pytest.raises(OutputError, match=os.strerror(errno.EIO)):
            staging.commit()
    assert not (tmp_path / "new").exists()


def test_the_order_is_that_of_the_names(tmp_path: Path) -> None:
    with Staging(tmp_path) as staging:
        staging.unnamed("own").write_bytes(b"1")
        staging.new("index").write_bytes(b"2")
        assert staging.rename("own", "data").read_bytes() == b"1"
        assert staging._order == ["index", "data"]
        staging.commit()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "index"]


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file: cannot be written"):
        Staging(tmp_path / "file")


def test_a_folder_without_permission(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    with unprivileged(tmp_path), pytest.raises(OutputError, match=os.strerror(errno.EACCES)):
        Staging(tmp_path / "locked" / "new")


KILLED = """
import sys, time
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint

def slow():
    yield bytes(1 << 20)
    print("half", flush=True)
    time.sleep(600)

write_object_checkpoint(sys.argv[1], "model", {"v": ObjectValue("v", DType.UINT8, (1 << 21,), slow())})
"""


def test_a_killed_process_leaves_the_old_checkpoint_as_it_was(tmp_path: Path) -> None:
    values = {"v": ObjectValue("v", DType.UINT8, (3,), [b"old"])}
    write_object_checkpoint(tmp_path / "ckpt-0", "model", values)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    command = [sys.executable, "-c", KILLED, str(tmp_path / "ckpt-0")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.kill()
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if not path.name.startswith(".ckptmap-")}
    assert after == before
    with open_checkpoint(tmp_path) as checkpoint:
        assert checkpoint.read("model/v/.ATTRIBUTES/VARIABLE_VALUE").tobytes() == b"old"


FULL_DISK = """
import resource, signal, sys
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.basics.errors import OutputError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    write_object_checkpoint(sys.argv[1], "model", {"v": ObjectValue("v", DType.UINT8, (1 << 21,), [bytes(1 << 21)])})
except OutputError as error:
    print(str(error).split(": ")[-1])
"""


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on the size of files")
@pytest.mark.parametrize("limit", [100, 1 << 20])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, limit: int) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "new" / "ckpt-0"), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("File too large\n", "")
    assert list(tmp_path.iterdir()) == []


DIES = """
import os, sys
from pathlib import Path
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint

left = int(sys.argv[2])
rename = Path.replace

def replace(self, target):
    global left
    if left == 0:
        os._exit(9)
    left -= 1
    return rename(self, target)

Path.replace = replace
write_object_checkpoint(sys.argv[1], "model", {"v": ObjectValue("v", DType.UINT8, (5,), [b"newer"])})
"""


def test_a_process_that_dies_between_two_renames_leaves_one_whole_checkpoint(tmp_path: Path) -> None:
    found = []
    for renames in range(6):
        folder = tmp_path / str(renames)
        write_object_checkpoint(folder / "ckpt-0", "model", {"v": ObjectValue("v", DType.UINT8, (3,), [b"old"])})
        done = subprocess.run([sys.executable, "-c", DIES, folder / "ckpt-0", str(renames)], check=False)
        with open_checkpoint(folder / "ckpt-0") as checkpoint:
            values = [checkpoint.read(name) for name in checkpoint.inventory.variables]
            assert len(values) == 3  # the variable, the save counter, the object graph
            found.append((done.returncode, checkpoint.read("model/v/.ATTRIBUTES/VARIABLE_VALUE").tobytes()))
    # renamed are: the data file inside the staging folder, then two data files, index and state file into place
    assert found == [(9, b"old")] * 4 + [(9, b"newer"), (0, b"newer")]


def test_what_a_dead_process_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    for text in (b"old", b"new"):
        values = {"v": ObjectValue("v", DType.UINT8, (3,), [text])}
        write_object_checkpoint(tmp_path / "ckpt-0", "model", values)
    subprocess.run([sys.executable, "-c", DIES, tmp_path / "ckpt-0", "3"], check=False)
    assert len(list(tmp_path.glob("ckpt-0.data-*"))) == 3  # two of the old one, one of it empty, one of the new
    write_object_checkpoint(tmp_path / "ckpt-0", "model", {"v": ObjectValue("v", DType.UINT8, (4,), [b"last"])})
    assert len(list(tmp_path.glob("ckpt-0.data-*"))) == 2  # one of it empty: the dead run had taken the single name
    with open_checkpoint(tmp_path / "ckpt-0") as checkpoint:
        assert len(checkpoint.inventory.data_files) == 2
        assert checkpoint.read("model/v/.ATTRIBUTES/VARIABLE_VALUE").tobytes() == b"last"


def test_one_file_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    write_whole(path, b"old")
    path.chmod(0o640)
    (tmp_path / "link").symlink_to(path)
    write_whole(tmp_path / "link", b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"report\.html: cannot be written: No space left on device"):
        write_whole(path, b"newer")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"report.html": b"new", "link": b"new"}


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    write_whole(Path(os.devnull), b"gone")
    assert Path(os.devnull).exists()
    with pytest.raises(OutputError, match="cannot be written"):
        write_whole(tmp_path, b"a folder")
