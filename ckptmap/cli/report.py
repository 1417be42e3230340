"""``ckptmap report``: render a report that was saved as JSON in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ckptmap.basics.text import printable
from ckptmap.cli.options import Json
from ckptmap.cli.outputs import Formats, ReportFiles, choose_outputs, emit


def report_command(
    document: Annotated[
        Path,
        typer.Argument(
            metavar="REPORT",
            help="The report.json of a conversion, or what another command printed as JSON.",
            show_default=False,
        ),
    ],
    formats: Formats = None,
    report: ReportFiles = None,
    everything: Annotated[bool, typer.Option("--all", help="List in the text what is as it should be, too.")] = False,
    json: Json = False,
) -> None:
    """Render a saved report: text, Markdown, HTML, CSV, Parquet, JUnit XML or GitHub annotations."""
    outputs = choose_outputs(formats, report, json=json, inputs=[document])
    from ckptmap.basics.documents import following, read_document
    from ckptmap.report.sheets import check_read

    loaded = read_document(document)
    check_read(loaded, printable(str(document)))
    with following(str(loaded["schema"]), printable(str(document))):
        emit(loaded, outputs, everything=everything)
