import io
from typing import Any

from rich.console import Console

from ckptmap.report.sheet_text import plain_lines, print_sheet
from ckptmap.report.sheets import sheet_of
from ckptmap.report.stat_text import name_lines, stat_lines


def test_facts_counts_groups_messages_verdict(conversion: dict[str, Any]) -> None:
    assert list(plain_lines(sheet_of(conversion))) == [
        "source    old/model.ckpt (V2 bundle, 4 variables, 1.0 kB)",
        "target    ssd_mobilenet_v2 (4 variables)",
        "settings  use_dropout false, num_classes 3",
        "table     ssd_mobilenet_v2",
        "",
        "      2 restored       1 reinitialized       1 missing",
        "      2 mapped       0 superseded       1 dropped       1 unused",
        "",
        "error     tables/t.yaml:7: 1 source variable is unused (map it)",
        "error     extra/bias: 1 target variable is missing",
        "  reinitialized        1  class head: the source has 90 classes, the target 3",
        "                       1  head/kernel",
        "  missing              1",
        "                       1  extra/bias",
        "  dropped              1  class head",
        "                       1  old/head/kernel",
        "  unused               1",
        "                       1  old/lost",
        "warning   assumed use_dropout = false (give it with --set use_dropout=true)",
        "2 findings: nothing was written; 2 of 4 target variables restored otherwise",
    ]


def test_plain_text_is_what_a_console_without_colors_prints(
    conversion: dict[str, Any], hostile: dict[str, Any]
) -> None:
    for document in (conversion, hostile):
        out = io.StringIO()
        print_sheet(sheet_of(document), Console(file=out, width=10_000, color_system=None), everything=True)
        plain = "".join(f"{line}\n" for line in plain_lines(sheet_of(document), everything=True))
        assert plain == out.getvalue()
        assert "\x1b" not in plain


def test_stat_and_names(conversion: dict[str, Any]) -> None:
    assert list(stat_lines(sheet_of(conversion))) == [
        " extra    | 1 missing",
        " old      | 1 unused",
        " head     | 1 reinitialized",
        " old/head | 1 dropped",
        "2 findings: nothing was written; 2 of 4 target variables restored otherwise",
    ]
    assert list(name_lines(sheet_of(conversion))) == ["head/kernel", "extra/bias", "old/lost"]
