"""The directory of a verification: what may be replaced in it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ckptmap.basics.errors import OutputError
from ckptmap.tf.verify.folder import check_folder


def test_a_new_an_empty_and_an_earlier_one_are_taken(tmp_path: Path) -> None:
    check_folder(tmp_path / "new")
    check_folder(tmp_path)
    (tmp_path / "report.json").write_text('{"schema": "ckptmap.verify/1"}')
    (tmp_path / "picture-1.png").write_bytes(b"")
    check_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("report.json", '{"schema": "ckptmap.report/1"}'),  # that of a conversion
        ("report.json", "[" * 100_000),
        ("picture-1.png", "a photo"),
    ],
    ids=["conversion", "nested", "photo"],
)
def test_what_is_somebody_elses_is_left_alone(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(OutputError, match="is not empty, and holds no earlier verification"):
        check_folder(tmp_path)


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A folder with an earlier verification."""
    folder = tmp_path / "earlier"
    folder.mkdir()
    (folder / "report.json").write_text('{"schema": "ckptmap.verify/1"}')
    (folder / "picture-1.png").write_bytes(b"seen")
    return folder


def test_pictures_that_are_looked_at_are_not_replaced(earlier: Path, tmp_path: Path) -> None:
    (tmp_path / "second-name.png").hardlink_to(earlier / "picture-1.png")
    for images in (earlier, earlier / "picture-1.png", tmp_path / "second-name.png", tmp_path):
        with pytest.raises(OutputError, match="holds what is verified"):
            check_folder(earlier, [None, images])
    (tmp_path / "other").mkdir()
    check_folder(earlier, [None, tmp_path / "other", "gs://bucket/model.ckpt"])


@pytest.mark.parametrize("name", ["report.md", "report.html", "picture-2.png"])
def test_a_link_leads_nowhere_else(earlier: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "model.ckpt.index").write_text("precious")
    (earlier / name).symlink_to(tmp_path / "model.ckpt.index")
    with pytest.raises(OutputError, match="is a link: what it leads to would be replaced"):
        check_folder(earlier)


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(OutputError, match=f"cannot be written: {os.strerror(errno.ENOTDIR)}"):
        check_folder(tmp_path / "a")
