from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ckptmap.mapping.index import PatternIndex
from ckptmap.mapping.overlap import can_overlap
from ckptmap.mapping.patterns import PatternError, Placeholder, Type, join_pattern, parse_pattern, parse_template

WHERE = {
    "i": Placeholder("i", Type.INT),
    "j": Placeholder("j", Type.INT),
    "k": Placeholder("k", Type.AUTO),
    "n": Placeholder("n", Type.NAME),
    "m": Placeholder("m", Type.NAME),
    "p": Placeholder("p", Type.PATH),
    "q": Placeholder("q", Type.PATH),
    "part": Placeholder("part", Type.CHOICE, {"expand": "expand", "project": "project"}),
    "stage": Placeholder("stage", Type.CHOICE, {"0": "1a", "1": "2a"}),
    "c": Placeholder("c", Type.CHOICE, {"shortcut": "0", "conv1": "1", "conv10": "10"}),
    "w": Placeholder("w", Type.CHOICE, {"": "0", "_1": "1"}),
}


@pytest.mark.parametrize(
    ("pattern", "name", "bindings"),
    [
        ("Conv/weights", "Conv/weights", {}),
        ("Conv/weights", "Conv_1/weights", None),
        ("Conv", "Conv/weights", None),
        ("block_{i}", "block_12", {"i": "12"}),
        ("block_{i}", "block_0", {"i": "0"}),
        ("block_{i}", "block_012", {"i": "012"}),
        ("block_{i}", "block_", None),
        ("block_{i}", "block_x", None),
        ("block_{i}", "block_1234567890", None),
        ("conv2d{k}", "conv2d", {"k": ""}),
        ("conv2d{k}", "conv2d_7", {"k": "_7"}),
        ("conv2d{k}", "conv2d_0", None),
        ("{n}_BN", "a_b_BN", {"n": "a_b"}),
        ("{n}_BN", "a/b_BN", None),
        ("{n}_BN", "_BN", None),
        ("{p}/w", "a/b/c/w", {"p": "a/b/c"}),
        ("{p}/w", "w", None),
        ("{p}/w", "a//w", None),
        ("x/{p}", "x/a", {"p": "a"}),
        ("{part}_{i}", "expand_3", {"part": "expand", "i": "3"}),
        ("{part}_{i}", "depthwise_3", None),
        ("{c}/w", "conv10/w", {"c": "conv10"}),
        ("block{i}/unit{i}", "block2/unit2", {"i": "2"}),
        ("block{i}/unit{i}", "block2/unit3", None),
        ("WSM{w}", "WSM", {"w": ""}),
        ("a.b+c", "a.b+c", {}),
        ("a.b", "axb", None),
    ],
)
def test_a_pattern_matches_whole_names(pattern, name, bindings):
    assert parse_pattern(pattern, WHERE).match(name) == bindings


@pytest.mark.parametrize(
    ("pattern", "message", "hint"),
    [
        ("block_{x}", "the placeholder {x} is not declared", "declare it under `where`"),
        ("block_{prat}", "the placeholder {prat} is not declared", 'nearest: "part"'),
        ("block_{i", '"block_{i" has a brace without its partner', ""),
        ("block_}", '"block_}" has a brace without its partner', ""),
        ("block_{i+1}", "{i+1} is not a placeholder", "calculations and formats belong in `to`"),
        ("block_.*", "\"block_.*\" holds '*'", "this is not a regular expression: use a placeholder in braces"),
        ("(a|b)", "\"(a|b)\" holds '('", "this is not a regular expression: use a placeholder in braces"),
        ("a//b", '"a//b" is not a variable name', "no empty components, no slash at either end"),
        ("/a", '"/a" is not a variable name', "no empty components, no slash at either end"),
        ("", '"" is not a variable name', "no empty components, no slash at either end"),
        ("{i}{j}", "{i} and {j} touch", "put a literal between them"),
        ("{n}_{m}", "{n} and {m} share a component", "declare one of them more precisely"),
        ("{p}/x/{q}", "a pattern can hold one `path` placeholder only", ""),
        ("x{p}", "{p} stands for whole components", "put slashes around it"),
        ("{p}_x", "{p} stands for whole components", "put slashes around it"),
        ("x{i}0", "{i} touches another digit", "nothing shows where the number ends"),
        ("x1{i}", "{i} touches another digit", "nothing shows where the number ends"),
    ],
)
def test_a_bad_pattern_says_what_is_wrong(pattern, message, hint):
    with pytest.raises(PatternError) as caught:
        parse_pattern(pattern, WHERE)
    assert (str(caught.value), caught.value.hint) == (message, hint)


def test_alternatives_that_match_in_too_many_ways_are_refused():
    choices = {text: text for text in ("a", "aa", "aaa", "aaaa", "aaaaa")}
    where = {name: Placeholder(name, Type.CHOICE, choices) for name in "xyz"}
    parse_pattern("{x}_{y}", where)
    with pytest.raises(PatternError, match="matched in too many ways"):
        parse_pattern("{x}a{y}a{z}", where)


def test_a_name_that_almost_matches_costs_no_time():
    pattern = parse_pattern("{p}/{n}_x/{m}_y/{i}", WHERE)
    assert pattern.match("a_x/" * 20_000 + "a_y/1_") is None


@pytest.mark.parametrize(
    ("template", "bindings", "text"),
    [
        ("conv{i+1}_block{j}", {"i": "1", "j": "3"}, "conv2_block3"),
        ("{i-1}", {"i": "1"}, "0"),
        ("node_{8*i+j+2}", {"i": "2", "j": "3"}, "node_21"),
        ("a{stage}", {"stage": "1"}, "a2a"),
        ("a_{c}", {"c": "shortcut"}, "a_0"),
        ("a_{c+1}", {"c": "conv10"}, "a_11"),
        ("conv2d{k}", {"k": "_4"}, "conv2d_4"),
        ("conv2d{k}", {"k": ""}, "conv2d"),
        ("conv2d_{k:int}", {"k": ""}, "conv2d_0"),
        ("conv2d{i:auto}", {"i": "0"}, "conv2d"),
        ("conv2d{i:auto}", {"i": "5"}, "conv2d_5"),
        ("conv2d{k+1:auto}", {"k": ""}, "conv2d_1"),
        ("{p}/x", {"p": "a/b"}, "a/b/x"),
    ],
)
def test_a_template_renders_the_target(template, bindings, text):
    assert parse_template(template, WHERE).render(bindings) == text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a{n+1}", "{n} does not stand for a number"),
        ("a{stage+1}", "{stage} does not stand for a number"),
        ("a{i*i}", "{i*i} cannot be calculated"),
        ("a{i:hex}", "{i:hex}: the format is 'hex'"),
        ("a{1+2}", "{1+2} holds no placeholder"),
        ("a{}", "{} holds no placeholder"),
        ("a{i+}", "{i+} cannot be calculated"),
    ],
)
def test_a_bad_template_says_what_is_wrong(template, message):
    with pytest.raises(PatternError) as caught:
        parse_template(template, WHERE)
    assert str(caught.value) == message


def test_a_target_number_below_zero_is_an_error():
    with pytest.raises(PatternError, match="a number in the target name would be -1"):
        parse_template("a{i-1}", WHERE).render({"i": "0"})


@pytest.mark.parametrize(
    ("template", "text", "rendered"),
    [
        ("b_{i}", "007", "b_7"),
        ("b_{i}", "000", "b_0"),
        ("b_{i}", "7", "b_7"),
        ("b_{i:int}", "007", "b_7"),
        ("b_{i+1}", "009", "b_10"),
        ("b_{i:03}", "7", "b_007"),
        ("b_{i:03}", "007", "b_007"),
        ("b_{i:03}", "1234", "b_1234"),
        ("b_{i+1:02}", "0", "b_01"),
        ("b{i:auto}", "000", "b"),
        ("b{i:auto}", "002", "b_2"),
    ],
)
def test_zeros_in_front_of_a_number(template, text, rendered):
    assert parse_template(template, WHERE).render({"i": text}) == rendered


@given(st.from_regex("[0-9]{1,9}", fullmatch=True), st.from_regex("[0-9]{1,9}", fullmatch=True), st.integers(1, 9))
def test_names_become_one_only_where_their_numbers_are_one(one, other, width):
    for template in ("b_{i}", "b_{i+1}", f"b_{{i:0{width}}}"):
        rendered = [parse_template(template, WHERE).render({"i": text}) for text in (one, other)]
        assert (rendered[0] == rendered[1]) == (int(one) == int(other))


def test_prefixes_join():
    joined = join_pattern(parse_pattern("scope{i}", WHERE), parse_pattern("{n}/w", WHERE))
    assert joined.match("scope3/a/w") == {"i": "3", "n": "a"}
    with pytest.raises(PatternError, match=r"\{i\} is used by the included table too"):
        join_pattern(parse_pattern("scope{i}", WHERE), parse_pattern("x{i}", WHERE))


NAMES = st.text("abc_-.XY", min_size=1, max_size=6)
VALUES = {
    Type.INT: st.from_regex("[0-9]{1,9}", fullmatch=True),
    Type.AUTO: st.one_of(st.just(""), st.integers(1, 10**9 - 1).map("_{}".format)),
    Type.NAME: NAMES,
    Type.PATH: st.lists(NAMES, min_size=1, max_size=4).map("/".join),
}


@st.composite
def patterns_with_bindings(draw):
    """A pattern of random literals and placeholders, each in a component of its own, and values for them."""
    pieces, bindings = [], {}
    for name in draw(st.lists(st.sampled_from("ijknmpc"), min_size=1, max_size=6, unique=True)):
        placeholder = WHERE[name]
        literal = draw(st.text("abc_", min_size=1, max_size=4))
        pieces.append(f"{{{name}}}" if placeholder.type is Type.PATH else f"{literal}{{{name}}}")
        choices = st.sampled_from(sorted(placeholder.choices) or [""])
        bindings[name] = draw(VALUES.get(placeholder.type, choices))
    return parse_pattern("/".join(pieces), WHERE), bindings


@settings(deadline=None)  # machines differ
@given(patterns_with_bindings())
def test_what_a_pattern_renders_it_matches(case):
    pattern, bindings = case
    assert pattern.match(pattern.render(bindings)) == bindings


@settings(deadline=None)  # machines differ
@given(st.lists(patterns_with_bindings(), min_size=1, max_size=8))
def test_the_index_finds_what_trying_all_finds(cases):
    index = PatternIndex((pattern, number) for number, (pattern, _) in enumerate(cases))
    for pattern, bindings in cases:
        name = pattern.render(bindings)
        expected = {number for number, (other, _) in enumerate(cases) if other.match(name) is not None}
        assert {number for number, _ in index.find(name)} == expected


@settings(deadline=None)  # machines differ
@given(patterns_with_bindings(), patterns_with_bindings())
def test_no_name_matches_two_patterns_that_cannot_overlap(one, other):
    (first, bindings), (second, _) = one, other
    assert can_overlap(first.parts, first.parts)
    if second.match(first.render(bindings)) is not None:
        assert can_overlap(first.parts, second.parts)
