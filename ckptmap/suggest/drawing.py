"""A draft as one HTML page: both models' trees side by side, with a line for each pair, colored by how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap import __version__
from ckptmap.basics.escapes import printable
from ckptmap.report.html import whole_page
from ckptmap.suggest.natural import natural
from ckptmap.suggest.writing import alternatives

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ckptmap.suggest.layer_values import Layer, Matched
    from ckptmap.suggest.suggestion import Suggestion


def to_page(suggestion: Suggestion) -> str:
    """The page. Nothing is loaded; names are data of its script and become text, never markup."""
    head, *summary = suggestion.summary
    data = {
        "title": printable(head),
        "summary": [printable(line.strip()) for line in summary],
        "table": "\n".join(printable(line) for line in suggestion.text.split("\n")),
        **_sides(suggestion.matched),
    }
    return whole_page("ckptmap.suggest", head, f"ckptmap {__version__}", data)


def _sides(matched: Matched) -> dict[str, Any]:
    old_pair = {pair.old: at for at, pair in enumerate(matched.pairs)}
    new_pair = {pair.new: at for at, pair in enumerate(matched.pairs)}
    old, old_place = _side(matched.old, old_pair)
    new, new_place = _side(matched.new, new_pair)
    pairs = [
        {
            "old": old_place[pair.old],
            "new": new_place[pair.new],
            "sure": pair.sure,
            "why": printable(pair.why),
            "rival": printable(alternatives(pair, matched)),
        }
        for pair in matched.pairs
    ]
    return {"old": old, "new": new, "pairs": pairs}


def _side(layers: Sequence[Layer], pair_of: Mapping[int, int]) -> tuple[list[dict[str, Any]], dict[int, int]]:
    """The layers of one side as the page shows them, in the order of their names, and the place of each."""
    order = sorted(range(len(layers)), key=lambda at: natural(layers[at].scope))
    shown = [
        {"name": printable(layers[at].scope), "shapes": layers[at].shapes, "pair": pair_of.get(at)} for at in order
    ]
    return shown, {at: place for place, at in enumerate(order)}
