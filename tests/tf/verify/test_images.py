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


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (png(100_000, 100_000, b""), "could be decompression bomb"),
        (png(100, 100, b""), "image file is truncated"),
        (b"no picture", "cannot identify image file"),
    ],
    ids=["bomb", "truncated", "text"],
)
def test_what_is_no_image_is_told_by_its_name(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(CkptmapError, match=why) as error:
        Image("a.png", path).pixels()
    assert error.value.problem.where == str(path)
