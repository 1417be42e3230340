"""``ckptmap help``: the help of a command, as ``--help`` behind it shows it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.nearest import did_you_mean
from ckptmap.cli.command import examples
from ckptmap.cli.completion import complete_commands

EXAMPLES = examples(("what convert can do", "ckptmap help convert"), ("all commands", "ckptmap help"))


def help_command(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND]...",
            help="The command, such as convert or rules check.",
            show_default=False,
            autocompletion=complete_commands,
        ),
    ] = None,
) -> None:
    """Show the help of a command; without one, all commands."""
    above: Any = context.find_root()
    for name in names or ():
        commands = getattr(above.command, "commands", {})
        if name not in commands:
            raise CkptmapError(f"there is no command {name!r}", hint=_near(name, commands))
        above = type(above)(commands[name], info_name=name, parent=above)
    typer.echo(above.get_help())


def _near(name: str, commands: Any) -> str:
    return did_you_mean(name, commands) or f"known: {', '.join(commands)}"
