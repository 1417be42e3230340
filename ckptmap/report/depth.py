"""A picture of a verification: how far two models lie apart at each layer, along the depth of the network.

One row a layer from the input down, the difference on a log scale, as SVG of the width of a phone. Deep networks have
several layers in a row; the row shows the largest difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from ckptmap.basics.escapes import printable

_WIDTH, _LEFT, _ROW, _TOP = 360, 150, 16, 34
_MOST_ROWS, _LONGEST = 64, 20
_LOWEST, _HIGHEST = -9, 1
"""Powers of ten: below is equal but for the last bit, above is another shape or no number."""
_STYLE = (
    "text{font:10px system-ui,sans-serif;fill:#1d2125}.soft{fill:#5c6670}.grid{stroke:#dcdfe3}"
    ".limit{stroke:#b86e00;stroke-dasharray:3 2}.back{fill:#fff}.ok{fill:#2f7d4f}.failure{fill:#c2313a}"
    ".first{font-weight:700}@media(prefers-color-scheme:dark){text{fill:#e6e9ec}.soft{fill:#9aa5b0}"
    ".grid{stroke:#323940}.limit{stroke:#dd9b3c}.back{fill:#1c2024}.ok{fill:#57a878}.failure{fill:#e0636b}}"
)


@dataclass(frozen=True, slots=True)
class Depth:
    """A layer by name and the difference there, in units of the spread: infinite for another shape, None if unknown."""

    name: str
    relative: float | None


def depth_picture(layers: Sequence[Depth], tolerance: float) -> str:
    """The SVG. ``tolerance`` is what is no difference; the first row beyond it stands out."""
    rows = _rows(layers, tolerance)
    height = _TOP + _ROW * len(rows) + 8
    title = f"Difference at each of {len(layers)} layers, input first"
    first = next((at for at, row in enumerate(rows) if (row.relative or 0) > tolerance), None)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"',
        f' role="img" aria-label="{title}">',
        f"<style>{_STYLE}</style><title>{title}</title>",
        f'<rect class="back" width="{_WIDTH}" height="{height}"/>',
        *_axis(height, tolerance),
        *(_row(at, row, tolerance, is_first=at == first) for at, row in enumerate(rows)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _rows(layers: Sequence[Depth], tolerance: float) -> list[Depth]:
    """The layers, or where there are too many their groups, called by the layer that differs first or most."""
    size = math.ceil(len(layers) / _MOST_ROWS)
    return [_group(layers[at : at + size], tolerance) for at in range(0, len(layers), size)] if layers else []


def _group(layers: Sequence[Depth], tolerance: float) -> Depth:
    known = [layer for layer in layers if layer.relative is not None]
    most = max((layer.relative or 0.0 for layer in known), default=None)
    named = next((layer for layer in known if (layer.relative or 0) > tolerance), layers[0])
    return Depth(named.name, most)


def _axis(height: int, tolerance: float) -> Iterator[str]:
    yield f'<text class="soft" x="{_LEFT}" y="12">difference, in units of the spread</text>'
    for power in range(_LOWEST + 1, _HIGHEST, 2):
        x = _place(10.0**power)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{height - 8}"/>'
        yield f'<text class="soft" x="{x:.1f}" y="{_TOP - 8}" text-anchor="middle">1e{power}</text>'
    x = _place(tolerance)
    yield f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{height - 8}"/>'


def _row(at: int, row: Depth, tolerance: float, *, is_first: bool) -> str:
    y = _TOP + at * _ROW
    kind = "failure" if (row.relative or 0) > tolerance else "ok"
    name = escape(printable(row.name))
    shown = escape(_shortened(printable(row.name)))
    emphasis = ' class="first"' if is_first else ""
    label = f'<text x="{_LEFT - 6}" y="{y + 11}" text-anchor="end"{emphasis}>{shown}</text>'
    said = "not compared" if row.relative is None else _number(row.relative)
    width = 0.0 if row.relative is None else max(_place(row.relative) - _LEFT, 2.0)
    bar = f'<rect class="{kind}" x="{_LEFT}" y="{y + 2}" width="{width:.1f}" height="{_ROW - 5}"/>'
    return f"<g><title>{name}: {said}</title>{label}{bar}</g>"


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}"


def _number(value: float) -> str:
    return f"{value:.2g}" if math.isfinite(value) else "another shape, or not a number"


def _place(value: float) -> float:
    """Where on the axis a difference is."""
    power = math.log10(value) if 0 < value < math.inf else _LOWEST if value == 0 else _HIGHEST
    share = (min(max(power, _LOWEST), _HIGHEST) - _LOWEST) / (_HIGHEST - _LOWEST)
    return _LEFT + share * (_WIDTH - _LEFT - 12)
