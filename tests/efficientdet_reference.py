"""AutoML's EfficientDet heads in NumPy: the order of their outputs, its anchors, its decoding of boxes.

Written from efficientdet/tf2/anchors.py of google/automl at 6a54c87 (``Anchors._generate_configs``,
``Anchors._generate_boxes``, ``decode_box_outputs``); anchors of before 2020-09 from efficientdet/keras/anchors.py at
0a7798a.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SCALES = 3
RATIOS = ((1.0, 1.0), (2**0.5, 0.5**0.5), (0.5**0.5, 2**0.5))
"""Width and height of each aspect ratio: 1, 2 and 0.5."""
OLD_RATIOS = ((1.0, 1.0), (1.4, 0.7), (0.7, 1.4))
ANCHORS = SCALES * len(RATIOS)


def anchors(
    size: int, levels: Sequence[int], anchor_scale: float, ratios: Sequence[tuple[float, float]] = RATIOS
) -> np.ndarray:
    """All anchors [n, 4] as ymin, xmin, ymax, xmax in pixels: level by level, row by row, scale by scale."""
    found = []
    for level in levels:
        stride = 2**level
        centres = np.arange(stride / 2, size, stride)
        for y in centres:
            for x in centres:
                for octave in range(SCALES):
                    base = anchor_scale * stride * 2 ** (octave / SCALES)
                    for width, height in ratios:
                        w, h = base * width, base * height
                        found.append((y - h / 2, x - w / 2, y + h / 2, x + w / 2))
    return np.array(found)


def decode(offsets: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Box outputs [..., 4] (y, x, height, width, in units of the anchor) and their anchors, as corners in pixels."""
    heights, widths = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    y = offsets[..., 0] * heights + (boxes[..., 0] + boxes[..., 2]) / 2
    x = offsets[..., 1] * widths + (boxes[..., 1] + boxes[..., 3]) / 2
    h, w = np.exp(offsets[..., 2]) * heights, np.exp(offsets[..., 3]) * widths
    return np.stack([y - h / 2, x - w / 2, y + h / 2, x + w / 2], axis=-1)


def flat(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Head outputs of all levels, each [1, height, width, 9 * depth], as one [1, anchors, depth] in AutoML's order."""
    return np.concatenate([one.reshape(1, -1, one.shape[-1] // ANCHORS) for one in maps], axis=1)


def ratios_first(values: np.ndarray) -> np.ndarray:
    """[1, anchors, depth] in AutoML's order, scale by scale at each place, as the API has it: ratio by ratio."""
    places = values.reshape(-1, SCALES, len(RATIOS), values.shape[-1])
    return places.swapaxes(1, 2).reshape(values.shape)
