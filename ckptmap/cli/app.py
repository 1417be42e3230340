"""The typer application, and what every command shares: exit codes and errors without a traceback.

Exit codes: 0 fine, 1 findings, 2 usage, table or I/O error, 3 verification failed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from time import monotonic
from typing import Annotated, Any

import typer

from ckptmap.basics.errors import CkptmapError, ProblemsError
from ckptmap.basics.escapes import printable
from ckptmap.basics.fold import fold
from ckptmap.basics.wording import command_line
from ckptmap.cli.command import GENERAL, examples
from ckptmap.cli.commands import Root
from ckptmap.cli.speaking import say, tell_error, verbose, voice
from ckptmap.cli.streams import ending_signals, with_streams
from ckptmap.version import __version__

EXAMPLES = examples(
    ("what is it, and how is it converted", "ckptmap inspect old/"),
    ("convert it", "ckptmap convert old/ --to ssd_mobilenet_v2 -o new/"),
    ("all options of a command", "ckptmap help convert"),
)

app = typer.Typer(
    name="ckptmap",
    cls=Root,
    help="Migrate TensorFlow 1 checkpoints to TensorFlow 2, with a ledger of every variable.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_USAGE: Any = typer.BadParameter.__mro__[2]
"""What typer raises for every mistake on the command line; it has no public name."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ckptmap {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            callback=_print_version,
            is_eager=True,
            help="Show the version and exit.",
            rich_help_panel=GENERAL,
        ),
    ] = False,
) -> None:
    del version


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a :class:`CkptmapError` becomes one message on stderr and its exit code."""
    with ending_signals(), voice():
        code = with_streams(lambda: _timed(arguments))
    sys.exit(code)


def _timed(arguments: Sequence[str] | None) -> int:
    started = monotonic()
    code = _run(arguments)
    if verbose():
        python = ".".join(map(str, sys.version_info[:3]))
        say(f"ckptmap {__version__}, Python {python}, {monotonic() - started:.2f} s, exit code {code}")
    return code


def _run(arguments: Sequence[str] | None) -> int:
    """The exit code of the command."""
    try:
        with command_line():
            code = app(args=arguments, standalone_mode=False)
    except CkptmapError as error:
        _trace(error)
        tell_error(list(_error_lines(error)))
        return error.exit_code
    except _USAGE as error:
        _tell_usage(error, sys.argv[1:] if arguments is None else arguments)
        return int(error.exit_code)
    except typer.Abort:
        tell_error(["interrupted"])
        return _INTERRUPTED
    except MemoryError:
        tell_error(["there is not enough memory for what the files claim to hold"])
        return CkptmapError.exit_code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else CkptmapError.exit_code
    return code if isinstance(code, int) else 0


_INTERRUPTED = 130


def _trace(error: CkptmapError) -> None:
    """Where an error arose, for whoever reports one."""
    if verbose():
        import traceback

        for line in traceback.format_exception(error):
            say(line.rstrip("\n"))


def _tell_usage(error: Any, arguments: Sequence[str]) -> None:
    """A mistake on the command line: how it is written, then what is wrong. The help itself where nothing was asked."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(error.format_message(), err=True)
        return
    if context is not None:
        typer.echo(f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n", err=True)
    message = _plain(error.format_message())
    tell_error([printable(line) for line in message.splitlines()] or [""])
    if _asks_for_annotations(arguments):
        from ckptmap.report.github import error_annotations

        typer.echo(error_annotations(CkptmapError(message)), nl=False)


def _plain(message: str) -> str:
    """What typer says of a wrong value, without its names for types and without a name for no option at all."""
    message = message.removeprefix("Invalid value: ")
    return _TYPES.sub(lambda found: f"is not a {'whole ' if found[1].startswith('int') else ''}number", message)


_TYPES = re.compile(r"is not a valid (int|integer|float)( range)?\b")


def _asks_for_annotations(arguments: Sequence[str]) -> bool:
    """Whether ``--format github`` is among the words; the options are not parsed when one of them is wrong."""
    named = (one for option, one in pairwise(arguments) if option in ("-f", "--format"))
    return "github" in named or not {"--format=github", "-fgithub"}.isdisjoint(arguments)


def _error_lines(error: CkptmapError) -> Iterator[str]:
    """The message; problems that differ in their numbers only are told once, with a count."""
    if not isinstance(error, ProblemsError):
        yield printable(str(error))
        return
    yield printable(error.summary)
    for group in fold(str(problem) for problem in error.problems):
        count = f" (x {len(group.names)})" if len(group.names) > 1 else ""
        yield printable(f"  {group.label}{count}")
