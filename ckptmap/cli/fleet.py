"""``ckptmap fleet``: many checkpoints at once, as a catalogue here, or by Apache Beam on many machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ckptmap.basics.bounds import CLASSES
from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import HOW, OUTPUT, REPORTS, Command, Group, examples
from ckptmap.cli.options import All, Json, Sources
from ckptmap.cli.outputs import Reports, emit

app = typer.Typer(
    cls=Group,
    help="Look at many checkpoints at once, or convert them, on many machines.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

if TYPE_CHECKING:
    from apache_beam import PTransform

_EXAMPLES = examples(
    ("what is there, and what becomes of it in TF2", "ckptmap fleet inspect models/"),
    ("a table, and a page that sums it up", "ckptmap fleet inspect models/ -o fleet.csv -o fleet.html"),
)


@app.command(name="inspect", cls=Command, epilog=_EXAMPLES)
@bundled
def inspect_command(
    reports: Reports,
    sources: Sources = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="The most that are read at a time; default: one for each core, 16 if one is behind a URL.",
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


_AUDIT_EXAMPLES = examples(
    ("does each restore whole?", "ckptmap fleet audit new/ --to ssd_mobilenet_v2 --rows audited"),
    ("Beam's own options stand behind --", "ckptmap fleet audit new/ --to mine/ -- --direct_num_workers=4"),
)
_CONVERT_EXAMPLES = examples(
    ("all below a folder", "ckptmap fleet convert models/ -o new/"),
    ("from a store to a store", "ckptmap fleet convert 'gs://b/*/m.ckpt.index' -o gs://b/new"),
    ("on Flink", "ckptmap fleet convert s3://b/* -o s3://new --runner FlinkRunner"),
)
To = Annotated[
    str | None,
    typer.Option("--to", metavar="TARGET", help="The model, as in `audit` and `convert`.", rich_help_panel=HOW),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """Where a pipeline runs, and where its rows go."""

    batch: Annotated[
        Path | None,
        typer.Option(metavar="LIST", help="A file with a checkpoint a line.", show_default=False, rich_help_panel=HOW),
    ] = None
    runner: Annotated[
        str | None,
        typer.Option(
            metavar="RUNNER",
            help="Of Beam; default: in this process. Behind a bare -- stand the options of the runner.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None
    rows: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="Write the rows to files that begin so, a line of JSON each.",
            show_default=False,
            rich_help_panel=REPORTS,
        ),
    ] = None
    failed: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="The same for what failed, with the whole error.",
            show_default=False,
            rich_help_panel=REPORTS,
        ),
    ] = None
    json: Json = False

    def paths(self, sources: Sequence[str]) -> tuple[list[str], list[str]]:
        """The checkpoints, and Beam's own options, which stand behind them."""
        from ckptmap.request.batch_list import read_list
        from ckptmap.request.search import searched

        at = next((number for number, text in enumerate(sources) if text.startswith("--")), len(sources))
        listed = read_list(self.batch) if self.batch is not None else []
        if not at and not listed:
            raise typer.BadParameter("name a checkpoint or a folder", param_hint="CHECKPOINT")
        return searched([*sources[:at], *listed]), list(sources[at:])

    def run(self, paths: Sequence[str], options: Sequence[str], transform: PTransform) -> None:
        """Run the pipeline and say what was counted. Raises typer.Exit: 2 where something failed, 1 for findings."""
        from ckptmap.beam.pipelines import run

        counters = run(paths, transform, runner=self.runner, options=options, rows=self.rows, failed=self.failed)
        _print_counters(counters, as_json=self.json)
        if code := 2 if counters.get("failed") else int(bool(counters.get("findings"))):
            raise typer.Exit(code)


def _print_counters(counters: Mapping[str, int], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(dict(sorted(counters.items()))))
    else:
        for name, count in sorted(counters.items()):
            typer.echo(f"{name}: {count:,}")


def _transforms() -> Any:
    """The module ``ckptmap.beam``. Raises CkptmapError where Beam is not installed."""
    try:
        from ckptmap import beam
    except ImportError as error:
        from ckptmap.basics.errors import CkptmapError
        from ckptmap.basics.extras import install

        raise CkptmapError(f"needs Apache Beam: {error}", hint=install("beam")) from error
    return beam


@app.command(name="audit", cls=Command, epilog=_AUDIT_EXAMPLES)
@bundled
def audit_command(
    running: Running,
    sources: Sources = None,
    to: To = None,
    num_classes: Annotated[
        int | None,
        typer.Option(
            min=CLASSES.low, max=CLASSES.high, help="Classes of the model.", show_default=False, rich_help_panel=HOW
        ),
    ] = None,
    min_restored: Annotated[
        float,
        typer.Option(min=0, max=1, help="The least share of variables that is restored.", rich_help_panel=HOW),
    ] = 0,
) -> None:
    """Say of each of many checkpoints what restoring it into a model would do, by Apache Beam.

    The exit code is 1 where one does not do what is demanded, and 2 where one cannot be read.
    """
    paths, options = running.paths(sources or [])
    beam = _transforms()
    transform = beam.AuditCheckpoints(to=to, num_classes=num_classes, min_restored=min_restored)
    running.run(paths, options, transform)


@app.command(name="convert", cls=Command, epilog=_CONVERT_EXAMPLES)
@bundled
def convert_command(
    running: Running,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="DIRECTORY",
            help="A directory that all workers share, or a URL; each checkpoint has a folder of its own there.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ],
    sources: Sources = None,
    to: To = None,
    table: Annotated[
        str | None,
        typer.Option(metavar="TABLE", help="Mapping table.", show_default=False, rich_help_panel=HOW),
    ] = None,
) -> None:
    """Convert each of many checkpoints, by Apache Beam; again: only what is missing or has changed.

    The exit code is 2 where one is not converted.
    """
    paths, options = running.paths(sources or [])
    beam = _transforms()
    from ckptmap.request.batch_list import below_all

    paths, below = below_all(paths)
    running.run(paths, options, beam.ConvertCheckpoints(output=output, below=below, to=to, table=table))
