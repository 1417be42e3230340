"""Every format that a report can take, by name and by the ending of a file."""

from __future__ import annotations

import enum
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from ckptmap.report.document import Document
    from ckptmap.report.sheet import Sheet


class Format(str, enum.Enum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    MARKDOWN = "markdown"
    HTML = "html"
    JUNIT = "junit"
    GITHUB = "github"

    def __str__(self) -> str:
        return self.value


_BY_ENDING = {
    ".json": Format.JSON,
    ".csv": Format.CSV,
    ".parquet": Format.PARQUET,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".xml": Format.JUNIT,
}


def format_of_file(path: Path) -> Format | None:
    """The format that the file's ending stands for; None where it stands for none."""
    return _BY_ENDING.get(path.suffix.lower())


def render(document: Document, form: Format) -> bytes:
    """The report in this format, UTF-8 where it is text.

    Raises:
        CkptmapError: the document follows no schema that is known, or the format needs a package that is not there.
    """
    if form is Format.JSON:
        from ckptmap.report.json_format import to_json

        return f"{to_json(document)}\n".encode("ascii")
    if form is Format.TEXT:
        return plain_text(document).encode()
    from ckptmap.report.sheets import sheet_of

    sheet = sheet_of(document)
    if form is Format.PARQUET:
        from ckptmap.report.frame import to_parquet

        return to_parquet(sheet)
    return _renderer(form)(sheet).encode()


def _renderer(form: Format) -> Callable[[Sheet], str]:
    if form is Format.CSV:
        from ckptmap.report.csv_format import to_csv as renderer
    elif form is Format.MARKDOWN:
        from ckptmap.report.markdown import to_markdown as renderer
    elif form is Format.HTML:
        from ckptmap.report.html import to_html as renderer
    elif form is Format.JUNIT:
        from ckptmap.report.junit import to_junit as renderer
    else:
        from ckptmap.report.github import to_github as renderer
    return renderer


def print_text(document: Document, console: Console, *, everything: bool = False) -> None:
    """The report for a person; with ``everything`` the rows that are as they should be are listed too."""
    if document.get("schema") == "ckptmap.report/1":
        from ckptmap.report.console import print_report

        print_report(document, console)
        return
    from ckptmap.report.sheet_text import print_sheet
    from ckptmap.report.sheets import sheet_of

    print_sheet(sheet_of(document), console, everything=everything)


def plain_text(document: Document, *, everything: bool = False) -> str:
    """The same without colours; without rich where it is not needed for them."""
    if document.get("schema") != "ckptmap.report/1":
        from ckptmap.report.sheet_text import plain_lines
        from ckptmap.report.sheets import sheet_of

        return "".join(f"{line}\n" for line in plain_lines(sheet_of(document), everything=everything))
    from rich.console import Console

    out = io.StringIO()
    print_text(document, Console(file=out, width=200, color_system=None))
    return out.getvalue()
