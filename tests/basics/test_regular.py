"""What is opened is a regular file: a named pipe, a socket or a device is refused at once, wherever it lies."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ckptmap.basics.documents import read_document
from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.regular import open_regular, open_unbuffered, read_regular
from ckptmap.checkpoint.cloning import duplicate
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.leftovers import read_journal
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.diff import diff
from ckptmap.families.detection.config_beside import find_config
from ckptmap.families.detection.label_files import read_label_map
from ckptmap.families.detection.pipeline.config import read_config
from ckptmap.inspection.inspector import inspect
from ckptmap.mapping import load_table
from ckptmap.request.batch_list import read_list
from tests.checkpoint.strategies import Value
from tests.checkpoint.test_writer import save

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this platform has no named pipes in folders")


def make_pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def checkpoint(folder: Path) -> Path:
    return save(folder, {"w": Value(DType.FLOAT32, np.arange(3, dtype=np.float32))})


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").symlink_to("a")
    assert read_regular(tmp_path / "b") == b"abc"
    with open_unbuffered(str(tmp_path / "a")) as file:
        assert file.read(2) == b"ab"


@pytest.mark.parametrize("make", [open_regular, open_unbuffered, read_regular])
def test_nothing_else_is(tmp_path: Path, make: Callable[[Path], object]) -> None:
    with pytest.raises(OSError, match="it is a named pipe, not a regular file"):
        make(make_pipe(tmp_path / "pipe"))
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(OSError, match="it is a named pipe, not a regular file"):
        make(tmp_path / "link")
    with pytest.raises(OSError, match="it is a device, not a regular file"):
        make(Path(os.devnull))
    with pytest.raises(IsADirectoryError):
        make(tmp_path)
    with pytest.raises(FileNotFoundError):
        make(tmp_path / "nothing")


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as served:
        served.bind("s")
        with pytest.raises(OSError, match="it is a socket, not a regular file"):
            open_regular("s")


_NO_INPUT = "named pipe|not a regular file|no table file|not a list of checkpoints"


@pytest.mark.parametrize(
    "read",
    [
        read_config,
        read_label_map,
        read_list,
        read_document,
        load_table,
        open_checkpoint,
        lambda path: duplicate(str(path), path.with_name("copy"), "copy"),
    ],
)
def test_a_pipe_in_the_place_of_an_input(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises((CkptmapError, OSError), match=_NO_INPUT):
        read(make_pipe(tmp_path / "pipe.yaml"))


@pytest.mark.parametrize("name", ["pipeline.config", "other.config", "m.meta", "checkpoint", "m.data-00001-of-00002"])
def test_a_pipe_beside_a_checkpoint_is_no_part_of_it(tmp_path: Path, name: str) -> None:
    prefix = checkpoint(tmp_path)
    make_pipe(tmp_path / name)
    found = inspect(prefix)
    assert (found.config, found.written_by, [data.problem for data in found.data]) == (None, "", [""])
    assert list(inspect(tmp_path).inventory.variables) == ["w"]
    assert find_config(tmp_path) is None


def test_a_pipe_in_the_place_of_the_data(tmp_path: Path) -> None:
    prefix, other = checkpoint(tmp_path / "a"), checkpoint(tmp_path / "b")
    data = tmp_path / "a" / "m.data-00000-of-00001"
    data.unlink()
    make_pipe(data)
    assert [(one.size, one.problem) for one in inspect(prefix).data] == [
        (None, "it is a named pipe, not a regular file: copy the file from where the index came from")
    ]
    with open_checkpoint(prefix) as opened, pytest.raises(CkptmapError, match="this data file is missing"):
        opened.read("w")
    assert diff(prefix, other).notes == (f"{data}: this data file is missing: compared by the index alone",)


def test_a_pipe_in_the_place_of_the_index(tmp_path: Path) -> None:
    prefix = checkpoint(tmp_path)
    (tmp_path / "m.index").unlink()
    make_pipe(tmp_path / "m.index")
    for path in (prefix, tmp_path, tmp_path / "m.index"):
        with pytest.raises(CkptmapError):
            open_checkpoint(path)


def test_a_pipe_in_the_place_of_a_journal(tmp_path: Path) -> None:
    make_pipe(tmp_path / "journal")
    assert read_journal(tmp_path) is None
