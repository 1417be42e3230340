"""A report document on stdout, as text or as JSON."""

from __future__ import annotations

from ckptmap.report.document import Document


def print_document(report: Document, *, json: bool) -> None:
    """Print ``report`` on stdout; JSON is one valid document with nothing around it."""
    if json:
        from ckptmap.report.json_format import to_json

        print(to_json(report))  # noqa: T201 - stdout is the command's data
        return
    from rich.console import Console

    from ckptmap.report.console import print_report

    print_report(report, Console())
