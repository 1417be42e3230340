"""Pictures of both models' detections side by side: old on the left, new on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.tf.verify.detection_matching import Fate
from ckptmap.tf.verify.images import pillow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy as np

    from ckptmap.tf.verify.detection_matching import Detection, Match

    Array = np.ndarray[Any, Any]

_COLORS = {
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
    """Write a PNG: the image twice, with the detections of each model, each in the color of its fate.

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
        draw.rectangle(_corners(image.size, box), outline=_COLORS[fate], width=3)
    for fate, box in boxes:  # over all boxes, so that none strikes a name through
        left, top, _, _ = _corners(image.size, box)
        _label(
            draw,
            (left, max(top - _FONT - 5, _BAR)),
            f"{names.get(box.label, f'class {box.label}')} {box.score:.2f}",
            fate,
        )
    return canvas


def _scaled(pixels: Array) -> Any:
    """The image, its longer side brought between the smallest and the largest length."""
    image = pillow().fromarray(pixels[0].astype("uint8"))
    longer = max(image.size)
    scale = min(max(longer, _SMALLEST), _LARGEST) / longer
    return image.resize((round(image.width * scale), round(image.height * scale))) if scale != 1 else image


def _corners(size: tuple[int, int], box: Detection) -> tuple[float, float, float, float]:
    """Left, top, right and bottom in pixels, below the title."""
    width, height = size
    top, left, bottom, right = (min(max(value, 0.0), 1.0) for value in box.corners)
    right, bottom = max(left, right), max(top, bottom)
    return left * (width - 1), top * (height - 1) + _BAR, right * (width - 1), bottom * (height - 1) + _BAR


def _label(draw: Any, place: tuple[float, float], text: str, fate: Fate) -> None:
    left, top = place
    _, _, right, bottom = draw.textbbox((left + 3, top + 1), text, font=_font())
    draw.rectangle((left, top, right + 3, bottom + 3), fill=_COLORS[fate])
    draw.text((left + 3, top + 1), text, _INK, font=_font())


def _font() -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size=_FONT)
