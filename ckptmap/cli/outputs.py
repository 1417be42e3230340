"""Where reports go: which format to which file, and what is left for stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ckptmap.basics.errors import CkptmapError
from ckptmap.report.formats import Format, format_of_file, plain_text, print_text, render

if TYPE_CHECKING:
    from ckptmap.execution.overwriting import Made, PathLike
    from ckptmap.report.document import Document

Formats = Annotated[
    list[Format] | None,
    typer.Option("--format", metavar="FORMAT", help=f"{', '.join(Format)}; repeatable.", show_default=False),
]
_FILE_HELP = "Write the report to FILE, in the format that --format or its ending says; repeatable."
ReportFiles = Annotated[
    list[Path] | None, typer.Option("--report", "-o", metavar="FILE", help=_FILE_HELP, show_default=False)
]
ReportFilesBeside = Annotated[
    list[Path] | None, typer.Option("--report", metavar="FILE", help=_FILE_HELP, show_default=False)
]
"""For a command whose ``-o`` is the checkpoint that it writes."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is written where; ``stdout`` None: nothing is printed."""

    files: tuple[tuple[Path, Format], ...]
    stdout: Format | None


def choose_outputs(
    formats: Sequence[Format] | None,
    files: Sequence[Path] | None,
    *,
    json: bool = False,
    inputs: Iterable[PathLike | None] = (),
    made: Made | None = None,
) -> Outputs:
    """Match formats and files.

    ``inputs`` are the paths that the command reads, ``made`` is what it writes besides: no report replaces either.

    A file takes the format that its ending stands for; one whose ending stands for none, the first format that no other
    file takes. What is left of the formats goes to stdout. Without ``--format`` the text report does.

    Raises:
        typer.BadParameter: several formats are left for stdout, or one that is no text.
        OutputError: a file is no report, but one that a model needs, that is read or that the command writes itself.
    """
    if files:
        from ckptmap.execution.overwriting import refuse_reports

        refuse_reports(files, inputs, made)
    asked = [*(formats or ()), *([Format.JSON] if json else ())]
    left = list(dict.fromkeys(asked))
    pairs = [(path, format_of_file(path)) for path in files or ()]
    left = [form for form in left if form not in {form for _, form in pairs}]
    chosen = []
    for path, form in pairs:
        chosen.append((path, form or (left.pop(0) if left else Format.TEXT)))
    if len(left) > 1:
        raise typer.BadParameter(f"{' and '.join(left)} cannot both go to stdout: give files with --report")
    if left == [Format.PARQUET]:
        raise typer.BadParameter("parquet is no text: give a file with --report")
    return Outputs(tuple(chosen), left[0] if left else None if asked else Format.TEXT)


def emit(document: Document, outputs: Outputs, *, everything: bool = False) -> None:
    """Write and print the report; every format is rendered before a file is opened, so a failure leaves none.

    The files are written where nobody can be told on stdout, too.

    Raises:
        OutputError: a file cannot be written.
    """
    rendered = [(path, render(document, form)) for path, form in outputs.files]
    try:
        _print_report(document, outputs.stdout, everything=everything)
    finally:
        for path, content in rendered:
            from ckptmap.checkpoint.staging import write_whole

            write_whole(path, content)


def _print_report(document: Document, form: Format | None, *, everything: bool) -> None:
    if form is Format.TEXT and _has_colours():
        from rich.console import Console

        print_text(document, Console(), everything=everything)
    elif form is Format.TEXT:
        _print(plain_text(document, everything=everything).encode())
    elif form is not None:
        _print(render(document, form))


@contextmanager
def annotating(outputs: Outputs) -> Iterator[None]:
    """Where annotations go to stdout, an error becomes annotations too: each problem on its table's line."""
    try:
        yield
    except CkptmapError as error:
        if outputs.stdout is Format.GITHUB:
            from ckptmap.report.github import error_annotations

            _print(error_annotations(error).encode())
        raise


def _has_colours() -> bool:
    return sys.stdout.isatty() or "FORCE_COLOR" in os.environ


def _print(content: bytes) -> None:
    """UTF-8 on stdout, whatever the terminal's encoding."""
    sys.stdout.flush()
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        sys.stdout.write(content.decode())
    else:
        stream.write(content)
        stream.flush()
