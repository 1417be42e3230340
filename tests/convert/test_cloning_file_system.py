"""Clones on a file system that makes them.

Where the temporary folder is on none, name a folder that is in CKPTMAP_CLONING_FOLDER. On Linux, as the superuser::

    truncate -s 1G image && mkfs.btrfs image && mount -o loop image /mnt     # or mkfs.xfs -m reflink=1
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.checkpoint.cloning import duplicate
from tests.convert.conftest import TABLE, tf1_values, write_template, write_tf1
from tests.convert.test_data_modes import contents, data_file, state

LARGE = 8_000_000
"""Values of 4 bytes: so much that no other writer's bytes are taken for theirs."""


@pytest.fixture
def cloning(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system that clones files."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("CKPTMAP_CLONING_FOLDER", tmp_path)) as name:
        folder = Path(name)
        (folder / "one").write_bytes(b"1")
        try:
            duplicate(folder / "one", folder / "other", "reflink")
        except OSError as error:
            pytest.skip(f"{folder} cannot clone files ({error.strerror}): set CKPTMAP_CLONING_FOLDER, see {__name__}")
        yield folder


@pytest.fixture
def files(cloning: Path) -> tuple[Path, Path, Path]:
    """A checkpoint with a large slot that nobody asks for, the template and the table."""
    (cloning / "t.yaml").write_text(TABLE)
    slot = {"net/conv/weights/Momentum": np.arange(LARGE, dtype=np.float32)}
    source = write_tf1(cloning / "old" / "model.ckpt", {**tf1_values(), **slot})
    return source, write_template(cloning / "zoo" / "ckpt-0"), cloning / "t.yaml"


def free(folder: Path) -> int:
    os.sync()
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize


@pytest.mark.parametrize("mode", ["auto", "reflink"])
def test_a_clone_takes_no_room_and_is_a_file_of_its_own(
    cloning: Path, files: tuple[Path, Path, Path], mode: str
) -> None:
    source, template, table = files
    before, room = state(source.parent), free(cloning)
    output = ckptmap.convert(source, to=template, table=table, output=cloning / "new", data=mode)["output"]
    assert room - free(cloning) < LARGE
    assert (output["data"], output["kept"], output["verified"]) == ("reflink", 6, 1)
    assert state(source.parent) == before
    ckptmap.convert(source, to=template, table=table, output=cloning / "plain", data="copy")
    wanted = contents(cloning / "plain" / "ckpt-0")
    assert contents(cloning / "new" / "ckpt-0") == wanted
    old = data_file(source.parent, source.name)
    with old.open("rb+") as handle:
        handle.write(bytes(1000))
    assert not data_file(cloning / "new").samefile(old)
    assert contents(cloning / "new" / "ckpt-0") == wanted


def test_to_another_file_system_a_clone_becomes_a_copy(
    cloning: Path, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    if tmp_path.stat().st_dev == cloning.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    source, template, table = files
    output = ckptmap.convert(source, to=template, table=table, output=tmp_path / "new", data="reflink")["output"]
    assert (output["data"], output["kept"]) == ("copy", 0)
    assert output["notes"] == ["copied, reflink is not possible here: Invalid cross-device link"]
    ckptmap.convert(source, to=template, table=table, output=cloning / "plain", data="copy")
    assert contents(tmp_path / "new" / "ckpt-0") == contents(cloning / "plain" / "ckpt-0")
