"""A draft as plain JSON values (``ckptmap.suggest/1``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.suggest.checking import PROOFS
from ckptmap.suggest.leaves import leaves_of
from ckptmap.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ckptmap.suggest.layer_values import Item, Layer, Matched, Pair
    from ckptmap.suggest.suggestion import Suggestion

    Document = dict[str, Any]

SCHEMA = "ckptmap.suggest/1"


def suggestion_document(found: Suggestion) -> Document:
    """Everything that a draft says: counts, pairs with their certainty, what is left, and the table itself."""
    matched, table = found.matched, found.table
    sure = sum(pair.sure for pair in matched.pairs)
    old, new = matched.coverage
    return {
        "schema": SCHEMA,
        "generator": f"ckptmap {__version__}",
        "old": found.old,
        "new": found.new,
        "passed": found.sure,
        "exact": found.exact,
        "trusted": found.trusted,
        "looks_like": list(found.looks_like),
        "gap": matched.gap or None,
        "coverage": {"old": old, "new": new},
        "counts": {
            "old_layers": len(matched.old),
            "new_layers": len(matched.new),
            "pairs": len(matched.pairs),
            "sure": sure,
            "proven": sum(pair.why in PROOFS for pair in matched.pairs),
            "doubtful": len(matched.pairs) - sure,
            "rules": len(table.rules),
            "doubtful_rules": sum(bool(rule.doubts) for rule in table.rules),
        },
        "includes": [
            {"table": part.table, "from": part.scope, "to": part.target, "layers": len(part.members)}
            for part in table.parts
        ],
        "pairs": [_pair(pair, matched) for pair in matched.pairs],
        "left_old": [_left(matched.old[at]) for at in matched.left_old],
        "left_new": [_left(matched.new[at]) for at in matched.left_new],
        "summary": list(found.summary),
        "table": found.text,
    }


def _pair(pair: Pair, matched: Matched) -> Document:
    old, new = matched.old[pair.old], matched.new[pair.new]
    return {
        "old": old.scope,
        "new": new.scope,
        "sure": pair.sure,
        "proven": pair.why in PROOFS,
        "why": pair.why,
        "rival_old": _scope(pair.rival_old, matched.old),
        "rival_new": _scope(pair.rival_new, matched.new),
        "variables": [
            {"old": _names(one), "new": _names(other), "operations": ops or None}
            for one, other, ops in leaves_of(old, new).moves
        ],
    }


def _scope(at: int, layers: Sequence[Layer]) -> str | None:
    return layers[at].scope if at >= 0 else None


def _names(item: Item) -> list[str]:
    return list(item.parts or (item.name,))


def _left(layer: Layer) -> Document:
    return {"layer": layer.scope, "variables": list(layer.variables)}
