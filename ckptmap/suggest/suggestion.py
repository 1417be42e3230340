"""``suggest``: a mapping table drafted from two models, with what is sure and what is not."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ckptmap.basics.card import card
from ckptmap.basics.errors import CkptmapError, ProblemsError, TargetError
from ckptmap.mapping import Table, apply_table, load_table
from ckptmap.report.shown import Shown
from ckptmap.suggest.asking import Ask, settled
from ckptmap.suggest.cells import new_cells, old_cells
from ckptmap.suggest.certainty import broken_run, coverage, judge
from ckptmap.suggest.checking import Check, Checked, again_with_proofs, with_proofs
from ckptmap.suggest.drafting import DraftTable, draft
from ckptmap.suggest.fusing import departed, fused
from ckptmap.suggest.graphs import Flow, flow
from ckptmap.suggest.including import known_parts, made_of
from ckptmap.suggest.layer_matching import match
from ckptmap.suggest.layer_values import Matched
from ckptmap.suggest.layers import layers_of
from ckptmap.suggest.leaves import leaves_of
from ckptmap.suggest.new_graph import new_flow, read_new_graph, saved_graph_of
from ckptmap.suggest.reading import OldSide, read_new, read_old
from ckptmap.suggest.stacking import stacked
from ckptmap.suggest.summary import is_trusted, likely_models, summary_lines
from ckptmap.suggest.writing import yaml_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ckptmap.mapping.table import Kind, MappingResult
    from ckptmap.suggest.including import Part
    from ckptmap.suggest.layer_values import Item, Layer
    from ckptmap.suggest.new_graph import NewGraph
    from ckptmap.suggest.nodes import Node

KINDS = ("kinds/slim", "kinds/keras")
"""The shipped tables of kinds that a draft may include."""
MAX_LAYERS = 5_000
"""Of one side: the time and memory for all pairs of layers grow with the square."""
_SHOWN = 12
"""Lines of a draft that a notebook shows."""


@dataclass(frozen=True, slots=True, repr=False)
class Suggestion(Shown):
    """A drafted table. ``text`` is its YAML, ``summary`` what to know first, a line each."""

    text: str
    summary: tuple[str, ...]
    matched: Matched
    table: DraftTable
    exact: bool = True
    """Whether the table can be used as it is: it has no mistake, and does what the pairs say."""
    old: str = ""
    new: str = ""
    looks_like: tuple[str, ...] = ()
    """Shipped models whose names the old checkpoint has, where the draft is not to be trusted."""

    document_maker: ClassVar[str] = "ckptmap.suggest.suggestion_document:suggestion_document"

    def _repr_html_(self) -> str:
        """What a notebook shows: what to know first, then the beginning of the table."""
        word = "every pair is sure" if self.sure else "look at what is marked in the table"
        lines = self.text.splitlines()
        more = [(f"and {len(lines) - _SHOWN} more",)] if len(lines) > _SHOWN else []
        told = (word, *self.summary[:_SHOWN])
        return card("ckptmap suggest", told, ([("the table",), *((line,) for line in lines[:_SHOWN]), *more],))

    def __repr__(self) -> str:
        return f"<ckptmap suggest: {len(self.matched.pairs)} pairs, {'sure' if self.sure else 'some doubtful'}>"

    @property
    def trusted(self) -> bool:
        """Whether the two can be the same model."""
        return is_trusted(self.matched)

    @property
    def sure(self) -> bool:
        """Whether every pair is sure, and nothing of either side is left over."""
        pairs = all(pair.sure for pair in self.matched.pairs)
        return self.exact and pairs and not any(one.doubtful for one in (*self.table.drops, *self.table.inits))


def suggest(
    old: str | os.PathLike[str],
    *,
    to: str | os.PathLike[str],
    graph: str | os.PathLike[str] | NewGraph | None = None,
    ask: Ask | None = None,
    check: Check | None = None,
) -> Suggestion:
    """Draft the mapping table that leads from a TF1 checkpoint to a TF2 model. Reads indexes only, writes nothing.

    Args:
        old: the TF1 checkpoint; the order of the ``.meta`` beside it is used.
        to: a TF2 checkpoint of the model, or the name of a shipped target.
        graph: what ``model.to_json()`` gives, a ``.keras`` archive, or a SavedModel of the new model: its data flow is
            used. A SavedModel that is the template says it unasked. Of a live model it is what
            ``ckptmap.tf.graph_of`` makes.
        ask: is asked each doubtful choice; what it answers goes into the table (see ``asking``).
        check: runs both models, and keeps of what is doubtful what gives the same outputs: what
            ``ckptmap.tf.checking.by_outputs`` makes. It comes before ``ask``.

    Raises:
        CkptmapError: one of them cannot be read, is none, or has nothing in common with the other.
    """
    source = read_old(old)
    target, items = read_new(to, source.inventory)
    layers = read_new_graph(graph) if isinstance(graph, (str, os.PathLike)) else graph or saved_graph_of(to)
    prepared = prepare(source.items, items, source.nodes, layers)
    matched = paired(prepared)
    checked = check(os.fspath(old), os.fspath(to), matched) if matched.pairs and check is not None else None
    if checked is not None:
        matched = with_proofs(matched, checked)
    if matched.pairs and ask is not None:
        matched = settled(matched, lambda pins: _again(prepared, pins, checked), ask)
    if not matched.pairs:
        hint = "no layer of one has the shapes of a layer of the other: are these two the same model?"
        raise TargetError(f"has nothing in common with {source.inventory.path}", where=target.name, hint=hint)
    return drafted(matched, source, target.name)


def _again(sides: Prepared, pins: Mapping[int, int], checked: Checked | None) -> Matched:
    """The pairs with what the user settled since, and what was proven before."""
    if checked is None:
        return paired(sides, pins)
    proven = {one: other for one, (other, _) in checked.proofs.items()}
    return again_with_proofs(paired(sides, {**proven, **pins}), checked)


def matched_layers(
    old: Iterable[Item],
    new: Iterable[Item],
    nodes: Sequence[Node] = (),
    graph: NewGraph | None = None,
) -> Matched:
    """The layers of both sides, paired, each pair sure or doubtful; the same whatever the order of the variables.

    ``nodes`` are those of the old side's graph, ``graph`` is that of the new side.
    """
    return paired(prepare(old, new, nodes, graph))


@dataclass(frozen=True, slots=True)
class Prepared:
    """The layers of both sides, and what their graphs say."""

    old: tuple[Layer, ...]
    new: tuple[Layer, ...]
    flow: Flow | None
    new_flow: Flow | None


def prepare(
    old: Iterable[Item],
    new: Iterable[Item],
    nodes: Sequence[Node] = (),
    graph: NewGraph | None = None,
) -> Prepared:
    """The layers of both sides: see ``matched_layers``."""
    old_layers, new_layers = layers_of_both(old, new, nodes)
    _refuse_too_many(len(old_layers), len(new_layers))
    layer_of = {name: at for at, layer in enumerate(old_layers) for name in layer.variables}
    return Prepared(
        old_layers,
        new_layers,
        flow(nodes, layer_of) if nodes else None,
        new_flow(graph, new_layers) if graph is not None else None,
    )


def layers_of_both(
    old: Iterable[Item], new: Iterable[Item], nodes: Sequence[Node] = ()
) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """The layers of both sides; variables that are one on one side and several on the other are put together."""
    new_items = sorted(new, key=lambda item: item.name)
    old_items = departed(stacked(sorted(old, key=lambda item: item.name), new_items), new_items)
    plain_new, plain_old = layers_of(new_items), layers_of(old_items)
    new_layers = new_cells(fused(plain_new, plain_old, new=True))
    old_layers = old_cells(fused(plain_old, plain_new, new=False), old_items, new_layers, nodes)
    return old_layers, new_layers


def _refuse_too_many(old: int, new: int) -> None:
    if max(old, new) > MAX_LAYERS:
        raise CkptmapError(
            f"{old:,} layers of the old side and {new:,} of the new one are too many for a draft",
            hint=f"a draft can be made for up to {MAX_LAYERS:,} layers on each side",
        )


def paired(sides: Prepared, pins: Mapping[int, int] | None = None) -> Matched:
    """The pairs, each sure or doubtful; ``pins`` are those that the user has settled."""
    old, new = sides.old, sides.new
    evidence = match(old, new, sides.flow, sides.new_flow, pins)
    pairs = judge(old, new, evidence, pins)
    return Matched(old, new, pairs, coverage(old, new, evidence.pairs), broken_run(old, new, evidence))


def drafted(matched: Matched, source: OldSide, target: str) -> Suggestion:
    """The table for these pairs: the shortest that does exactly what they say, proven by applying it."""
    names = [*(item.name for item in source.items), *source.bookkeeping]
    likely = () if is_trusted(matched) else likely_models(source, target)
    for narrow, literal in ((False, False), (True, False), (True, True)):
        found = _written(matched, source, target, _How(narrow, literal), likely=likely)
        result = _applied(found.text, names)
        if result is not None and _is_exact(result, matched):
            return _with_parts(found, result, source, target, _How(narrow, literal))
    told = "THIS DRAFT HAS MISTAKES: `ckptmap rules check` says which; a name may hold what no pattern can."
    text = "\n".join(yaml_lines(found.table, matched, (told, *found.summary))) + "\n"
    return replace(found, text=text, summary=(told, *found.summary), exact=False)


@dataclass(frozen=True, slots=True)
class _How:
    """How numbers are written in a draft: see ``draft``."""

    narrow: bool
    literal: bool


def _written(
    matched: Matched,
    source: OldSide,
    target: str,
    how: _How,
    parts: Sequence[Part] = (),
    likely: tuple[str, ...] = (),
) -> Suggestion:
    table = draft(matched, _shipped(), source.bookkeeping, parts=parts, narrow=how.narrow, literal=how.literal)
    summary = tuple(summary_lines(matched, table, source, target, likely))
    text = "\n".join(yaml_lines(table, matched, summary)) + "\n"
    return Suggestion(text, summary, matched, table, old=source.inventory.path, new=target, looks_like=likely)


@cache
def _shipped() -> Mapping[str, Mapping[str, Kind]]:
    return {name: load_table(name).kinds for name in KINDS}


def _with_parts(found: Suggestion, result: MappingResult, source: OldSide, target: str, how: _How) -> Suggestion:
    """The draft with shipped tables in the place of rules where they do the same, and it is shorter so."""
    rules = [rule.rule.members for rule in found.table.rules]
    parts = known_parts(found.matched, rules, made_of(result), source.bookkeeping)
    if not parts:
        return found
    shorter = _written(found.matched, source, target, how, parts, found.looks_like)
    names = [*(item.name for item in source.items), *source.bookkeeping]
    again = _applied(shorter.text, names)
    same = again is not None and _is_exact(again, found.matched) and made_of(again) == made_of(result)
    return shorter if same and len(shorter.table.rules) + len(parts) < len(found.table.rules) else found


def _wanted(matched: Matched) -> dict[str, str]:
    """The first old variable of each new one."""
    found: dict[str, str] = {}
    for pair in matched.pairs:
        leaves = leaves_of(matched.old[pair.old], matched.new[pair.new])
        for one, other, _ in leaves.moves:
            found |= dict.fromkeys(other.parts or (other.name,), (one.parts or (one.name,))[0])
    return found


def is_exact(text: str, names: Sequence[str], matched: Matched) -> bool:
    """Whether a table has no mistake, makes of ``names`` what the pairs say, and drops all others."""
    result = _applied(text, names)
    return result is not None and _is_exact(result, matched)


def _applied(text: str, names: Sequence[str]) -> MappingResult | None:
    """What a table makes of ``names``; None where it has mistakes."""
    table = loaded(text)
    return apply_table(table, names) if table is not None else None


def _is_exact(result: MappingResult, matched: Matched) -> bool:
    made = {one.target: one.sources[0] for one in result.assignments}
    return not (result.problems or result.unmatched or result.unused) and made == _wanted(matched)


def loaded(text: str) -> Table | None:
    """The table of this text; None where it has mistakes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "draft.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            return load_table(path)
        except ProblemsError:
            return None
