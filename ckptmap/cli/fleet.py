"""``ckptmap fleet``: many checkpoints at once, as a catalogue."""

from __future__ import annotations

from typing import Annotated

import typer

from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import HOW, Command, Group, examples
from ckptmap.cli.options import All, Sources
from ckptmap.cli.outputs import Reports, emit

app = typer.Typer(cls=Group, help="Look at many checkpoints at once.", no_args_is_help=True, rich_markup_mode=None)

_EXAMPLES = examples(
    ("what is there, and what becomes of it in TF2", "ckptmap fleet inspect models/"),
    ("a table, and a page that sums it up", "ckptmap fleet inspect models/ -o fleet.csv -o fleet.html"),
)


@app.callback()
def _group() -> None:
    """Keep ``inspect`` a command of its own while it is the only one."""


@app.command(name="inspect", cls=Command, epilog=_EXAMPLES)
@bundled
def inspect_command(
    reports: Reports,
    sources: Sources = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many are read at a time, at most; default: one a core, 16 where one is behind a URL.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None,
    everything: All = False,
) -> None:
    """Say what each of many checkpoints is, and what becomes of it in TF2: a row a checkpoint.

    A folder stands for all checkpoints below it. One that cannot be read is a row with its problem; the exit code is
    then 1.
    """
    if not sources:
        raise typer.BadParameter("name a checkpoint or a folder", param_hint="CHECKPOINT")
    outputs = reports.outputs(sources)
    from ckptmap.cli.progress import progress_bar
    from ckptmap.verbs.fleet import catalogue

    with progress_bar("reading", "items") as progress:
        report = catalogue(sources, jobs=jobs, progress=progress)
    emit(report, outputs, everything=everything)
    if report["exit_code"]:
        raise typer.Exit(report["exit_code"])
