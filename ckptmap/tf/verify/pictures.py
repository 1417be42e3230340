"""Pictures of both models' detections side by side: old on the left, new on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.tf.verify.images import pillow
from ckptmap.tf.verify.matching import Fate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy as np

    from ckptmap.tf.verify.matching import Detection, Match

    Array = np.ndarray[Any, Any]

_COLOURS = {
    Fate.EQUAL: (47, 160, 90),
    Fate.MOVED: (222, 140, 0),
    Fate.RELABELLED: (170, 60, 200),
    Fate.LOST: (215, 40, 50),
    Fate.NEW: (30, 110, 230),
}
_LARGEST, _SMALLEST = 640, 320  # pixels of the longer side of each half
_BAR, _GAP, _FONT = 30, 6, 15
_INK, _PAPER = (255, 255, 255), (24, 28, 32)


def draw_pair(
    path: Path, pixels: Array, matches: Iterable[Match], titles: tuple[str, str], names: Mapping[int, str]
) -> None:
    """Write a PNG: the image twice, with the detections of each model, each in the colour of its fate.

    ``pixels`` is [1, height, width, 3] in 0 to 255; ``names`` are classes by number, counted from 1.
    """
    shown = sorted(matches, key=lambda one: one.score)  # the best are drawn last
    halves = [
        _half(pixels, title, [(one.fate, box) for one in shown if (box := getattr(one, side))], names)
        for side, title in zip(("old", "new"), titles, strict=True)
    ]
    width, height = halves[0].size
    whole = pillow().new("RGB", (2 * width + _GAP, height), _PAPER)
    for place, half in enumerate(halves):
        whole.paste(half, (place * (width + _GAP), 0))
    whole.quantize(128).save(path, optimize=True)


def _half(pixels: Array, title: str, boxes: list[tuple[Fate, Detection]], names: Mapping[int, str]) -> Any:
    from PIL import ImageDraw

    image = _scaled(pixels)
    canvas = pillow().new("RGB", (image.width, image.height + _BAR), _PAPER)
    canvas.paste(image, (0, _BAR))
    draw = ImageDraw.Draw(canvas)
    draw.text((8, 7), title, _INK, font=_font())
    for fate, box in boxes:
        _box(draw, image.size, fate, box, names.get(box.label, f"class {box.label}"))
    return canvas


def _scaled(pixels: Array) -> Any:
    """The image, its longer side brought between the smallest and the largest length."""
    image = pillow().fromarray(pixels[0].astype("uint8"))
    longer = max(image.size)
    scale = min(max(longer, _SMALLEST), _LARGEST) / longer
    return image.resize((round(image.width * scale), round(image.height * scale))) if scale != 1 else image


def _box(draw: Any, size: tuple[int, int], fate: Fate, box: Detection, name: str) -> None:
    width, height = size
    top, left, bottom, right = (min(max(value, 0.0), 1.0) for value in box.corners)
    corners = [left * (width - 1), top * (height - 1) + _BAR, right * (width - 1), bottom * (height - 1) + _BAR]
    if corners[2] < corners[0] or corners[3] < corners[1]:
        return
    draw.rectangle(corners, outline=_COLOURS[fate], width=3)
    label = f"{name} {box.score:.2f}"
    place = (corners[0], max(corners[1] - _FONT - 5, _BAR))
    _, _, *end = draw.textbbox((place[0] + 3, place[1] + 1), label, font=_font())
    draw.rectangle([*place, end[0] + 3, end[1] + 3], fill=_COLOURS[fate])
    draw.text((place[0] + 3, place[1] + 1), label, _INK, font=_font())


def _font() -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size=_FONT)
