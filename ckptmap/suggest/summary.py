"""The first thing to read of a draft: how much found a partner, how much is sure, what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.basics.text import plural
from ckptmap.request.table_likeness import likely_tables
from ckptmap.suggest.checking import PROOFS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ckptmap.suggest.drafting import DraftTable
    from ckptmap.suggest.layer_values import Layer, Matched
    from ckptmap.suggest.reading import OldSide

_SHOWN = 5
_ENOUGH = 0.9


def is_trusted(matched: Matched) -> bool:
    """Whether the two can be the same model: few variables have no partner, or runs of both prove the pairs."""
    proven = any(pair.why in PROOFS for pair in matched.pairs) and all(pair.sure for pair in matched.pairs)
    return proven or not (min(matched.coverage) < _ENOUGH or matched.gap)


def likely_models(source: OldSide, target: str) -> tuple[str, ...]:
    """Which shipped models' names the old checkpoint has, if any."""
    return tuple(one.table for one in likely_tables(source.inventory) if one.table != target)[:_SHOWN]


def summary_lines(
    matched: Matched, table: DraftTable, source: OldSide, target: str, likely: Sequence[str]
) -> Iterator[str]:
    """A line for each fact, the most important first; ``likely`` are models that an untrusted one looks like."""
    sure = sum(pair.sure for pair in matched.pairs)
    yield f"A draft: {source.inventory.path} -> {target}"
    proven = sum(pair.why in PROOFS for pair in matched.pairs)
    if not is_trusted(matched):
        yield "DO NOT TRUST THIS DRAFT: the two may be different models."
        if matched.gap:
            yield f"  {matched.gap} is left over, although layers with similar names have partners."
        old, new = (f"{share:.0%}" for share in matched.coverage)
        yield f"  {old} of the old variables and {new} of the new ones have a partner."
        if likely:
            yield f"  By its names the old checkpoint looks like {' or '.join(likely)}."
    yield from _left("old", matched.old, matched.left_old)
    yield from _left("new", matched.new, matched.left_new)
    found, doubtful = len(matched.pairs), sum(bool(rule.doubts) for rule in table.rules)
    have = "has" if found == 1 else "have"
    yield f"{found} of {len(matched.old)} old layers {have} a partner among {len(matched.new)} new ones:"
    yield f"  {sure} sure{f' ({proven} of them proven by runs)' if proven else ''}, {found - sure} doubtful."
    yield f"{len(table.rules)} rules, {doubtful} of them doubtful" + (": each is marked." if doubtful else ".")
    if table.parts:
        layers = sum(len(part.members) for part in table.parts)
        named = ", ".join(dict.fromkeys(part.table for part in table.parts))
        yield f"{plural(layers, 'layer')} by shipped tables: {named}."
    marked = sum(one.doubtful for one in (*table.drops, *table.inits))
    if marked:
        look = "look at it; it is marked, too" if marked == 1 else "look at each; they are marked, too"
        yield f"{plural(marked, 'line')} for what is left over: {look}."
    yield from matched.told
    if not source.ordered:
        yield "No .meta lies beside the old checkpoint, which would say in which order its layers were made."
    yield from source.notes


def _left(side: str, layers: Sequence[Layer], left: Sequence[int]) -> Iterator[str]:
    if not left:
        return
    names = [layers[at].scope for at in left[:_SHOWN]]
    more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    what = f"1 {side} layer is" if len(left) == 1 else f"{len(left)} {side} layers are"
    yield f"{what} left over: {', '.join(names)}{more}."
