from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from ckptmap.report.console import plain_report, print_report


def test_plain_text_is_what_a_console_without_colors_prints(
    conversion: dict[str, Any], hostile: dict[str, Any]
) -> None:
    for document in (conversion, hostile):
        out = io.StringIO()
        print_report(document, Console(file=out, width=10_000, color_system=None))
        plain = "".join(f"{line}\n" for line in plain_report(document))
        assert plain == out.getvalue()
        assert "\x1b" not in plain


def test_brackets_and_colons_in_names_are_themselves(conversion: dict[str, Any]) -> None:
    conversion["source"]["path"] = r"old/[bold]a\[red]:warning:"
    assert next(plain_report(conversion)).startswith(r"source  old/[bold]a\[red]:warning:  (V2 bundle")


def test_a_verdict_with_where_stock_differs_and_what_cures_it(conversion: dict[str, Any]) -> None:
    differences = [
        {"outputs": "raw outputs", "reason": "another padding", "remains": False},
        {"outputs": "boxes", "reason": "another box coder", "remains": True},
    ]
    conversion["verdict"] = {
        "kind": "slim-exact",
        "extractor_type": "ssd_mobilenet_v2_keras_exact",
        "equal": True,
        "presumed": True,
        "differences": differences,
        "advice": "import ckptmap.tf before training",
    }
    lines = list(plain_report(conversion))
    first = lines.index("verdict slim-exact: ssd_mobilenet_v2_keras_exact")
    assert lines[first + 1 : first + 5] == [
        "        presumed for the official configuration of this model; --pipeline checks yours",
        "        stock TF2 differs, this conversion does not: raw outputs: another padding",
        "        differs: boxes: another box coder",
        "        import ckptmap.tf before training",
    ]
