"""The commands by name, with the group and the summary that the help shows. Only what runs is imported."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.main import get_command

from ckptmap.cli.command import Command, Group

MAKE = "Make a checkpoint"
LOOK = "Look and compare"
PROVE = "Check and prove"
TABLES = "Tables and reports"
ABOUT = "About ckptmap itself"


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: ``module`` below ``ckptmap.cli`` has ``<module>_command`` and ``EXAMPLES``, or a group ``app``."""

    module: str
    panel: str
    summary: str
    group: bool = False


ENTRIES = {
    "convert": Entry("convert", MAKE, "Convert a checkpoint to TF2 or Keras, with the fate of every variable"),
    "edit": Entry("edit", MAKE, "Rename scopes, leave out slots, take moving averages, cast; for the TF1 Saver"),
    "average": Entry("average", MAKE, "Write the mean of the weights of several checkpoints of one model"),
    "export": Entry("export", MAKE, "Write a SavedModel of a converted detector; needs the tf extra"),
    "inspect": Entry("inspect", LOOK, "Show what a checkpoint is: its kind, model, training state, variables"),
    "fleet": Entry("fleet", LOOK, "Look at many checkpoints at once, or convert them on many machines", group=True),
    "diff": Entry("diff", LOOK, "Compare two checkpoints, also across a migration"),
    "targets": Entry("targets", LOOK, "List the models to convert to, and whether TF2 computes the same"),
    "audit": Entry("audit", PROVE, "Say what restoring a checkpoint into a model would do"),
    "verify": Entry("verify", PROVE, "Run the old and the new model on the same images; needs the tf extra"),
    "freeze": Entry("freeze", PROVE, "Show what TF1's freeze_variables freezes, and what still trains"),
    "suggest": Entry("suggest", TABLES, "Draft the mapping table for a model of your own"),
    "rules": Entry("rules", TABLES, "Check, list and show mapping tables", group=True),
    "config": Entry("config", TABLES, "Migrate a pipeline.config", group=True),
    "report": Entry("report", TABLES, "Render a saved report in another format"),
    "doctor": Entry("doctor", ABOUT, "Say what is installed, what works here, and what to install"),
    "help": Entry("help", ABOUT, "Show the help of a command"),
}


class Commands(MutableMapping[str, Any]):
    """The commands by name, each made when it is first asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _command(name, ENTRIES[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(ENTRIES)

    def __len__(self) -> int:
        return len(ENTRIES)

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]


class Root(Group):
    """The program: its commands are imported when they are run."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**(attributes | {"commands": {}}))
        self.commands = Commands()

    def about(self, name: str) -> tuple[str, str]:
        """The group that a command stands in, and its summary."""
        return ENTRIES[name].panel, ENTRIES[name].summary


def _command(name: str, entry: Entry) -> Any:
    module = import_module(f"ckptmap.cli.{entry.module}")
    if entry.group:
        holder = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None, add_completion=False)
        holder.add_typer(module.app, name=name)
        return get_command(holder).commands[name]  # type: ignore[attr-defined]
    alone = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None, add_completion=False)
    alone.command(name=name, cls=getattr(module, "COMMAND", Command), epilog=module.EXAMPLES)(
        getattr(module, f"{entry.module}_command")
    )
    return get_command(alone)
