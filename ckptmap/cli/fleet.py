"""``ckptmap fleet``: many checkpoints at once, as a catalogue here, or by Apache Beam on many machines."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from ckptmap.basics.bounds import CLASSES
from ckptmap.basics.secrets import without_secrets
from ckptmap.checkpoint.store import Place, StorePath
from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import HOW, OUTPUT, Command, Group, examples
from ckptmap.cli.options import All, Sources
from ckptmap.cli.outputs import Outputs, Reports, emit
from ckptmap.cli.pipelines import Counting, Running, print_counters, transforms
from ckptmap.cli.speaking import say

app = typer.Typer(
    cls=Group,
    help="Look at many checkpoints at once, or convert them, on many machines.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_EXAMPLES = examples(
    ("what is there, and what becomes of it in TF2", "ckptmap fleet inspect models/"),
    ("a table, and a page that sums it up", "ckptmap fleet inspect models/ -o fleet.csv -o fleet.html"),
    (
        "on many machines",
        "ckptmap fleet inspect 's3://b/*' --runner FlinkRunner -o s3://b/f.parquet",
    ),
)


@app.command(name="inspect", cls=Command, epilog=_EXAMPLES)
@bundled
def inspect_command(
    reports: Reports,
    running: Running,
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
    then 1. With --runner, --rows or --failed Apache Beam does it, and the counts are printed.
    """
    named, options = running.named(sources or [])
    outputs = reports.outputs(named)
    if running.wants_beam(options):
        if jobs is not None:
            raise typer.BadParameter("is for this machine alone: Beam has options of its own", param_hint="--jobs")
        _inspect_by_beam(running, named, options, outputs)
        return
    from ckptmap.cli.progress import progress_bar
    from ckptmap.verbs.fleet import catalogue

    with progress_bar("reading", "items") as progress:
        report = catalogue(named, jobs=jobs, progress=progress)
    emit(report, outputs, everything=everything)
    if report["exit_code"]:
        raise typer.Exit(report["exit_code"])


def _inspect_by_beam(running: Running, named: Sequence[str], options: Sequence[str], outputs: Outputs) -> None:
    from ckptmap.report.formats import Format
    from ckptmap.request.search import searched
    from ckptmap.verbs.fleet import named_paths

    if not {Format.TEXT, Format.JSON}.issuperset(outputs.stdout):
        raise typer.BadParameter("a report of Beam goes to a file: name it with --report", param_hint="--format")
    paths, beam = named_paths(searched(named)), transforms()
    files = [(_for_all(place), form) for place, form in outputs.files]
    counters = running.counted(
        paths, options, beam.InspectCheckpoints(), beam.CatalogueReports(files) if files else None
    )
    if outputs.stdout:
        print_counters(counters, as_json=Format.JSON in outputs.stdout)
    if not files:
        running.tell_unsaid(counters)
    for place, _ in files:
        say(f"wrote {without_secrets(place)}")
    if counters.get("failed"):
        raise typer.Exit(1)


def _for_all(place: Place) -> str:
    """The place as workers in other folders find it."""
    return str(place) if isinstance(place, StorePath) else os.path.abspath(place)  # noqa: PTH100


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


@app.command(name="audit", cls=Command, epilog=_AUDIT_EXAMPLES)
@bundled
def audit_command(
    running: Counting,
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
    if to is None:
        raise typer.BadParameter("name the model, or a TF2 checkpoint of it", param_hint="--to")
    paths, options = running.paths(sources or [])
    beam = transforms()
    _refuse_unknown(to)
    transform = beam.AuditCheckpoints(to=to, num_classes=num_classes, min_restored=min_restored)
    running.run(paths, options, transform)


def _refuse_unknown(to: str | None) -> None:
    """A target that nobody knows is told once, before the work, and not once for each checkpoint."""
    from ckptmap.targets import load_target

    if to is not None and os.path.basename(to) == to:  # noqa: PTH119  (a path may be one of the workers' machines)
        load_target(to)


@app.command(name="convert", cls=Command, epilog=_CONVERT_EXAMPLES)
@bundled
def convert_command(
    running: Counting,
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
    beam = transforms()
    from ckptmap.request.batch_list import below_all

    _refuse_unknown(to)
    paths, below = below_all(paths)
    running.run(paths, options, beam.ConvertCheckpoints(output=output, below=below, to=to, table=table))
