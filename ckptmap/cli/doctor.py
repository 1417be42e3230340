"""``ckptmap doctor``: what is installed, what works here, and what to install for the rest."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ckptmap.basics.escapes import printable
from ckptmap.cli.command import HOW, WHAT, examples
from ckptmap.cli.options import Json
from ckptmap.cli.speaking import on_terminal, quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ckptmap.verbs.doctor import Ability, Health

EXAMPLES = examples(
    ("versions, what works, and what to install", "ckptmap doctor"),
    ("import TensorFlow and the API too, which takes a while", "ckptmap doctor --deep"),
    ("for a bug report", "ckptmap doctor --json"),
)
_SIGNS = {True: "yes", False: "no", None: "?"}


def doctor_command(
    deep: Annotated[
        bool,
        typer.Option(
            "--deep",
            help="Import TensorFlow, legacy Keras and the Object Detection API, in a process of their own.",
            rich_help_panel=HOW,
        ),
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIRECTORY",
            help="Ask the file system of this folder whether it clones; default: the working directory's.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Say which versions are installed, what works with them, and what to install for the rest.

    Exit 1 if something is broken. An extra that is not installed is not broken.
    """
    from ckptmap.verbs.doctor import doctor

    found = doctor(deep=deep, folder=folder)
    if json:
        from json import dumps

        from ckptmap.basics.escapes import quiet_json

        typer.echo(quiet_json(dumps(found.to_document(), indent=1)))
    elif not quiet():
        typer.echo("\n".join(on_terminal(map(printable, _lines(found)), sys.stdout)))
    if not found.healthy:
        raise typer.Exit(1)


def _lines(found: Health) -> Iterator[str]:
    yield f"ckptmap {found.ckptmap}, from {found.source}"
    yield f"Python {found.python}, {found.system}"
    yield ""
    for one in found.abilities:
        yield from _ability(one)
    yield ""
    told = (f"{name} {version}" for name, version in found.packages.items() if version is not None)
    yield f"packages  {', '.join(told)}"


def _ability(one: Ability) -> Iterator[str]:
    sign = "BROKEN" if one.broken else _SIGNS[one.works]
    yield f"{sign:<7} {one.name}"
    yield from (f"        {text}" for text in filter(None, (one.note, one.hint)))
