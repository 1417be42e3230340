"""Reports that somebody edited: each value in turn is another, and every format renders them or is refused them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ckptmap.basics.documents import following
from ckptmap.basics.errors import CkptmapError
from ckptmap.report.formats import Format, render
from ckptmap.report.sheets import check_read
from tests.cli.conftest import Run, run
from tests.fuzz.documents import report_seeds

__all__ = ["run"]

WRONG: tuple[Any, ...] = (
    None, {}, [], {"a": {}}, [[]], "", "\udcff\x00", True, -1, 0, 1 << 63, 1e308, float("nan"), float("-inf"),
)  # fmt: skip
CASE = Path(__file__).parents[2] / ".." / "shared" / "cases" / "attacks" / "parquet-empty-struct" / "report.json"
DOCUMENTS = [json.loads(text) for text in report_seeds().values()]
Place = tuple[str | int, ...]


def places(value: Any, above: Place = ()) -> Iterator[Place]:
    """The way to each value in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*above, key)
        yield from places(inner, (*above, key))


def edited(document: dict[str, Any], place: Place, value: Any) -> dict[str, Any]:
    new = copy.deepcopy(document)
    inner: Any = new
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return new


@pytest.mark.parametrize("form", [*Format], ids=str)
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document["schema"]))
def test_every_format_takes_or_refuses_an_edited_report(document: dict[str, Any], form: Format) -> None:
    if form is Format.PARQUET and not (find_spec("pandas") and find_spec("pyarrow")):
        pytest.skip("pandas or pyarrow is not installed")
    taken = refused = 0
    for number, place in enumerate(places(document)):
        for value in (WRONG[number % len(WRONG)], WRONG[(number + 5) % len(WRONG)], {}, "x"):
            new = edited(document, place, value)
            try:
                check_read(new, "r.json")
                with following(str(new["schema"])):
                    render(new, form)
                taken += 1
            except CkptmapError:
                refused += 1
    assert taken > 50
    assert refused > 50


@pytest.mark.skipif(not CASE.is_file(), reason="the cases are not here")
@pytest.mark.parametrize("form", [*Format], ids=str)
def test_the_published_case_ends_in_one_line(run: Run, tmp_path: Path, form: Format) -> None:
    done = run("report", CASE, "--format", form.value, "-o", tmp_path / "out")
    assert (done.code, done.err.count("\n"), "does not follow the schema" in done.err) == (2, 1, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [{}, [], "three", 1 << 70, 0.5])
def test_a_parquet_file_of_an_edited_report(run: Run, tmp_path: Path, value: object) -> None:
    pytest.importorskip("pyarrow")
    document = next(one for one in DOCUMENTS if one["schema"] == "ckptmap.diff/1")
    path = tmp_path / "r.json"
    path.write_text(json.dumps(edited(document, ("variables", 0, "different"), value)))
    done = run("report", path, "--format", "parquet", "-o", tmp_path / "r.parquet")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert not (tmp_path / "r.parquet").exists()
