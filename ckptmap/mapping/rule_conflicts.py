"""Rules of one table that can match the same variable: found before any name is seen, in bounded time."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING, NamedTuple

from ckptmap.basics.errors import Problem
from ckptmap.mapping.model import RuleRef
from ckptmap.mapping.overlap import Claim, claim, compare
from ckptmap.mapping.patterns import Parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MAX_PROBLEMS = 1000
_MAX_WORK = 2_000_000
"""What comparing may cost, in the states of automata; a hundred times what any shipped table costs."""


def overlaps(claims: Iterable[tuple[RuleRef, Parts]]) -> list[Problem]:
    """A problem for each two rules that can match the same name, or one where there are too many to compare."""
    found: dict[tuple[RuleRef, RuleRef], Problem] = {}
    work = 0
    for pair in _pairs([_Item(number, ref, claim(parts)) for number, (ref, parts) in enumerate(claims)]):
        one, other = sorted(pair)
        if (one.ref, other.ref) in found:
            continue
        overlap, steps = compare(one.claim, other.claim)
        work += steps
        if overlap:
            found[one.ref, other.ref] = _overlap_problem(one.ref, one.claim.parts, other.ref, other.claim.parts)
        if work > _MAX_WORK or len(found) > _MAX_PROBLEMS:
            hint = "split the table, or begin the names of its rules with literals that differ"
            return [
                *found.values(),
                Problem("the rules are too many and too alike to be compared", str(other.ref), hint),
            ]
    return list(found.values())


class _Item(NamedTuple):
    """What a rule claims; ``number`` is its place in the table."""

    number: int
    ref: RuleRef
    claim: Claim


def _pairs(items: Iterable[_Item]) -> Iterator[tuple[_Item, _Item]]:
    """Which claims to compare: those with the same last component; of plain names, those that are the same."""
    plain: dict[str, list[_Item]] = {}
    buckets: dict[str, list[_Item]] = {}
    for item in items:
        texts = [part for part in item.claim.parts if isinstance(part, str)]
        if len(texts) == len(item.claim.parts):
            plain.setdefault("".join(texts), []).append(item)
        else:
            buckets.setdefault(_last_component(item.claim.parts), []).append(item)
    for name, same in plain.items():
        yield from combinations(same, 2)
        for last in (name.rpartition("/")[2], ""):
            yield from product(buckets.get(last, ()), same)
    open_ended = buckets.pop("", [])
    for bucket in buckets.values():
        yield from combinations(bucket, 2)
        yield from product(bucket, open_ended)
    yield from combinations(open_ended, 2)


def _overlap_problem(ref: RuleRef, parts: Parts, other: RuleRef, other_parts: Parts) -> Problem:
    one, two = (
        "".join(part if isinstance(part, str) else f"{{{part.name}}}" for part in item) for item in (parts, other_parts)
    )
    message = f"two rules can match the same variable: {one} and {two} ({ref})"
    return Problem(message, str(other), "declare the placeholders so that only one of them does")


def _last_component(parts: Parts) -> str:
    """The last component when it is literal, else nothing."""
    last = parts[-1]
    return last.rpartition("/")[2] if isinstance(last, str) and ("/" in last or len(parts) == 1) else ""
