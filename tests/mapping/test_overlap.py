from __future__ import annotations

import pytest

from ckptmap.mapping.overlap import can_overlap
from ckptmap.mapping.patterns import Placeholder, Type, parse_pattern

WHERE = {
    "i": Placeholder("i", Type.INT),
    "j": Placeholder("j", Type.INT),
    "k": Placeholder("k", Type.AUTO),
    "n": Placeholder("n", Type.NAME),
    "m": Placeholder("m", Type.NAME),
    "p": Placeholder("p", Type.PATH),
    "q": Placeholder("q", Type.PATH),
    "part": Placeholder("part", Type.CHOICE, {"expand": "expand", "project": "project"}),
    "w": Placeholder("w", Type.CHOICE, {"": "0", "_1": "1"}),
}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/c", False),
        ("a/{n}", "a/b", True),
        ("a/{i}", "a/b", False),
        ("a/{n}", "{m}/b", True),
        ("a_{i}", "a_{n}", True),
        ("a_{i}_x", "a_{i}", False),
        ("a_{n}_x", "a_{i}", False),
        ("a_{n}_x", "a_{n}_y", False),
        ("{n}_x", "{n}", True),
        ("{p}/w", "a/b/w", True),
        ("{p}/w", "w", False),
        ("{p}/w", "{q}/v/w", True),
        ("{n}/w", "{p}/x/w", False),
        ("{part}_1", "expand_{i}", True),
        ("{part}_1", "depthwise_{i}", False),
        ("conv{k}", "conv", True),
        ("conv{k}", "conv_{i}", True),
        ("conv{k}", "conv_{part}", False),
        ("WSM{w}", "WSM_1", True),
        ("layer_{i}_{n}_{j}", "layer_{i}_{n}_{j}_depthwise", False),
        ("layer_{n}", "layer_{n}_depthwise", True),
    ],
)
def test_two_patterns_for_one_name(one, other, expected):
    first, second = parse_pattern(one, WHERE).parts, parse_pattern(other, WHERE).parts
    assert can_overlap(first, second) is expected
    assert can_overlap(second, first) is expected
