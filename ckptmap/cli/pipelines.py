"""How the commands of ``ckptmap fleet`` run on Apache Beam: their options, the pipeline, and what is counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ckptmap.cli.command import HOW, REPORTS
from ckptmap.cli.options import Json
from ckptmap.cli.speaking import say

if TYPE_CHECKING:
    from apache_beam import PTransform


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """Which checkpoints, where a pipeline runs, and where its rows go."""

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
            help="Write the rows to files whose names begin like this, a line of JSON each, or Parquet if it ends "
            "with .parquet.",
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

    def wants_beam(self, options: Sequence[str]) -> bool:
        """Whether something is asked for that only a pipeline does."""
        return bool(self.runner or self.rows or self.failed or options)

    def paths(self, sources: Sequence[str]) -> tuple[list[str], list[str]]:
        """The checkpoints, and Beam's own options, which stand behind them."""
        from ckptmap.request.search import searched

        named, options = self.named(sources)
        return searched(named), options

    def named(self, sources: Sequence[str]) -> tuple[list[str], list[str]]:
        """The checkpoints and folders as the user wrote them, and Beam's own options, which stand behind them."""
        from ckptmap.request.batch_list import read_list
        from ckptmap.request.search import searched

        at = next((number for number, text in enumerate(sources) if text.startswith("--")), len(sources))
        listed = read_list(self.batch, searched(sources[:at])) if self.batch is not None else []
        if not at and not listed:
            raise typer.BadParameter("name a checkpoint or a folder", param_hint="CHECKPOINT")
        return [*sources[:at], *listed], list(sources[at:])

    def tell_unsaid(self, counters: Mapping[str, int]) -> None:
        """How to learn why some failed, if no file has it."""
        if counters.get("failed") and self.failed is None:
            say("the errors are not kept: run it again with --failed PREFIX, which writes them to files")

    def counted(
        self, paths: Sequence[Any], options: Sequence[str], transform: PTransform, whole: PTransform | None = None
    ) -> dict[str, int]:
        """Run the pipeline, and return what was counted."""
        from ckptmap.beam.pipelines import run

        told = {"runner": self.runner, "rows": self.rows, "failed": self.failed}
        return run(paths, transform, options=options, whole=whole, **told)


@dataclass(frozen=True, kw_only=True, slots=True)
class Counting(Running):
    """The same for a command that prints the counts, and nothing else."""

    json: Json = False

    def run(self, paths: Sequence[str], options: Sequence[str], transform: PTransform) -> None:
        """Run the pipeline and say what was counted. Raises typer.Exit: 2 where something failed, 1 for findings."""
        counters = self.counted(paths, options, transform)
        print_counters(counters, as_json=self.json)
        self.tell_unsaid(counters)
        if code := 2 if counters.get("failed") else int(bool(counters.get("findings"))):
            raise typer.Exit(code)


def print_counters(counters: Mapping[str, int], *, as_json: bool) -> None:
    """A line for each, or one of JSON."""
    if as_json:
        typer.echo(json.dumps(dict(sorted(counters.items()))))
    else:
        for name, count in sorted(counters.items()):
            typer.echo(f"{name}: {count:,}")


def transforms() -> Any:
    """The module ``ckptmap.beam``. Raises CkptmapError where Beam is not installed."""
    try:
        from ckptmap import beam
    except ImportError as error:
        from ckptmap.basics.errors import CkptmapError
        from ckptmap.basics.extras import install

        raise CkptmapError(f"needs Apache Beam: {error}", hint=install("beam")) from error
    return beam
