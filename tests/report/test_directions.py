"""The reports of an edit, an average and the way back: the same document, in every format."""

from pathlib import Path
from typing import Any

import pytest

import ckptmap
from ckptmap.diff import diff
from ckptmap.report.formats import Format, render
from ckptmap.report.sheets import check_read, sheet_of
from tests.convert.conftest import TABLE, tf1_values, write_template, write_tf1
from tests.report.test_sheets import check


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("directions")
    (folder / "t.yaml").write_text(TABLE)
    old = write_tf1(folder / "old" / "m", tf1_values())
    other = write_tf1(folder / "other" / "m", tf1_values())
    to = write_template(folder / "zoo" / "ckpt", classes=6, extra={"extra/bias": ("Extra/bias", (4,))})
    there = ckptmap.convert(old, to=to, table=folder / "t.yaml", num_classes=5, output=folder / "new")
    return {
        "convert": there,
        "edit": ckptmap.edit(old, output=folder / "edited", strip=["net"], cast="float16"),
        "average": ckptmap.average([old, other], output=folder / "mean"),
        "convert --back": ckptmap.convert_back(
            folder / "new", back=folder / "new" / "report.json", fill=old, output=folder / "back"
        ),
    }


@pytest.mark.parametrize("command", ["convert", "edit", "average", "convert --back"])
def test_every_one_follows_the_schema_and_is_rendered(made: dict[str, dict[str, Any]], command: str) -> None:
    document = made[command]
    check(document)
    check_read(document, "report.json")
    assert sheet_of(document).title == f"ckptmap {command}"
    for form in Format:
        content = render(document, form)
        assert len(content) > 100
        if form in (Format.MARKDOWN, Format.HTML):
            assert f"ckptmap {command}" in content.decode()


def test_the_way_back_of_a_class_head_is_recorded(made: dict[str, dict[str, Any]]) -> None:
    counterparts = {one["key"]: one.get("counterpart") for one in made["convert"]["target_variables"]}
    assert counterparts["model/head/bias"] == {"source": "head/ClassPredictor/biases", "operations": []}
    assert counterparts["model/backbone/layer-0/kernel"] is None


def test_findings_are_findings_in_every_format(made: dict[str, dict[str, Any]]) -> None:
    document = made["convert --back"]
    assert [one["message"] for one in document["findings"]] == ["1 TF2 variable from which no TF1 variable is made"]
    assert not sheet_of(document).passed
    assert b"from which no TF1 variable is made" in render(document, Format.GITHUB)


def test_an_edit_is_compared_by_its_report(tmp_path: Path) -> None:
    old = write_tf1(tmp_path / "old" / "m", tf1_values())
    ckptmap.edit(old, output=tmp_path / "new", strip=["net"], scope="x")
    found = diff(old, tmp_path / "new", mapping=tmp_path / "new" / "report.json")
    assert found.equal
    assert {record.fate.value for record in found.records} == {"equal"}
