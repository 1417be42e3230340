"""Names in a table that may be misspelt: no mistakes, for a model may call its variables anything, but worth a look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ckptmap.basics.errors import Problem
from ckptmap.basics.nearest import Names
from ckptmap.mapping.table import Kind, LayerRule, Table, VariableRule
from ckptmap.mapping.tables import read_tables, shipped_kinds

_ALIKE = 0.75
"""Two swapped letters of a short name such as ``bias`` give this."""
_OTHERS = ("weight", "embedding", "variance", "mean")
"""Names of leaves that other libraries use, and that are near to those of the shipped kinds."""


def doubtful_names(path: str | Path) -> tuple[Problem, ...]:
    """The leaves of a table, or of every table below a directory, that no shipped kind knows, but one nearly so."""
    tables, _ = read_tables(path)
    known = {*_OTHERS, *(leaf for kind in shipped_kinds().values() for leaf in _leaves_of(kind))}
    names = Names(sorted(name for name in known if not name.startswith("_")))
    found = [
        Problem(f'no shipped kind has a leaf "{leaf}"', where, f'did you mean "{near[0]}"?')
        for table in tables
        for leaf, where in _leaves(table)
        if leaf not in known and (near := names.nearest(leaf, cutoff=_ALIKE)) and abs(len(near[0]) - len(leaf)) <= 1
    ]
    return tuple(dict.fromkeys(found))


def _leaves(table: Table) -> Iterator[tuple[str, str]]:
    """Every leaf that the table's own kinds and rules name literally, and where."""
    for kind in table.kinds.values():
        for leaf in kind.leaves.values():
            yield from ((name, str(leaf.ref)) for name in (leaf.source, leaf.target, *leaf.others))
        yield from _leaves_of_rules(kind.rules)
    yield from _leaves_of_rules(rule for rule in table.rules if not isinstance(rule, LayerRule))


def _leaves_of(kind: Kind) -> Iterator[str]:
    for leaf in kind.leaves.values():
        yield from (leaf.source, leaf.target, *leaf.others)
    yield from (name for name, _ in _leaves_of_rules(kind.rules))


def _leaves_of_rules(rules: Iterable[object]) -> Iterator[tuple[str, str]]:
    for rule in rules:
        if isinstance(rule, VariableRule):
            texts = [*(pattern.text for pattern in rule.patterns), *(part.template.text for part in rule.targets)]
            yield from ((leaf, str(rule.ref)) for text in texts if (leaf := _last(text)))


def _last(text: str) -> str:
    """The last component of a name; empty if a placeholder is in it."""
    leaf = text.rsplit("/", 1)[-1]
    return "" if "{" in leaf or "}" in leaf else leaf
