"""A tree edited in place is the tree of the edited text: every offset, line and field."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.basics.errors import ConfigError
from ckptmap.families.detection.pipeline import splice, textproto
from ckptmap.families.detection.pipeline.respliced import respliced
from ckptmap.families.detection.pipeline.splice import Splice
from ckptmap.families.detection.pipeline.syntax import Document, Message, Scalar, walk

_BLANKS = st.sampled_from([" ", "\n", "  \n", " # a { comment\n", "\r\n", "\n\n  "])
_SCALARS = st.sampled_from(["1", '"a"', "'b' \"c\"", "WORD", "-2.5", "[1, 2]", "[]"])
_NAMES = st.sampled_from(["a", "b", "c", "[pkg.Ext]"])


def _field(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    scalar = st.tuples(_NAMES, st.sampled_from([": ", ":"]), _SCALARS, st.sampled_from(["", ";", ","]))
    block = st.tuples(_NAMES, st.sampled_from([" {", ": <"]), _BLANKS, inner, _BLANKS)
    return st.one_of(scalar.map("".join), block.map(lambda p: "".join(p) + ("}" if "{" in p[1] else ">")))


def _fields(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(_BLANKS, _field(inner)).map("".join), max_size=4).map("".join)


TEXTS = st.tuples(st.sampled_from(["", "\ufeff"]), st.recursive(st.just(""), _fields, max_leaves=8), _BLANKS).map(
    "".join
)


def _edits(document: Document, draw: st.DataObject) -> Sequence[Splice]:
    fields = list(walk(document.root))
    messages = [document.root, *(v for f in fields for v in f.values if isinstance(v, Message))]
    kind = draw.draw(st.sampled_from(["set", "remove", "insert", "several"]))
    if kind == "insert" or not fields:
        message = draw.draw(st.sampled_from(messages))
        after = draw.draw(st.sampled_from([None, *message.fields]))
        return [splice.insert(document, message, draw.draw(st.sampled_from(["n: 1", "n { m: 'x' }"])), after)]
    if kind == "several":
        return [splice.remove(document, field) for field in draw.draw(st.lists(st.sampled_from(fields), max_size=3))]
    field = draw.draw(st.sampled_from(fields))
    scalars = [value for value in field.values if isinstance(value, Scalar)]
    if kind == "set" and scalars:
        return [splice.set_value(scalars[-1], draw.draw(st.sampled_from(["7", '"two\\nlines"', "OTHER"])))]
    return [splice.remove(document, field)]


@given(TEXTS, st.data())
def test_the_tree_is_that_of_the_new_text(text: str, draw: st.DataObject) -> None:
    document = textproto.parse(text, "p.config")
    splices = _edits(document, draw)
    again = textproto.parse(splice.apply(document, splices), "p.config")
    assert respliced(document, splices) == again


@given(TEXTS, st.data())
def test_edit_upon_edit(text: str, draw: st.DataObject) -> None:
    document = textproto.parse(text)
    for _ in range(4):
        document = respliced(document, _edits(document, draw))
    assert document == textproto.parse(document.text)


def test_no_edit_is_no_change() -> None:
    document = textproto.parse("a: 1")
    assert respliced(document, []) is document


def test_a_text_that_is_none_any_more_is_refused_with_its_line() -> None:
    document = textproto.parse("a: 1\nb: 2\n", "p.config")
    with pytest.raises(ConfigError, match=r"p\.config:2: expected a value"):
        respliced(document, [splice.set_value(document.root.fields[1].values[0], "")])  # type: ignore[arg-type]
