"""The typer application, and what every command shares: exit codes and errors without a traceback.

Exit codes: 0 fine, 1 findings, 2 usage, table or I/O error, 3 verification failed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from ckptmap.basics.errors import CkptmapError, ProblemsError
from ckptmap.basics.fold import fold
from ckptmap.basics.text import printable
from ckptmap.basics.wording import command_line
from ckptmap.cli import (
    audit,
    average,
    config,
    convert,
    diff,
    edit,
    export,
    freeze,
    inspect,
    report,
    rules,
    suggest,
    targets,
    verify,
)
from ckptmap.cli.streams import ending_signals, with_streams
from ckptmap.version import __version__

app = typer.Typer(
    name="ckptmap",
    help="Migrate TensorFlow 1 checkpoints to TensorFlow 2, with a ledger of every variable.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(name="convert")(convert.convert_command)
app.command(name="edit")(edit.edit_command)
app.command(name="average")(average.average_command)
app.command(name="inspect")(inspect.inspect_command)
app.command(name="audit")(audit.audit_command)
app.command(name="diff")(diff.diff_command)
app.command(name="freeze")(freeze.freeze_command)
app.command(name="report")(report.report_command)
app.command(name="suggest")(suggest.suggest_command)
app.command(name="targets")(targets.targets_command)
app.command(name="export")(export.export_command)
app.command(name="verify")(verify.verify_command)
app.add_typer(config.app, name="config")
app.add_typer(rules.app, name="rules")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ckptmap {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    del version


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a :class:`CkptmapError` becomes one message on stderr and its exit code."""
    with ending_signals():
        code = with_streams(lambda: _run(arguments))
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    """The exit code of the command."""
    try:
        with command_line():
            app(args=arguments)
    except CkptmapError as error:
        typer.echo("\n".join(_error_lines(error)), err=True)
        return error.exit_code
    except MemoryError:
        typer.echo("error: there is not enough memory for what the files claim to hold", err=True)
        return CkptmapError.exit_code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else CkptmapError.exit_code
    return 0


def _error_lines(error: CkptmapError) -> Iterator[str]:
    """The message; problems that differ in their numbers only are told once, with a count."""
    if not isinstance(error, ProblemsError):
        yield printable(f"error: {error}")
        return
    yield printable(f"error: {error.summary}")
    for group in fold(str(problem) for problem in error.problems):
        count = f" (x {len(group.names)})" if len(group.names) > 1 else ""
        yield printable(f"  {group.label}{count}")
