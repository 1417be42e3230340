"""Pictures: both halves, boxes where they belong, in the color of their fate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ckptmap.tf.verify.detection_matching import Detection, match
from ckptmap.tf.verify.pictures import draw_pair

Image = pytest.importorskip("PIL.Image", reason="needs the [tf] extra")
BAR, GAP = 30, 6
GREEN, ORANGE, RED, BLUE = (47, 160, 90), (222, 140, 0), (215, 40, 50), (30, 110, 230)


def draw(folder: Path, old: tuple[Detection, ...], new: tuple[Detection, ...], size: tuple[int, int]) -> np.ndarray:
    pixels = np.full((1, *size, 3), 200, np.float32)
    draw_pair(folder / "p.png", pixels, match(old, new), ("TF1", "TF2"), {1: "cat"})
    return np.asarray(Image.open(folder / "p.png").convert("RGB")).astype(int)


def color(picture: np.ndarray, x: int, y: int, half: int = 0) -> tuple[int, ...]:
    width = (picture.shape[1] - GAP) // 2
    return tuple(picture[BAR + y, half * (width + GAP) + x].tolist())


def near(left: tuple[int, ...], right: tuple[int, ...]) -> bool:
    return max(abs(one - other) for one, other in zip(left, right, strict=True)) < 12


def test_each_side_shows_its_boxes_in_the_color_of_their_fate(tmp_path: Path) -> None:
    same, gone, come = ((0.1, 0.1, 0.4, 0.4), (0.6, 0.1, 0.9, 0.4), (0.1, 0.6, 0.4, 0.9))
    old = (Detection(same, 0.9, 1), Detection(gone, 0.8, 2))
    picture = draw(tmp_path, old, (Detection(same, 0.9, 1), Detection(come, 0.7, 3)), (400, 400))
    assert picture.shape == (400 + BAR, 2 * 400 + GAP, 3)
    for half in (0, 1):
        assert near(color(picture, 100, 158, half), GREEN)
    assert near(color(picture, 100, 358), RED)
    assert near(color(picture, 100, 358, half=1), (200, 200, 200))
    assert near(color(picture, 300, 158, half=1), BLUE)
    assert near(color(picture, 300, 158), (200, 200, 200))


def test_small_and_large_images_are_scaled(tmp_path: Path) -> None:
    assert draw(tmp_path, (), (), (32, 64)).shape == (160 + BAR, 2 * 320 + GAP, 3)
    assert draw(tmp_path, (), (), (1280, 640)).shape == (640 + BAR, 2 * 320 + GAP, 3)


def test_boxes_that_leave_the_image_are_cut(tmp_path: Path) -> None:
    wide = (Detection((-0.5, -0.5, 1.5, 1.5), 0.9, 1),)
    picture = draw(tmp_path, wide, (Detection((-0.5, -0.5, 1.4, 1.5), 0.6, 1),), (400, 400))
    assert near(color(picture, 200, 398), ORANGE)
