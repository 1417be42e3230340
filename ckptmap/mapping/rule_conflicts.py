"""Rules of one table that can match the same variable: found before any name is seen, in bounded time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.basics.errors import Problem
from ckptmap.mapping.overlap import claim, compare
from ckptmap.mapping.partition import Entry, rival_pairs
from ckptmap.mapping.patterns import Parts
from ckptmap.mapping.rule_ref import RuleRef

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_HINT = "declare the placeholders so that only one of them does, or say `shared: true` in both"
_MAX_PROBLEMS = 1000
_MAX_WORK = 2_000_000
"""What comparing may cost, in the states of automata; a hundred times what any shipped table costs."""


def overlaps(claims: Iterable[tuple[RuleRef, Parts]], shared: Collection[RuleRef] = ()) -> list[Problem]:
    """A problem for each two rules that can match the same name, or one where there are too many to compare.

    Two rules that are both ``shared`` may.
    """
    found: dict[tuple[RuleRef, RuleRef], tuple[int, int, Problem]] = {}
    work = 0
    entries = [Entry((number, ref), claim(parts)) for number, (ref, parts) in enumerate(claims)]
    for pair in rival_pairs(entries):
        one, other = sorted(pair, key=lambda entry: entry.item[0])
        (number, ref), (other_number, other_ref) = one.item, other.item
        if (ref, other_ref) in found or (ref != other_ref and ref in shared and other_ref in shared):
            continue
        overlap, steps = compare(one.claim, other.claim)
        work += steps
        if overlap:
            problem = _overlap_problem(ref, one.claim.parts, other_ref, other.claim.parts)
            found[ref, other_ref] = (number, other_number, problem)
        if work > _MAX_WORK or len(found) > _MAX_PROBLEMS:
            hint = "split the table, or begin the names of its rules with literals that differ"
            alike = Problem("the rules are too many and too alike to be compared", str(other_ref), hint)
            return [*_in_order(found.values()), alike]
    return _in_order(found.values())


def _in_order(found: Iterable[tuple[int, int, Problem]]) -> list[Problem]:
    """The problems in the order of the rules."""
    return [problem for _, _, problem in sorted(found, key=lambda each: each[:2])]


def _overlap_problem(ref: RuleRef, parts: Parts, other: RuleRef, other_parts: Parts) -> Problem:
    one, two = (
        "".join(part if isinstance(part, str) else f"{{{part.name}}}" for part in item) for item in (parts, other_parts)
    )
    message = f"two rules can match the same variable: {one} and {two} ({ref})"
    return Problem(message, str(other), _HINT)
