from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ckptmap.mapping.index import PatternIndex
from ckptmap.mapping.patterns import Placeholder, Type, parse_pattern

WHERE = {kind.value: Placeholder(kind.value, kind) for kind in Type if kind is not Type.CHOICE}
PIECES = st.sampled_from(["a", "b", "conv2d", "b{auto}", "conv2d{auto}", "c_{int}", "{name}", "x_{name}", "{path}"])
PATTERNS = st.lists(PIECES, min_size=1, max_size=3).filter(
    lambda pieces: len({piece for piece in pieces if "{" in piece}) == sum("{" in piece for piece in pieces)
)
NAMES = st.lists(st.sampled_from(["a", "b", "b_1", "conv2d", "conv2d_2", "c_0", "x_y"]), min_size=1, max_size=4)


def test_a_pattern_with_a_shorter_beginning_than_another_is_found_once():
    index = PatternIndex((parse_pattern(text, WHERE), text) for text in ("conv2d{auto}", "b{auto}"))
    assert index.find("b") == [("b{auto}", {"auto": ""})]
    assert index.find("conv2d_3") == [("conv2d{auto}", {"auto": "_3"})]
    assert index.find("c") == []


@given(st.lists(PATTERNS, max_size=8), NAMES)
def test_the_index_finds_what_trying_every_pattern_finds(written, pieces):
    name = "/".join(pieces)
    entries = [(parse_pattern("/".join(one), WHERE), at) for at, one in enumerate(written)]
    wanted = [(at, found) for pattern, at in entries if (found := pattern.match(name)) is not None]
    assert sorted(PatternIndex(entries).find(name), key=lambda item: item[0]) == wanted
