"""Options that several commands share, so that they read and behave the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, TypedDict

import typer

from ckptmap.basics.globs import RULE
from ckptmap.cli.command import HOW, OUTPUT, REPORTS, WHAT

Source = Annotated[
    str,
    typer.Argument(
        metavar="CHECKPOINT",
        help="The checkpoint: its prefix, any of its files, or the directory that holds it.",
        show_default=False,
    ),
]
Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="CHECKPOINT...",
        help="The checkpoint: its prefix, any of its files, or the directory that holds it; or several.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text.", rich_help_panel=REPORTS)]
All = Annotated[bool, typer.Option("--all", help="Also list what is right.", rich_help_panel=REPORTS)]
Match = Annotated[
    list[str] | None,
    typer.Option(
        "--match",
        metavar="GLOB",
        help=f"Only variables that match; {RULE}; repeatable.",
        show_default=False,
        rich_help_panel=WHAT,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIRECTORY",
        help="Directory to write the new checkpoint to, or a URL such as s3://bucket/new.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]

Data = Literal["auto", "copy", "reflink", "link"]
DataOption = Annotated[
    Data,
    typer.Option(
        "--data",
        help="Unchanged bytes: copy; reflink, a copy-on-write clone of the old data file; link, its second name: "
        "changing the old file in place changes the new checkpoint; auto: reflink if possible, otherwise copy.",
        rich_help_panel=OUTPUT,
    ),
]
VerifyData = Annotated[
    bool,
    typer.Option(
        "--verify-data",
        help="Read back linked and cloned values too. All other values are always read back.",
        rich_help_panel=OUTPUT,
    ),
]
NoVerify = Annotated[
    bool,
    typer.Option(
        "--no-verify",
        help="Do not compare the checksums of the source: damaged values are taken as they are.",
        rich_help_panel=HOW,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Replace a checkpoint that is already in the output directory.", rich_help_panel=OUTPUT
    ),
]
Exists = Literal["fail", "skip", "replace"]
IfExists = Annotated[
    Exists,
    typer.Option(
        "--if-exists",
        help="If a checkpoint is there: fail; skip it and give its report; replace it, as --force does.",
        rich_help_panel=OUTPUT,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the ledger; write nothing.", rich_help_panel=OUTPUT)]
IndexOnly = Annotated[
    bool,
    typer.Option(
        "--index-only", help="With --dry-run: do not check whether the data files exist.", rich_help_panel=OUTPUT
    ),
]


class WritingChoices(TypedDict):
    """What :class:`Placing` says, as keyword arguments of the verbs that write a checkpoint."""

    data: Data
    verify_data: bool
    verify: bool
    force: bool
    if_exists: Exists
    dry_run: bool
    index_only: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Placing:
    """Where a new checkpoint goes, and how its bytes get there."""

    output: Output = None
    data: DataOption = "auto"
    verify_data: VerifyData = False
    no_verify: NoVerify = False
    force: Force = False
    if_exists: IfExists = "fail"
    dry_run: DryRun = False
    index_only: IndexOnly = False

    def refuse_nowhere(self) -> None:
        """Raises typer.BadParameter where nobody says what to write to, or nothing could be written."""
        refuse_nowhere(self.output, dry_run=self.dry_run, index_only=self.index_only)

    @property
    def choices(self) -> WritingChoices:
        """How to write, for the verbs."""
        return {
            "data": self.data,
            "verify_data": self.verify_data,
            "verify": not self.no_verify,
            "force": self.force,
            "if_exists": self.if_exists,
            "dry_run": self.dry_run,
            "index_only": self.index_only,
        }


def refuse_nowhere(output: str | None, *, dry_run: bool, index_only: bool = False) -> None:
    """Where nobody says what to write to, or nothing could be written.

    Raises:
        typer.BadParameter: neither an output nor a dry run is asked for, or no look at the data of a run that is none.
    """
    if output is None and not dry_run:
        raise typer.BadParameter("say where to write with -o DIRECTORY, or add --dry-run", param_hint="--output")
    if index_only and not dry_run:
        raise typer.BadParameter(
            "without the data files nothing can be written: add --dry-run", param_hint="--index-only"
        )


def parse_settings(texts: Iterable[str]) -> dict[str, object]:
    """``use_dropout=true`` and ``num_layers=6`` as a mapping with booleans and integers.

    Raises:
        typer.BadParameter: a text without ``=``.
    """
    settings: dict[str, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{text!r}: write a setting as NAME=VALUE, such as use_dropout=true")
        settings[name.strip()] = _setting_value(value.strip())
    return settings


def _setting_value(text: str) -> object:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return int(text)
    except ValueError:
        return text
