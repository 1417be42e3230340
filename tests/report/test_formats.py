import json
from pathlib import Path
from typing import Any

import pytest

from ckptmap.report.formats import Format, format_of_file, render


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.json", Format.JSON),
        ("a.CSV", Format.CSV),
        ("a.parquet", Format.PARQUET),
        ("a.md", Format.MARKDOWN),
        ("a.htm", Format.HTML),
        ("a.xml", Format.JUNIT),
        ("a.txt", Format.TEXT),
        ("a.log", Format.TEXT),
        ("a.pdf", None),
        ("summary", None),
    ],
)
def test_the_ending_says_the_format(name: str, form: Format | None) -> None:
    assert format_of_file(Path(name)) is form


@pytest.mark.parametrize("form", Format)
def test_every_format_renders_names_that_are_no_text(hostile: dict[str, Any], form: Format) -> None:
    if form is Format.PARQUET:
        pytest.importorskip("pandas", reason="needs the [pandas] extra")
        pytest.importorskip("pyarrow", reason="needs the [pandas] extra")
    content = render(hostile, form)
    assert len(content) > 500
    if form is not Format.PARQUET:
        assert b"\x1b" not in content
        content.decode("utf-8")


def test_every_format_has_a_renderer_of_its_own(conversion: dict[str, Any]) -> None:
    pytest.importorskip("pyarrow")
    assert len({(form.module, form.function) for form in Format}) == len(Format)
    assert len({render(conversion, form) for form in Format}) == len(Format)
    assert [form.value for form in Format if not form.endings] == ["github"]


def test_json_is_the_document(conversion: dict[str, Any]) -> None:
    assert json.loads(render(conversion, Format.JSON)) == conversion
