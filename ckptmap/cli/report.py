"""``ckptmap report``: render a report that was saved as JSON in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ckptmap.basics.escapes import printable
from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import examples
from ckptmap.cli.options import All
from ckptmap.cli.outputs import Reports, emit

EXAMPLES = examples(
    ("a page with a map of the parameters", "ckptmap report new/report.json -o report.html"),
    ("test cases for CI", "ckptmap report new/report.json -o report.xml"),
)


@bundled
def report_command(
    document: Annotated[
        Path,
        typer.Argument(
            metavar="REPORT",
            help="The report.json of a conversion, or what another command printed as JSON.",
            show_default=False,
        ),
    ],
    reports: Reports,
    everything: All = False,
) -> None:
    """Render a saved report: text, Markdown, HTML, CSV, Parquet, JUnit XML or GitHub annotations."""
    outputs = reports.outputs([document])
    from ckptmap.basics.documents import following, read_document
    from ckptmap.report.sheets import check_read

    loaded = read_document(document)
    check_read(loaded, printable(str(document)))
    with following(str(loaded["schema"]), printable(str(document))):
        emit(loaded, outputs, everything=everything)
