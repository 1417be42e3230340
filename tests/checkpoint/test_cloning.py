from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ckptmap.checkpoint import cloning
from ckptmap.checkpoint.cloning import copy_range, duplicate

BYTES = bytes(range(256)) * 8200  # more than two blocks


def copied(folder: Path, offset: int, size: int) -> tuple[int, bytes]:
    (folder / "old").write_bytes(BYTES)
    with (folder / "old").open("rb", buffering=0) as old, (folder / "new").open("wb") as new:
        new.write(b"head")
        count = copy_range(old, offset, size, new, 4)
        new.write(b"tail")
    return count, (folder / "new").read_bytes()


@pytest.mark.parametrize("kernel", [True, False])
def test_a_range_lands_between_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: bool) -> None:
    if not kernel:
        monkeypatch.setattr(cloning, "_in_kernel", lambda *_: 0)
    size = len(BYTES) - 1000
    assert copied(tmp_path, 7, size) == (size, b"head" + BYTES[7 : 7 + size] + b"tail")


def test_a_file_that_ends_early(tmp_path: Path) -> None:
    assert copied(tmp_path, len(BYTES) - 3, 10) == (3, b"head" + BYTES[-3:] + b"tail")


@pytest.mark.skipif(not hasattr(os, "copy_file_range"), reason="Linux copies in the kernel")
@pytest.mark.parametrize(("code", "copies"), [(errno.EXDEV, True), (errno.ENOSPC, False)])
def test_what_the_kernel_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, copies: bool) -> None:
    whole = os.copy_file_range
    calls = []

    def once(source: int, target: int, count: int, at: int, to: int) -> int:
        calls.append(at)
        if len(calls) > 1:
            raise OSError(code, os.strerror(code))
        return whole(source, target, 5, at, to)

    monkeypatch.setattr(os, "copy_file_range", once)
    if copies:
        assert copied(tmp_path, 1, 9) == (9, b"head" + BYTES[1:10] + b"tail")
    else:
        with pytest.raises(OSError, match=os.strerror(code)):
            copied(tmp_path, 1, 9)
    assert calls == [1, 6]


@pytest.mark.parametrize("how", ["copy", "link", "reflink"])
def test_a_duplicate_or_nothing(tmp_path: Path, how: cloning.How) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(BYTES)
    try:
        duplicate(old, new, how)
    except OSError:
        assert how == "reflink"
        assert not new.exists()
    else:
        assert new.read_bytes() == BYTES
        assert new.samefile(old) == (how == "link")


def test_a_clone_never_replaces_a_file(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"1")
    (tmp_path / "new").write_bytes(b"mine")
    with pytest.raises(OSError):  # noqa: PT011  (where nothing can be cloned, for that reason)
        duplicate(tmp_path / "old", tmp_path / "new", "reflink")
    assert (tmp_path / "new").read_bytes() == b"mine"
