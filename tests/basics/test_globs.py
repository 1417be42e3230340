import pytest

from ckptmap.basics.errors import PatternError
from ckptmap.basics.globs import accepting, chosen, first_match, near_pattern, refuse_choosing_nothing
from ckptmap.basics.wording import command_line


@pytest.mark.parametrize(
    ("name", "pattern", "chosen"),
    [
        ("BoxPredictor_0/ClassPredictor/weights", "BoxPredictor_*", True),
        ("BoxPredictor_0/ClassPredictor/weights", "BoxPredictor_?/*/weights", True),
        ("BoxPredictor_0/ClassPredictor/weights", "*/weights", False),
        ("BoxPredictor_0/ClassPredictor/weights", "**/weights", True),
        ("BoxPredictor_0/ClassPredictor/weights", "BoxPredictor_0/", True),
        ("BoxPredictor_0", "BoxPredictor", False),
        ("a.b[1]", "a.b[1]", True),
        ("axb", "a.b", False),
    ],
)
def test_patterns(name: str, pattern: str, *, chosen: bool) -> None:
    assert (first_match(name, [pattern]) is not None) is chosen


def test_the_first_pattern_that_matches_is_named() -> None:
    assert first_match("a/b", ["x", "a/*", "**"]) == "a/*"
    assert first_match("a/b", []) is None


@pytest.mark.parametrize(
    ("names", "patterns"),
    [
        (["a/b/c"], ("a/b/c",)),
        (["a/b/c", "a/b/d"], ("a/b",)),
        (["a/b", "a/b/c", "x"], ("a/b", "x")),
        ([f"BoxPredictor_{number}/{leaf}" for number in range(6) for leaf in "wb"], ("BoxPredictor_*",)),
        (["a", "b", "c", "d"], ("**",)),
    ],
)
def test_what_accepts_some_names_accepts_all_of_them(names: list[str], patterns: tuple[str, ...]) -> None:
    assert accepting(names) == patterns
    assert all(first_match(name, patterns) for name in names)


def test_a_variable_is_chosen_by_any_of_its_names() -> None:
    assert chosen(["a/*"], "b/c", None, "", "a/w")
    assert not chosen(["a/*"], "b/c", None, "")
    assert not chosen([], "b/c")
    assert not chosen(["**"], None, "")


NAMES = ["net/conv/weights", "net/conv/biases", "net/head/weights"]


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("*weights", '"**weights" matches 2: * and ? stop at /, ** crosses it'),
        ("conv", '"**/conv" matches 2: * and ? stop at /, ** crosses it'),
        ("net/*ases", '"net/**ases" matches 1: * and ? stop at /, ** crosses it'),
        ("net/conv/wieghts", 'nearest: "net/conv/weights"'),
        ("nett/*", 'nearest: "net"; * and ? stop at /, ** crosses it'),
        ("zzzzzzzzzzzz", ""),
    ],
)
def test_what_is_near_to_a_pattern_that_chooses_nothing(pattern: str, hint: str) -> None:
    assert near_pattern(pattern, NAMES) == hint


def test_a_variable_counts_once_by_all_its_names() -> None:
    called = [("Conv1/kernel", "model/conv/kernel"), ("Head/bias", "model/head/bias")]
    assert near_pattern("*kernel", called).startswith('"**kernel" matches 1: ')
    assert near_pattern("model/hed/bias", called) == 'nearest: "model/head/bias"'
    refuse_choosing_nothing("match", ["Conv1/*", "model/head"], called)


def test_patterns_that_choose_nothing_are_refused_together() -> None:
    refuse_choosing_nothing("match", ["net/*", "**biases"], NAMES)
    refuse_choosing_nothing("match", [], [])
    with pytest.raises(PatternError) as refused:
        refuse_choosing_nothing("match", ["*weights", "net/**", "zzzzzzzzzzzz", "*weights"], NAMES)
    assert [str(problem) for problem in refused.value.problems] == [
        "no variable matches match=['*weights'] (\"**weights\" matches 2: * and ? stop at /, ** crosses it)",
        "no variable matches match=['zzzzzzzzzzzz']",
    ]
    with command_line(), pytest.raises(PatternError, match=r"no variable matches --match '\*weights'"):
        refuse_choosing_nothing("match", ["*weights"], NAMES)
