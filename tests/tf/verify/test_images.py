"""Images of a verification, and files that are none."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from ckptmap.basics.errors import CkptmapError
from ckptmap.tf.verify.images import Image, find_images


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_pixels_are_the_bytes_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(2, 1, b"\x00" + bytes([1, 2, 3, 250, 251, 252])))
    [image] = find_images(tmp_path)
    assert image.name == "a.png"
    assert image.pixels().dtype == np.float32
    assert image.pixels().tolist() == [[[[1, 2, 3], [250, 251, 252]]]]


def test_a_large_image_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    """67 million pixels are taken; of one row more nothing is: the file has no row at all, and Pillow does not warn."""
    most = 1 << 13
    (tmp_path / "a.png").write_bytes(png(most, most + 1, b""))
    with pytest.raises(CkptmapError, match="has 8,192 x 8,193 pixels"):
        Image("a.png", tmp_path / "a.png").pixels()
    (tmp_path / "a.png").write_bytes(png(most, most, b""))
    with pytest.raises(CkptmapError, match="cannot be read as an image"):
        Image("a.png", tmp_path / "a.png").pixels()


BOMB = Path(__file__).parents[3] / ".." / "shared" / "cases" / "attacks" / "png-bomb" / "b13k.png"


@pytest.mark.skipif(not BOMB.is_file(), reason="the cases are not here")
def test_the_published_bomb() -> None:
    with pytest.raises(CkptmapError, match="has 13,000 x 13,000 pixels"):
        Image("b13k.png", BOMB).pixels()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (png(13_000, 13_000, b""), "has 13,000 x 13,000 pixels, which are too many"),
        (png(100_000, 100_000, b""), "cannot be read as an image"),
        (png(100, 100, b""), "cannot be read as an image"),
        (b"no picture", "cannot be read as an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n", "cannot be read as an image"),
    ],
    ids=["bomb", "larger bomb", "truncated", "text", "a program"],
)
def test_what_is_no_image_is_told_by_its_name(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(CkptmapError, match=why) as error:
        Image("a.png", path).pixels()
    assert error.value.problem.where == str(path)
