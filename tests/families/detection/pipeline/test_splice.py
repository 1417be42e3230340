from __future__ import annotations

import pytest

from ckptmap.families.detection.pipeline import splice, textproto
from ckptmap.families.detection.pipeline.syntax import Document, Field, Message, Scalar

TEXT = """# top
model {
  ssd {
    num_classes: 90  # how many
    # above type
    type: 'v2' ; pad: 1
  }
}
"""


def parse(text: str = TEXT) -> tuple[Document, Message]:
    document = textproto.parse(text)
    ssd = document.root.fields[0].message.fields[0].message
    assert ssd is not None
    return document, ssd


def field(message: Message, name: str) -> Field:
    return message.named(name)[0]


def scalar(message: Message, name: str) -> Scalar:
    value = field(message, name).values[0]
    assert isinstance(value, Scalar)
    return value


def test_no_splice_changes_nothing() -> None:
    assert splice.apply(parse()[0], []) == TEXT


def test_set_and_rename_touch_their_own_characters() -> None:
    document, ssd = parse()
    made = splice.apply(
        document,
        [splice.set_value(scalar(ssd, "type"), "'v2_keras'"), splice.rename(field(ssd, "num_classes"), "classes")],
    )
    assert made == TEXT.replace("'v2'", "'v2_keras'").replace("num_classes", "classes")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("num_classes", TEXT.replace("num_classes: 90  # how many", "# how many")),
        ("type", TEXT.replace("type: 'v2' ; ", "")),
        ("pad", TEXT.replace(" pad: 1", "")),
    ],
)
def test_remove_keeps_comments_and_neighbors(name: str, expected: str) -> None:
    document, ssd = parse()
    assert splice.apply(document, [splice.remove(document, field(ssd, name))]) == expected


def test_remove_takes_the_lines_of_a_block_that_stands_alone() -> None:
    document = textproto.parse("a: 1\r\n  b {\r\n    c: 2\r\n  }\r\nd: 3\r\n")
    assert splice.apply(document, [splice.remove(document, document.root.fields[1])]) == "a: 1\r\nd: 3\r\n"


def test_remove_the_last_line_without_a_newline() -> None:
    document = textproto.parse("a: 1\nb: 2")
    assert splice.apply(document, [splice.remove(document, document.root.fields[1])]) == "a: 1\n"


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("num_classes", TEXT.replace("# how many\n", "# how many\n    new: 1\n")),
        ("type", TEXT.replace("'v2' ;", "'v2' ; new: 1")),
        (None, TEXT.replace("pad: 1\n", "pad: 1\n    new: 1\n")),
    ],
)
def test_insert_after_a_field_on_its_own_line_where_lines_allow(after: str | None, expected: str) -> None:
    document, ssd = parse()
    at = field(ssd, after) if after else None
    assert splice.apply(document, [splice.insert(document, ssd, "new: 1", at)]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a {}", "a {\n  new: 1\n}"),
        ("a { }\n", "a {\n  new: 1\n}\n"),
        ("  a {\r\n  }\r\n", "  a {\r\n    new: 1\r\n  }\r\n"),
        ("a {\n  # why\n}", "a {\n  new: 1\n  # why\n}"),
        ("a { b: 1 }", "a { b: 1 new: 1 }"),
    ],
)
def test_insert_into_an_empty_or_one_line_message(text: str, expected: str) -> None:
    document = textproto.parse(text)
    message = document.root.fields[0].message
    assert message is not None
    assert splice.apply(document, [splice.insert(document, message, "new: 1")]) == expected


def test_insert_into_the_root() -> None:
    document = textproto.parse("a: 1\n")
    assert splice.apply(document, [splice.insert(document, document.root, "b: 2")]) == "a: 1\nb: 2\n"
    empty = textproto.parse("# nothing\n")
    assert splice.apply(empty, [splice.insert(empty, empty.root, "b: 2")]) == "b: 2\n# nothing\n"


def test_insertions_at_one_place_keep_their_order_and_precede_a_removal_there() -> None:
    document, ssd = parse()
    last = field(ssd, "num_classes")
    made = splice.apply(document, [splice.insert(document, ssd, text, last) for text in ("x: 1", "y: 2")])
    assert made == TEXT.replace("# how many\n", "# how many\n    x: 1\n    y: 2\n")
    plain = Document("abc", Message((), 0, 3, root=True))
    assert splice.apply(plain, [splice.Splice(1, 2, ""), splice.Splice(1, 1, "+")]) == "a+c"


def test_an_edit_inside_a_removed_message_is_dropped_with_it() -> None:
    document = textproto.parse("a { b: 1 }\nc: 2\n")
    outer = document.root.fields[0]
    inner = outer.message.fields[0].values[0]
    assert splice.apply(document, [splice.set_value(inner, "9"), splice.remove(document, outer)]) == "c: 2\n"
