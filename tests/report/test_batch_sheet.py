"""A batch is rendered with one line, test case, card and annotation a checkpoint."""

import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ckptmap.report.csv_format import to_csv
from ckptmap.report.formats import plain_text
from ckptmap.report.github import to_github
from ckptmap.report.html import to_html
from ckptmap.report.junit import to_junit
from ckptmap.report.markdown import LONGEST, to_markdown
from ckptmap.report.sheets import sheet_of

COUNTS = ("restored", "reinitialized", "missing", "mapped", "superseded", "dropped", "unused")
NO_ERROR: dict[str, Any] = {"message": "is damaged", "where": None, "hint": "copy it again", "problems": []}


def one(number: int, **more: Any) -> dict[str, Any]:
    made = {
        "source": f"zoo/run_{number}/model.ckpt",
        "fate": "converted",
        "exit_code": 0,
        "checkpoint": f"new/run_{number}/model.ckpt/ckpt-0",
        "report": f"new/run_{number}/model.ckpt/report.json",
        "bytes": 344,
        "data": "copy",
        "summary": dict.fromkeys(COUNTS, 2),
        "findings": [],
        "notes": [],
        "error": None,
    }
    return {**made, **more}


def failing(number: int, **more: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("checkpoint", "report", "bytes", "data", "summary"))
    return one(number, fate="failed", exit_code=2, error={**NO_ERROR, **more}, **nothing)


def batch(conversions: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    fates = [item["fate"] for item in conversions]
    return {
        "schema": "ckptmap.batch/1",
        "generator": "ckptmap 1.2.3",
        "target": "ssd",
        "table": "ssd",
        "jobs": 4,
        "plans": 1,
        "summary": {fate: fates.count(fate) for fate in ("converted", "planned", "findings", "failed")},
        "exit_code": max(item["exit_code"] for item in conversions),
        "findings": [],
        "conversions": conversions,
        **more,
    }


@pytest.fixture
def many() -> dict[str, Any]:
    """198 that are converted and two that are not, their names alike but for the numbers."""
    made = [one(number) for number in range(200)]
    made[7] = failing(7)
    made[100] = one(
        100,
        fate="findings",
        exit_code=1,
        checkpoint=None,
        findings=[
            {"message": "1 source variable is unused", "where": "lost", "hint": "map it"},
            {"message": "1 target variable is missing", "where": "net/w", "hint": None},
        ],
    )
    return batch(made)


def test_junit_has_a_test_case_for_each_checkpoint(many: dict[str, Any]) -> None:
    suite = ET.fromstring(to_junit(sheet_of(many)))[0]  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures")) == ("200", "2")
    cases = {case.get("name"): case.find("failure") for case in suite.iter("testcase")}
    assert len(cases) == 200
    failed = {name: failure for name, failure in cases.items() if failure is not None}
    assert {name: failure.get("message") for name, failure in failed.items()} == {
        "zoo/run_7/model.ckpt": "failed, is damaged",
        "zoo/run_100/model.ckpt": "findings, 2 findings, 1 source variable is unused, 1 target variable is missing",
    }
    assert failed["zoo/run_100/model.ckpt"].text == (
        "zoo/run_100/model.ckpt: findings 2 findings\n"
        "lost: 1 source variable is unused (map it)\n"
        "net/w: 1 target variable is missing"
    )


def test_markdown_has_a_row_for_each_checkpoint_the_worst_first(many: dict[str, Any]) -> None:
    text = to_markdown(sheet_of(many))
    rows = [line for line in text.splitlines() if "`zoo/run_" in line]
    assert len(rows) == 200
    assert rows[0] == "| ❌ | `zoo/run_7/model.ckpt` | failed, is damaged (copy it again) |"
    assert rows[1].startswith("| ❌ | `zoo/run_100/model.ckpt` | findings, 2 findings, ")
    assert all(row.startswith("| ✅ |") for row in rows[2:])
    assert "|  | fate | checkpoints |\n| :-- | :-- | --: |\n| ✅ | converted | 198 |\n" in text


def test_markdown_of_thousands_says_what_it_leaves_out() -> None:
    text = to_markdown(sheet_of(batch([failing(number) if number % 2 else one(number) for number in range(3000)])))
    assert len(text) <= LONGEST
    shown = sum("`zoo/run_" in line for line in text.splitlines())
    assert 0 < shown < 1500
    left = f"… and {3000 - shown:,} more checkpoints, {1500 - shown:,} failures among them"
    assert text.endswith(f"{left}; the JSON report has every one\n")


def test_github_has_one_annotation_for_each_that_failed(many: dict[str, Any]) -> None:
    assert to_github(sheet_of(many)).splitlines() == [
        "::error title=ckptmap convert::zoo/run_7/model.ckpt: failed, is damaged (copy it again)",
        (
            "::error title=ckptmap convert::zoo/run_100/model.ckpt: findings, 2 findings, 1 source variable is unused, "
            "1 target variable is missing (map it)"
        ),
        "::error title=ckptmap convert::198 of 200 checkpoints converted; 1 with findings; 1 failed",
    ]


def test_an_annotation_stands_in_the_file_that_the_error_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    (tmp_path / "t.yaml").touch()
    text = to_github(sheet_of(batch([failing(1, where="t.yaml:3", hint=None)])))
    assert text.splitlines()[0] == (
        "::error file=t.yaml,line=3,title=ckptmap convert::zoo/run_1/model.ckpt: failed, is damaged"
    )


def test_html_has_a_card_for_each_checkpoint(many: dict[str, Any]) -> None:
    page = to_html(sheet_of(many))
    assert '"unit":"checkpoint","folded":false' in page
    groups = re.search(r'"groups":(\[.*?\])', page)
    assert groups is not None
    assert groups[1].count('"label":"zoo/run_') == 200


def test_csv_and_parquet_have_a_line_for_each_checkpoint(many: dict[str, Any]) -> None:
    assert to_csv(sheet_of(many)).count("\n") == 201
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    from ckptmap.report.frame import to_parquet

    frame = pd.read_parquet(io.BytesIO(to_parquet(sheet_of(many))))
    assert len(frame) == 200
    assert [str(frame[name].dtype) for name in ("bytes", "restored", "findings")] == ["Int64"] * 3


def test_text_names_each_that_failed(many: dict[str, Any]) -> None:
    lines = plain_text(many).splitlines()
    assert "    198 converted       0 planned       1 findings       1 failed" in lines
    assert "error     zoo/run_7/model.ckpt: is damaged (copy it again)" in lines
    assert "error     zoo/run_100/model.ckpt: lost: 1 source variable is unused (map it)" in lines


def test_what_is_wrong_with_the_whole_is_told_once() -> None:
    finding = {"message": "no variable matches --allow-unused x", "where": None, "hint": 'nearest: "y"'}
    whole = batch([one(1)], findings=[finding], exit_code=1)
    suite = ET.fromstring(to_junit(sheet_of(whole)))[0]  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert '- ❌ no variable matches --allow-unused x (nearest: "y")' in to_markdown(sheet_of(whole))


def test_a_report_of_before_there_were_findings_of_the_whole_is_rendered() -> None:
    old = batch([one(1)])
    del old["findings"]
    assert sheet_of(old).passed


def test_a_note_of_one_checkpoint_stands_with_it() -> None:
    sheet = sheet_of(batch([one(1, notes=["global_step is 7"]), one(2, notes=["global_step is 9"])]))
    assert [[message.text for message in row.messages] for row in sheet.rows] == [
        ["global_step is 7"],
        ["global_step is 9"],
    ]
