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
from ckptmap.basics.escapes import printable
from ckptmap.basics.secrets import without_secrets
from ckptmap.checkpoint.store import Place, place_of, write_place
from ckptmap.cli.command import REPORTS
from ckptmap.cli.completion import complete_formats
from ckptmap.cli.options import Json
from ckptmap.cli.speaking import has_colors, on_terminal, quiet, say, verbose
from ckptmap.report.formats import ENDINGS, Format, format_of_file, plain_text, print_text, render

if TYPE_CHECKING:
    from ckptmap.execution.overwriting import Made, PathLike
    from ckptmap.report.conversion_document import Document

Formats = Annotated[
    list[Format] | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        autocompletion=complete_formats,
        help=f"{', '.join(Format)}; repeatable.",
        show_default=False,
        rich_help_panel=REPORTS,
    ),
]
_FILE_HELP = (
    f"Write the report to FILE, in the format that its ending ({' '.join(ENDINGS)}) or --format says; repeatable."
)
ReportFiles = Annotated[
    list[str] | None,
    typer.Option("--report", "-o", metavar="FILE", help=_FILE_HELP, show_default=False, rich_help_panel=REPORTS),
]
ReportFilesBeside = Annotated[
    list[str] | None,
    typer.Option("--report", metavar="FILE", help=_FILE_HELP, show_default=False, rich_help_panel=REPORTS),
]
"""For a command whose ``-o`` is the checkpoint that it writes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reports:
    """What a command reports, and where: ``-o`` is a file of the report."""

    formats: Formats = None
    report_files: ReportFiles = None
    json: Json = False

    def outputs(self, inputs: Iterable[PathLike | None] = (), made: Made | None = None) -> Outputs:
        """Where each goes; ``inputs`` and ``made`` as :func:`choose_outputs` takes them. Raises as that does."""
        return choose_outputs(
            self.formats, self.report_files, json=self.json, inputs=inputs, made=made, option=self.option
        )

    @property
    def option(self) -> str:
        """What the option of a file is called."""
        return "-o / --report"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportsBeside(Reports):
    """The same for a command whose ``-o`` is the checkpoint that it writes."""

    report_files: ReportFilesBeside = None

    @property
    def option(self) -> str:
        """What the option of a file is called."""
        return "--report"


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is written where; with an empty ``stdout`` nothing is printed."""

    files: tuple[tuple[Place, Format], ...]
    stdout: tuple[Format, ...]


def choose_outputs(
    formats: Sequence[Format] | None,
    files: Sequence[str | Place] | None,
    *,
    json: bool = False,
    inputs: Iterable[PathLike | None] = (),
    made: Made | None = None,
    option: str = "-o / --report",
) -> Outputs:
    """Match formats and files.

    ``inputs`` are the paths that the command reads, ``made`` is what it writes besides: no report replaces either.
    ``option`` is what the user knows the option of a file by.

    A file takes the format that its ending stands for, the summary of a job on GitHub takes Markdown; one whose ending
    stands for none, the first format that no other file takes. What is left of the formats goes to stdout. Without
    ``--format`` the text report does.

    Raises:
        typer.BadParameter: nothing says the format of a file; several formats are left for stdout, or one that is no
            text. Annotations go there beside the text.
        OutputError: a file is no report, but one that a model needs, that is read or that the command writes itself.
    """
    places = [place_of(file) for file in files or ()]
    if places:
        from ckptmap.execution.overwriting import refuse_reports

        refuse_reports(places, inputs, made)
    asked = [*(formats or ()), *([Format.JSON] if json else ())]
    pairs = [(path, _said_format(path)) for path in places]
    left = [form for form in dict.fromkeys(asked) if form not in {form for _, form in pairs}]
    chosen = []
    for path, form in pairs:
        if form is None and not left:
            raise typer.BadParameter(_unknown_ending(path), param_hint=option)
        chosen.append((path, form or left.pop(0)))
    return Outputs(tuple(chosen), _for_stdout(left) if asked else () if quiet() else (Format.TEXT,))


def _said_format(path: Place) -> Format | None:
    return Format.MARKDOWN if is_step_summary(path) else format_of_file(path)


def _unknown_ending(path: Place) -> str:
    said = f"no format has the ending {path.suffix}" if path.suffix else "it has no ending"
    return f"{printable(str(path))}: {said}: take one of {' '.join(ENDINGS)}, or say the format with --format"


def _for_stdout(left: Sequence[Format]) -> tuple[Format, ...]:
    """The one format that is left; annotations of a CI system may stand behind the text of its log."""
    if Format.PARQUET in left:
        raise typer.BadParameter("parquet is not text: give a file with --report")
    if set(left) == {Format.TEXT, Format.GITHUB}:
        return (Format.TEXT, Format.GITHUB)
    if len(left) > 1:
        raise typer.BadParameter(f"{' and '.join(left)} cannot both go to stdout: give files with --report")
    return tuple(left)


def is_step_summary(path: Place) -> bool:
    """Whether this is the file of GitHub Actions that the steps of a job add their summaries to.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions#adding-a-job-summary
    """
    told = os.environ.get("GITHUB_STEP_SUMMARY")
    if not told or not isinstance(path, Path):
        return False
    summary = Path(told)
    try:
        return path == summary or path.samefile(summary)
    except OSError:
        return False


def emit(document: Document, outputs: Outputs, *, everything: bool = False) -> None:
    """Write and print the report; every format is rendered before a file is opened, so a failure leaves none.

    The files are written where nobody can be told on stdout, too.

    Raises:
        OutputError: a file cannot be written.
    """
    rendered = [(path, render(document, form)) for path, form in outputs.files]
    try:
        for form in outputs.stdout:
            _print_report(document, form, everything=everything or verbose())
    finally:
        for path, content in rendered:
            _write(path, content)
            say(f"wrote {without_secrets(str(path))}")


def _write(path: Place, content: bytes) -> None:
    if isinstance(path, Path) and is_step_summary(path):
        append(path, content)
    else:
        write_place(path, content)


def _print_report(document: Document, form: Format, *, everything: bool) -> None:
    if form is not Format.TEXT:
        _print(render(document, form))
    elif has_colors(sys.stdout):
        from rich.console import Console

        print_text(document, Console(), everything=everything)
    else:
        lines = plain_text(document, everything=everything).splitlines()
        _print("".join(f"{line}\n" for line in on_terminal(lines, sys.stdout)).encode())


def append(path: Path, content: bytes) -> None:
    """Add to a file that others write to as well; what they wrote stays, and ends its line.

    Raises:
        OutputError: it cannot be written.
    """
    from ckptmap.checkpoint.staging import output_errors

    with output_errors(path), path.open("a+b") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            content = content if file.read(1) == b"\n" else b"\n" + content
        file.write(content)


@contextmanager
def annotating(outputs: Outputs) -> Iterator[None]:
    """Where annotations go to stdout, an error becomes annotations too: each problem on its table's line."""
    try:
        yield
    except CkptmapError as error:
        if Format.GITHUB in outputs.stdout:
            from ckptmap.report.github import error_annotations

            _print(error_annotations(error).encode())
        raise


def _print(content: bytes) -> None:
    """UTF-8 on stdout, whatever the terminal's encoding."""
    sys.stdout.flush()
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        sys.stdout.write(content.decode())
    else:
        stream.write(content)
        stream.flush()
