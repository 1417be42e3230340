import re
from typing import Any

from ckptmap.report.markdown import LONGEST, to_markdown
from ckptmap.report.sheets import sheet_of
from tests.report.conftest import report, target


def test_verdict_counts_messages_and_groups(conversion: dict[str, Any]) -> None:
    assert to_markdown(sheet_of(conversion)) == (
        "### ❌ ckptmap convert: 2 findings: nothing was written; 2 of 4 target variables restored otherwise\n"
        "\n"
        "|  |  |\n"
        "| :-- | :-- |\n"
        "| source | `old/model.ckpt (V2 bundle, 4 variables, 1.0 kB)` |\n"
        "| target | `ssd_mobilenet_v2 (4 variables)` |\n"
        "| settings | `use_dropout false, num_classes 3` |\n"
        "| table | `ssd_mobilenet_v2` |\n"
        "\n"
        "|  | fate | variables |\n"
        "| :-- | :-- | --: |\n"
        "| ✅ | target restored | 2 |\n"
        "| ⚠️ | target reinitialized | 1 |\n"
        "| ❌ | target missing | 1 |\n"
        "| ✅ | source mapped | 2 |\n"
        "|  | source superseded | 0 |\n"
        "| ℹ️ | source dropped | 1 |\n"
        "| ❌ | source unused | 1 |\n"
        "\n"
        "- ❌ `tables/t.yaml:7`: 1 source variable is unused (map it)\n"
        "- ❌ `extra/bias`: 1 target variable is missing\n"
        "- ⚠️ assumed use_dropout = false (give it with --set use_dropout=true)\n"
        "\n"
        "|  | modules | variables | what |\n"
        "| :-- | :-- | --: | :-- |\n"
        "| ❌ | `extra` | 1 | missing |\n"
        "| ❌ | `old` | 1 | unused |\n"
        "| ⚠️ | `head` | 1 | reinitialized, class head: the source has 90 classes, the target 3 |\n"
        "| ℹ️ | `old/head` | 1 | dropped, class head |\n"
    )


def test_names_are_never_markup(hostile: dict[str, Any]) -> None:
    text = to_markdown(sheet_of(hostile))
    outside_of_code = "".join(part for place, part in enumerate(text.split("`")) if place % 2 == 0)
    outside_of_code = re.sub(r"&#\d+;", "", outside_of_code)
    for mark in ("<script", "<b>", "@someone", "#12", "**bold**", "http://", "\x1b", "\n::error"):
        assert mark not in outside_of_code, mark
    tables = [line for line in text.splitlines() if line.endswith("| missing |")]
    assert len(tables) == 7
    assert all(line.count("|") == 5 for line in tables)


def test_edits_of_the_config_are_a_table(conversion: dict[str, Any]) -> None:
    edit = {"line": 3, "path": "model.ssd.num_classes", "old": "90", "new": "3", "reason": "the new class count"}
    text = to_markdown(sheet_of({**conversion, "config": {"edits": [edit], "notes": []}}))
    assert "| `model.ssd.num_classes` | `90` | `3` | the new class count |" in text


def test_a_report_of_thousands_of_groups_fits_a_comment() -> None:
    letters = "abcdefghij"
    names = [f"{a}{b}{c}{'x' * 300}/kernel" for a in letters for b in letters for c in letters]
    long = [target(name, "missing", [1], reason="why " * 200) for name in names]
    findings = [{"message": name, "where": None, "hint": None} for name in names]
    assert "… and 960 more groups" in to_markdown(sheet_of(report(long, [])))
    text = to_markdown(sheet_of(report(long, [], findings=findings)))
    assert len(text) <= LONGEST + 100
    assert text.endswith("*The rest is cut off; the JSON report has all of it.*\n")
