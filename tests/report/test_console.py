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
