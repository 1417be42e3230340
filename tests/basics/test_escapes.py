"""No name, whatever it holds, acts on a terminal, a CI log or a shell."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.basics.escapes import printable, quiet_json

COMMAND = re.compile(r"(?m)^\s*::|##\w*\[")
TEXTS = st.text(st.sampled_from(":#[] \n\tav\x1b\u202e\udc80\\"), max_size=12) | st.text(max_size=12)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("conv::weights", "conv::weights"),
        ("conv#1", "conv#1"),
        ("## Title", "## Title"),
        ("::error file=x::y", r"\x3a:error file=x::y"),
        ("  ::add-mask::x", r"  \x3a:add-mask::x"),
        (":::", r"\x3a::"),
        ("a##[error]x", r"a\x23#[error]x"),
        ("##vso[task.setvariable variable=x]y", r"\x23#vso[task.setvariable variable=x]y"),
        ("###[group]", r"#\x23#[group]"),
        ("a\n::error::b", r"a\n::error::b"),
        ("\udcff", r"\udcff"),
    ],
)
def test_what_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(TEXTS, st.sampled_from(["", " ", "    "]))
def test_no_text_is_a_command(text: str, indent: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert not COMMAND.search(indent + shown)
    assert printable(shown) == shown


@given(st.recursive(TEXTS | st.integers(), lambda below: st.lists(below) | st.dictionaries(TEXTS, below), max_leaves=6))
def test_json_keeps_its_values(value: object) -> None:
    text = quiet_json(json.dumps(value, indent=1))
    assert json.loads(text) == value
    assert not COMMAND.search(text)


@given(TEXTS)
def test_a_shell_reads_advice_as_one_word(text: str) -> None:
    assert shlex.split(f"ckptmap convert --allow-unused {shlex.quote(text)}")[3:] == [text]
