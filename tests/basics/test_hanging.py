"""Lines on a terminal break between words, never within one, and no word is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ckptmap.basics.hanging import folded

LINE = "config  line 51: model.ssd.type: 'a' -> 'b'  the Keras feature extractor of the same network"


def test_what_follows_stands_below_the_text() -> None:
    assert folded(LINE, 50) == [
        "config  line 51: model.ssd.type: 'a' -> 'b'  the",
        "        Keras feature extractor of the same",
        "        network",
    ]


def test_what_fits_stays_as_it_is() -> None:
    assert folded(LINE, len(LINE)) == [LINE]
    assert folded("", 10) == [""]


def test_a_note_keeps_its_indentation() -> None:
    assert folded("        one two three four five", 30) == ["        one two three four", "        five"]


def test_a_long_word_stays_whole() -> None:
    path = f"/{'x' * 60}"
    assert folded(f"wrote   {path} is there now", 40) == ["wrote   " + path, " " * 8 + "is there now"]


def test_a_command_to_copy_stays_one_line() -> None:
    line = f"  convert   ckptmap convert {'x' * 70} -o new"
    assert folded(line, 40) == [line]


def test_a_wide_label_does_not_squeeze_the_text() -> None:
    assert folded(f"{'x' * 30}  one two three four", 40) == [f"{'x' * 30}  one two", "  three four"]


@given(st.text(alphabet="ab -/", max_size=200), st.integers(1, 100))
def test_no_word_is_cut_or_lost(line: str, width: int) -> None:
    pieces = folded(line, width)
    assert " ".join(pieces).split() == line.split()
    for piece in pieces[1:]:
        assert len(piece) <= width or len(piece.split()) == 1
