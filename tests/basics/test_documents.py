"""Texts and JSON from files that anybody may have written."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckptmap.basics.documents import MisstatedError, following, parse_json, read_document, read_text, reason
from ckptmap.basics.errors import CkptmapError


def test_a_text_has_a_largest_size(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\xef\xbb\xbfabc")
    assert read_text(path, 6, "utf-8-sig") == "abc"
    with pytest.raises(ValueError, match="it is larger than 5 bytes"):
        read_text(path, 5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" * 100_000, "it is nested too deeply"),
        ("9" * 41, "a number of 41 digits"),
        ("{", "what begins on line 1, column 2 is not JSON"),
    ],
    ids=["nested", "number", "cut"],
)
def test_json_that_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_json(text)
    assert parse_json("-" + "9" * 39) == -(10**39 - 1)


def test_json_that_is_cut_is_refused() -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (what it says is Python's own)
        parse_json("{")


@pytest.mark.parametrize("text", ["[]", "{}", '"schema"', "[1", "\udcff"])
def test_what_is_no_report_is_told_by_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(CkptmapError) as error:
        read_document(path)
    assert error.value.problem.where == str(path)


@pytest.mark.parametrize("error", [KeyError("a"), TypeError(), IndexError(), OverflowError(), UnicodeError()], ids=repr)
def test_what_a_wrong_document_leads_to_is_a_mistake_in_it(error: Exception) -> None:
    told = r"r\.json: does not follow the schema ckptmap\.report/1"
    with pytest.raises(CkptmapError, match=told), following("ckptmap.report/1", "r.json"):
        raise error


def test_how_a_document_contradicts_itself_is_told_and_no_words_of_python() -> None:
    for error, told in (
        (MisstatedError("a has a source twice"), "a has a source twice"),
        (ValueError("x"), "a value has the wrong type"),
    ):
        with pytest.raises(CkptmapError, match=f"the schema s/1: {told}"), following("s/1", "r.json"):
            raise error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FileNotFoundError(2, "No such file or directory", "x"), "No such file or directory"),
        (OSError("odd"), "the system does not say why"),
        (ValueError("it is larger than 5 bytes"), "it is larger than 5 bytes"),
        (UnicodeDecodeError("utf-8", b"a\xff", 1, 2, "invalid start byte"), "it is not UTF-8 text from byte 1 on"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_wrong_with_a_file_is_told_in_plain_words(error: OSError | ValueError, told: str) -> None:
    assert reason(error) == told


def test_json_that_ends_too_early_names_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text('{"a":\n 1,')
    with pytest.raises(CkptmapError) as refused:
        read_document(tmp_path / "r.json")
    assert refused.value.problem.message == "cannot be read as a report: what begins on line 2, column 4 is not JSON"


def test_a_folder_or_a_checkpoint_in_place_of_its_report_is_told_the_report(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    for name in ("ckpt-0.index", "report.json"):
        (tmp_path / "new" / name).touch()
    for given in (tmp_path / "new", tmp_path / "new" / "ckpt-0"):
        with pytest.raises(CkptmapError) as refused:
            read_document(given)
        assert refused.value.problem.hint == f"give its report: {tmp_path / 'new' / 'report.json'}"
    with pytest.raises(CkptmapError) as refused:
        read_document(tmp_path)
    assert refused.value.problem.hint == ""
