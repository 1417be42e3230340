from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.basics.errors import ConfigError
from ckptmap.families.detection.pipeline import textproto
from ckptmap.families.detection.pipeline.syntax import Field, Message, Scalar, ScalarKind, walk
from ckptmap.families.detection.pipeline.textproto import parse, read

CASES = Path(__file__).resolve().parents[4].parent / "shared" / "cases"
TOLERATED = """\ufeff# every way to write a field
model { ssd: <
    num_classes : 90 ; # a comment beside
    name: 'it''s' "two", flag: True
    [pkg.Ext . field] { x: -1.5e-3f }
    list: [1, 2, - 3] list2: [<a: 1>, {b: 2}] empty: []
    path: "a \\" b" hex: 0xFF word: inf
  >;
}
"""


def names(message: Message) -> list[str]:
    return [field.name for field in message.fields]


def test_fields_keep_names_values_and_lines() -> None:
    root = textproto.parse(TOLERATED).root
    assert names(root) == ["model"]
    ssd = root.fields[0].message
    assert ssd is not None
    inner = ssd.fields[0].message
    assert inner is not None
    written = [(f.name, f.line, [v.text for v in f.values if isinstance(v, Scalar)]) for f in inner.fields]
    assert written == [
        ("num_classes", 3, ["90"]),
        ("name", 4, ["'it''s' \"two\""]),
        ("flag", 4, ["True"]),
        ("[pkg.Ext.field]", 5, []),
        ("list", 6, ["1", "2", "- 3"]),
        ("list2", 6, []),
        ("empty", 6, []),
        ("path", 7, ['"a \\" b"']),
        ("hex", 7, ["0xFF"]),
        ("word", 7, ["inf"]),
    ]
    assert [isinstance(v, Message) and names(v) for v in inner.fields[5].values] == [["a"], ["b"]]


def test_scalar_kinds() -> None:
    fields = textproto.parse("a: 'x' b: 1.5 c: RELU_6 d: -inf").root.fields
    kinds = [f.values[0].kind for f in fields if isinstance(f.values[0], Scalar)]
    assert kinds == [ScalarKind.STRING, ScalarKind.NUMBER, ScalarKind.WORD, ScalarKind.WORD]


def test_a_field_covers_its_separator_and_a_scalar_does_not() -> None:
    document = textproto.parse("a: 1 ; b { } , c: 2")
    covered = [document.text[f.start : f.end] for f in document.root.fields]
    assert covered == ["a: 1 ;", "b { } ,", "c: 2"]
    value = document.root.fields[0].values[0]
    assert document.text[value.start : value.end] == "1"


@pytest.mark.parametrize(
    ("text", "newline"), [("a: 1\r\nb: 2\r\n", "\r\n"), ("a: 1\nb: 2\r\n", "\n"), ("a: 1", "\n"), ("\r\n", "\r\n")]
)
def test_newline_is_the_files_own(text: str, newline: str) -> None:
    assert textproto.parse(text).newline == newline


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "f.config:1: expected ':' or '{' after a, found the end of the file"),
        ("a: 1\nb: {", "f.config:2: expected a field name or '}', found the end of the file (b of line 2 has no '}')"),
        ("a: ", "f.config:1: expected a value, found the end of the file"),
        ("a: }", "f.config:1: expected a value, found '}'"),
        ("a {\n b: 1 >", "f.config:2: expected a field name or '}', found '>'"),
        ("}", "f.config:1: expected a field name, found '}'"),
        ('\n\na: "x\n', "f.config:3: a string is not closed on its line (add the closing quote)"),
        ("a: 1\n$b: 2", "f.config:2: unexpected '$b': no name, value or brace begins like this"),
        ("a: 1.2.3", "f.config:1: unexpected '1.2.3': no name, value or brace begins like this"),
        ("a: [1, ]", "f.config:1: expected a value after ',', found ']'"),
        ("a: [1 2]", "f.config:1: expected ',' or ']' in a list, found '2'"),
        ("a: [1,\n 2", "f.config:2: expected ',' or ']' in a list, found the end of the file (a of line 1 has no ']')"),
        ("[a.b: 1", "f.config:1: expected ']' after the name of an extension, found ':'"),
        ("a 1", "f.config:1: expected ':' or '{' after a, found '1'"),
        ("a: - x: 1", "f.config:1: expected a field name, found ':'"),
    ],
)
def test_errors_say_where_and_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        textproto.parse(text, "f.config")
    assert str(error.value) == message


def test_nesting_is_bounded() -> None:
    assert textproto.parse("a {" * 100 + "}" * 100).root.fields
    for text in ("a {" * 101, "a: [" + "{a: [" * 100):
        with pytest.raises(ConfigError, match="messages are nested deeper than 100"):
            textproto.parse(text)


@pytest.mark.parametrize(
    "piece", ["a: 1\n", "a {}", "#", "a: 'x' ", '"', "a: 1 # \n", "[a] {}", "\\", "a: [1]", "\t \n", "'\\", "a: -"]
)
def test_time_is_linear(piece: str) -> None:
    def seconds(count: int) -> float:
        started = time.process_time()
        with contextlib.suppress(ConfigError):
            textproto.parse(piece * count)
        return time.process_time() - started

    short = min(seconds(4_000) for _ in range(3))
    assert min(seconds(16_000) for _ in range(3)) < 10 * short + 0.01  # linear: 4 times, quadratic: 16 times


def test_a_missing_file_and_a_directory_are_config_errors(tmp_path) -> None:
    for path in (tmp_path / "none.config", tmp_path):
        with pytest.raises(ConfigError, match="cannot read the file"):
            textproto.read(path)


def test_every_public_config_is_read_and_its_bytes_are_kept(configs) -> None:
    paths = sorted(configs.glob("*/*"))
    assert len(paths) == 64 + 40 + 43
    for path in paths:
        document = textproto.read(path)
        assert textproto.encode(document.text) == path.read_bytes()
        check_spans(document.text, document.root)


def check_spans(text: str, message: Message) -> None:
    """Fields lie in their message, in order, and only white space and comments lie between them."""
    position = message.start if message.root else message.start + 1
    for field in message.fields:
        assert is_blank(text[position : field.start])
        check_field(text, field)
        position = field.end
    assert is_blank(text[position : message.end if message.root else message.end - 1])


def check_field(text: str, field: Field) -> None:
    assert "".join(text[field.start : field.name_end].split()) == field.name
    assert field.line == text.count("\n", 0, field.start) + 1
    for value in field.values:
        assert field.name_end <= value.start < value.end <= field.end
        if isinstance(value, Message):
            check_spans(text, value)
        else:
            assert text[value.start : value.end] == value.text


def is_blank(text: str) -> bool:
    return not "".join(line.split("#")[0] for line in text.lstrip("\ufeff").split("\n")).strip(" \t\r\f\v")


WORDS = st.sampled_from(
    [
        *"{}<>[]:,;-./",
        "a",
        "b_1",
        "model",
        "1",
        "0x1f",
        "1.5e3f",
        "true",
        "inf",
        '"text"',
        "'text'",
        '"a\\"b"',
        "# comment\n",
        "\n",
        "\r\n",
        " ",
        "\t",
        "\ufeff",
        '"',
        "'",
        "\\",
        "é",
    ]
)


@given(st.one_of(st.lists(WORDS, max_size=60).map(" ".join), st.lists(WORDS, max_size=60).map("".join), st.text()))
def test_any_text_is_a_tree_of_itself_or_a_config_error(text: str) -> None:
    try:
        document = textproto.parse(text, "any.config")
    except ConfigError as error:
        where = error.problem.where
    else:
        assert document.text == text
        check_spans(text, document.root)
        return
    assert where.startswith("any.config:")


@st.composite
def messages(draw, depth: int = 3) -> tuple[str, list]:
    """A text in one of its many spellings, and the tree it means: [name, value] pairs."""
    text, tree = [], []
    for _ in range(draw(st.integers(0, 4))):
        name = draw(st.sampled_from(["a", "num_classes", "[x.y]"]))
        gap = draw(st.sampled_from(["", " ", "\n", " # { not a brace\n", "\r\n\t"]))
        end = draw(st.sampled_from([" ", "\n", ",", " ;"]))
        if depth and draw(st.booleans()):
            inner, subtree = draw(messages(depth - 1))
            opening, closing = draw(st.sampled_from(["{}", "<>"]))
            text.append(f"{name}{gap}{draw(st.sampled_from(['', ':']))}{opening}{gap}{inner}{closing}{end}")
            tree.append([name, subtree])
        else:
            value = draw(st.sampled_from(["1", "-1.5", "RELU_6", "'it'", '"#{"', "'a' \"b\""]))
            text.append(f"{name}{gap}:{gap}{value}{end}")
            tree.append([name, value])
    return "".join(text), tree


def tree_of(message: Message) -> list:
    return [[f.name, tree_of(v) if isinstance(v, Message) else v.text] for f in message.fields for v in f.values]


@given(messages())
def test_every_spelling_gives_the_tree_that_was_written(example: tuple[str, list]) -> None:
    text, tree = example
    document = textproto.parse(text)
    assert tree_of(document.root) == tree
    assert len(list(walk(document.root))) == count(tree)


def count(tree: list) -> int:
    return sum(1 + (count(value) if isinstance(value, list) else 0) for _, value in tree)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('a {\n  b: "x"s\n}\n', 2, "expected ':' or '{' after s, found '}'"),
        ("a: 1\nb\n\n\nc: 2\n", 2, "expected ':' or '{' after b, found 'c'"),
        ("a {\n  b:\n}\n", 2, "expected a value, found '}'"),
        ("a: [1,\n 2\n 3]\n", 2, "expected ',' or ']' in a list, found '3'"),
        ("a: [\n1\n,\n\n]\n", 5, "expected a value after ',', found ']'"),
        ("a: 1\nb:", 2, "expected a value, found the end of the file"),
        ("a: 1\n\n]", 3, "expected a field name, found ']'"),
        ("[a.b\n: 1", 1, "expected ']' after the name of an extension, found ':'"),
    ],
)
def test_the_line_of_a_mistake_is_the_line_of_the_mistake(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text, "p.config")
    assert str(refused.value).startswith(f"p.config:{line}: {message}")


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases of ../shared are not here")
def test_the_stray_letter_of_a_zoo_config() -> None:
    path = CASES / "detectors" / "H2-06-zoo-mask-config" / "pipeline.config"
    with pytest.raises(ConfigError, match=r":153: expected ':' or '{' after s"):
        read(path)


def test_adjacent_strings_are_one_value() -> None:
    document = parse("a: 'x' \"y\"# 'no'\n\n 'z'\nb: 1")
    first, second = document.root.fields
    assert [value.text for value in first.values] == ["'x' \"y\"# 'no'\n\n 'z'"]
    assert (first.line, second.line) == (1, 4)
    with pytest.raises(ConfigError, match=":2: a string is not closed"):
        parse("a: 'x'\n'y", "p")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "p.config")
    with pytest.raises(ConfigError, match="cannot read the file: it is not a regular file"):
        read(tmp_path / "p.config")
