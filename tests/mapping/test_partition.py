from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ckptmap.mapping.overlap import claim, compare
from ckptmap.mapping.partition import Entry, rival_pairs
from ckptmap.mapping.patterns import Parts, Placeholder, Type, parse_pattern

WHERE = {name: Placeholder(name, kind) for name, kind in (("i", Type.INT), ("n", Type.NAME), ("p", Type.PATH))}
COMPONENTS = st.sampled_from(["a", "b", "conv1", "conv{i}", "{n}", "x{n}", "{n}_w", "kernel", "{p}"])
PATTERNS = st.lists(COMPONENTS, min_size=1, max_size=4).filter(
    lambda parts: all(sum(name in part for part in parts) < 2 for name in ("{i}", "{n}", "{p}"))
)


def entries(claims: list[Parts]) -> list[Entry[int]]:
    return [Entry(number, claim(parts)) for number, parts in enumerate(claims)]


@settings(max_examples=60, deadline=None)
@given(st.lists(PATTERNS, min_size=25, max_size=60))
def test_every_pair_that_can_match_one_name_is_there_once(written: list[list[str]]) -> None:
    made = entries([parse_pattern("/".join(parts), WHERE).parts for parts in written])
    pairs = [frozenset((one.item, other.item)) for one, other in rival_pairs(made)]
    assert len(pairs) == len(set(pairs))
    rivals = {
        frozenset((one.item, other.item)) for one, other in combinations(made, 2) if compare(one.claim, other.claim)[0]
    }
    assert rivals <= set(pairs)


@pytest.mark.parametrize(
    "pattern", ["a{i}b_%d", "%d_{n}", "{n}/l%d/x{i}", "net/l%d/{n}/w", "{n}/a/b/c/d/e/f/x%d", "{n}/x%d/{p}"]
)
def test_patterns_that_differ_in_a_literal_leave_few_pairs(pattern: str) -> None:
    made = entries([parse_pattern(pattern % number, WHERE).parts for number in range(9000)])
    assert sum(1 for _ in rival_pairs(made)) < 20 * len(made)
