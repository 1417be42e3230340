"""Parts of a draft that shipped tables know: an ``include`` in the place of several rules.

A table is taken only where it makes of all that it matches what the draft makes of it, by the same operations, and all
of that is sure: it says the same in fewer lines, and says what the part is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ckptmap.mapping import Table, apply_table, load_table
from ckptmap.mapping.index import PatternIndex
from ckptmap.mapping.locate import all_tables, shipped_tables
from ckptmap.mapping.ops import Reshape, Squeeze
from ckptmap.mapping.ops_sized import ReshapeToTarget
from ckptmap.mapping.table import LayerRule, VariableRule
from ckptmap.suggest.leaves import leaves_of
from ckptmap.suggest.words import prefixes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ckptmap.mapping.op import Op
    from ckptmap.mapping.patterns import Pattern
    from ckptmap.mapping.table import MappingResult
    from ckptmap.suggest.layer_values import Matched

_KINDS = "kinds/"
"""The folder of tables that have kinds and no layer."""
_LEAST = 4
"""How many layers a part has at least."""
_TRIED = 40
"""How many places of tables are looked at, those that match most layers first."""
_SHAPING = (Reshape, ReshapeToTarget, Squeeze)
_SAVED = 2
"""How many rules of the draft an include has to replace."""

Made = dict[str, tuple[tuple[str, ...], "tuple[Op, ...]"]]
"""What a table makes: for each new variable the old ones and the operations; a last one that only gives the values the
shape of the new variable is left out, however it is written."""


@dataclass(frozen=True, slots=True)
class Part:
    """An ``include``: the table, the scopes before its names on both sides, and what it is for."""

    table: str
    scope: str
    target: str
    optional: bool
    """Whether some of its rules match nothing here."""
    description: str
    members: frozenset[int]
    """The pairs that it is for, by number."""
    dropped: frozenset[str]
    """Bookkeeping that it drops."""


def made_of(result: MappingResult) -> Made:
    """What a table makes of a checkpoint's variables."""
    return {one.target: (one.sources, _telling(one.ops)) for one in result.assignments}


def _telling(ops: tuple[Op, ...]) -> tuple[Op, ...]:
    return ops[:-1] if ops and isinstance(ops[-1], _SHAPING) else ops


def known_parts(
    matched: Matched, rules: Iterable[Sequence[int]], wanted: Made, bookkeeping: Iterable[str]
) -> tuple[Part, ...]:
    """The parts of a draft that shipped tables make as it does, each in the place of several of its rules.

    ``rules`` are the pairs that each rule of the draft is for, by number; ``wanted`` is what the draft makes.
    """
    waiting = [members for members in map(frozenset, rules) if all(matched.pairs[at].sure for at in members)]
    if len(waiting) < _SAVED:
        return ()
    old = {name for layer in matched.old for name in layer.variables} | set(bookkeeping)
    places = _places(matched)
    found = [part for one in places if (part := _part(*one, matched, old, wanted, set(bookkeeping))) is not None]
    chosen: list[Part] = []
    while found:
        saved = {part: sum(members <= part.members for members in waiting) for part in found}
        best = max(
            found, key=lambda part: (saved[part], not part.optional, len(part.members), -_length(part), part.table)
        )
        if saved[best] < _SAVED:
            break
        chosen.append(best)
        waiting = [members for members in waiting if not members <= best.members]
        found = [part for part in found if not part.members & best.members and not part.dropped & best.dropped]
    return tuple(sorted(chosen, key=lambda part: (part.scope, part.table)))


def _length(part: Part) -> int:
    return len(_tables()[part.table].rules)


@cache
def _tables() -> dict[str, Table]:
    """The shipped tables for parts of models, and for models that can be a part of others."""
    whole = set(shipped_tables().values())
    names = [name for name, file in all_tables().items() if file not in whole and not name.startswith(_KINDS)]
    return {name: load_table(name) for name in names}


@cache
def _indexes() -> tuple[PatternIndex[str], PatternIndex[str]]:
    """The patterns of layers and of variables of all these tables."""
    entries = [(name, rule) for name, table in _tables().items() for rule in table.rules]
    layers = [(rule.pattern, name) for name, rule in entries if isinstance(rule, LayerRule)]
    variables = [(one, name) for name, rule in entries for one in _single(rule)]
    return PatternIndex(layers), PatternIndex(variables)


def _single(rule: object) -> Sequence[Pattern]:
    return rule.patterns if isinstance(rule, VariableRule) else ()


def _places(matched: Matched) -> list[tuple[str, str]]:
    """Tables with the old scope below which they match several sure layers, those that match most first."""
    layers, variables = _indexes()
    votes: Counter[tuple[str, str]] = Counter()
    for pair in matched.pairs:
        layer = matched.old[pair.old]
        if pair.sure:
            votes.update({*_matches(layers, layer.scope), *_matches(variables, layer.variables[0])})
    often = [(count, place) for place, count in votes.items() if count >= _LEAST]
    return [place for _, place in sorted(often, key=lambda item: (-item[0], item[1]))[:_TRIED]]


def _matches(index: PatternIndex[str], name: str) -> Iterator[tuple[str, str]]:
    for scope in ("", *prefixes(name)):
        for table, _ in index.find(name[len(scope) + 1 :] if scope else name):
            yield table, scope


def _target_scope(result: MappingResult, before: str, wanted: Made) -> str | None:
    """What has to stand before the table's new names for the first to be the draft's; None where nothing can."""
    if not result.assignments:
        return None
    first = result.assignments[0]
    sources = tuple(before + name for name in first.sources)
    for name, (olds, _) in wanted.items():
        if olds == sources and f"/{name}".endswith(f"/{first.target}"):
            return name[: -len(first.target)].removesuffix("/")
    return None


def _members(matched: Matched, made: Made) -> frozenset[int] | None:
    """The pairs that are made, by number; None where one is not sure, or not made whole."""
    found = set()
    for at, pair in enumerate(matched.pairs):
        moves = leaves_of(matched.old[pair.old], matched.new[pair.new]).moves
        names = {name for _, other, _ in moves for name in (other.parts or (other.name,))}
        if names & made.keys():
            if not pair.sure or not names <= made.keys():
                return None
            found.add(at)
    return frozenset(found)


def _part(table: str, scope: str, matched: Matched, old: set[str], wanted: Made, bookkeeping: set[str]) -> Part | None:
    """The table below this scope; None where it does anything that the draft does not, or that is not sure."""
    before = f"{scope}/" if scope else ""
    names = [name[len(before) :] for name in old if name.startswith(before)]
    result = apply_table(_tables()[table], names)
    dropped = frozenset(before + one.source for one in result.drops)
    target = _target_scope(result, before, wanted)
    if result.problems or not dropped <= bookkeeping or target is None:
        return None
    after = f"{target}/" if target else ""
    made = {
        after + name: (tuple(before + source for source in sources), ops)
        for name, (sources, ops) in made_of(result).items()
    }
    members = _members(matched, made)
    if members is None or any(wanted.get(name) != how for name, how in made.items()):
        return None
    return Part(table, scope, target, bool(result.unused), _tables()[table].description, members, dropped)
