"""Every format that a report can take, by name and by the ending of a file."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console
    from typing_extensions import Self

    from ckptmap.checkpoint.store import Place
    from ckptmap.report.conversion_document import Document
    from ckptmap.report.sheet import Sheet


class Format(str, enum.Enum):
    """How a report is written: its name, what renders it, and the endings of its files.

    What renders it is a function below ``ckptmap.report``, of the sheet or of the document itself. A format cannot be
    declared without one.
    """

    module: str
    function: str
    renders: Literal["sheet", "document"]
    endings: tuple[str, ...]

    def __new__(
        cls, name: str, module: str, function: str, renders: Literal["sheet", "document"], *endings: str
    ) -> Self:
        """A member that is its name as a text."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.module, member.function, member.renders, member.endings = module, function, renders, endings
        return member

    TEXT = ("text", "formats", "plain_text", "document", ".txt", ".log")
    JSON = ("json", "json_format", "to_json_line", "document", ".json")
    CSV = ("csv", "csv_format", "to_csv", "sheet", ".csv")
    PARQUET = ("parquet", "frame", "to_parquet", "sheet", ".parquet")
    MARKDOWN = ("markdown", "markdown", "to_markdown", "sheet", ".md", ".markdown")
    HTML = ("html", "html", "to_html", "sheet", ".html", ".htm")
    JUNIT = ("junit", "junit", "to_junit", "sheet", ".xml")
    GITHUB = ("github", "github", "to_github", "sheet")

    def __str__(self) -> str:
        return str.__str__(self)


_BY_ENDING = {ending: form for form in Format for ending in form.endings}
ENDINGS = tuple(_BY_ENDING)
"""Those that say a format."""


def format_of_file(path: Place) -> Format | None:
    """The format that the file's ending stands for; None where it stands for none."""
    return _BY_ENDING.get(path.suffix.lower())


def render(document: Document, form: Format) -> bytes:
    """The report in this format, UTF-8 where it is text.

    Raises:
        CkptmapError: the document follows no schema that is known, or the format needs a package that is not there.
    """
    renderer: Callable[[Document | Sheet], str | bytes]
    renderer = getattr(import_module(f"ckptmap.report.{form.module}"), form.function)
    if form.renders == "document":
        content = renderer(document)
    else:
        from ckptmap.report.sheets import sheet_of

        content = renderer(sheet_of(document))
    return content.encode() if isinstance(content, str) else content


_TEXTS = {
    "ckptmap.freeze/1": "ckptmap.report.freeze_text",
    "ckptmap.targets/1": "ckptmap.report.targets_text",
}
"""Documents whose text is not that of their sheet."""


def _own_lines(document: Document) -> Iterator[str] | None:
    """The lines of a text of the document's own; None where it has none."""
    place = _TEXTS.get(str(document.get("schema")))
    if place is None:
        return None
    lines: Iterator[str] = import_module(place).lines(document)
    return lines


def print_text(document: Document, console: Console, *, everything: bool = False) -> None:
    """The report for a person; with ``everything`` the rows that are as they should be are listed too."""
    if document.get("schema") == "ckptmap.report/1":
        from ckptmap.report.console import print_report

        print_report(document, console)
        return
    if (lines := _own_lines(document)) is not None:
        from ckptmap.report.terminal import print_line

        for line in lines:
            print_line(console, line, markup=False)
        return
    from ckptmap.report.sheet_text import print_sheet
    from ckptmap.report.sheets import sheet_of

    print_sheet(sheet_of(document), console, everything=everything)


def plain_text(document: Document, *, everything: bool = False) -> str:
    """The same without colors, and so without rich."""
    if (lines := _own_lines(document)) is not None:
        return "".join(f"{line}\n" for line in lines)
    if document.get("schema") == "ckptmap.report/1":
        from ckptmap.report.console import plain_report

        return "".join(f"{line}\n" for line in plain_report(document))
    from ckptmap.report.sheet_text import plain_lines
    from ckptmap.report.sheets import sheet_of

    return "".join(f"{line}\n" for line in plain_lines(sheet_of(document), everything=everything))
