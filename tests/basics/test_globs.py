import pytest

from ckptmap.basics.globs import accepting, chosen, first_match


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
