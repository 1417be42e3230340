"""How a message names an argument: as a keyword to who calls the library, as an option to who sits at a command line.

A message that advises an argument asks :func:`argument` for its name. The command line says once, for the time that it
runs, that it is the one who asks: its threads make messages too, so this holds for the whole process.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

ARGUMENTS = {
    "allow": ("allow=[{}]", "--allow {}"),
    "allow_unused": ("allow_unused=[{}]", "--allow-unused {}"),
    "copy": ("data='copy'", "--data copy"),
    "ema": ("ema={}", "--ema {}"),
    "fail_on none": ("fail_on=()", "--fail-on none"),
    "fill": ("fill=OLD", "--fill OLD"),
    "force": ("force=True", "--force"),
    "index_only": ("index_only=True", "--index-only"),
    "init_missing": ("init_missing=True", "--init-missing"),
    "label_maps": ("label_maps=(OLD, NEW)", "--label-map OLD NEW"),
    "like": ("the argument like", "--like"),
    "map": ("mapping={}", "--map {}"),
    "match": ("match=[{}]", "--match {}"),
    "no verify": ("verify=False", "--no-verify"),
    "any num_classes": ("num_classes=N", "--num-classes N"),
    "num_classes": ("the argument num_classes", "--num-classes"),
    "ema ignore": ("ema='ignore'", "--ema ignore"),
    "any ema": ("the argument ema", "--ema"),
    "learning_rate": ("learning_rate=RATE", "--learning-rate RATE"),
    "no optimizer": ("the argument optimizer", "--optimizer"),
    "optimizer": ("optimizer={}", "--optimizer {}"),
    "at_step": ("at_step=N", "--at-step N"),
    "output": ("the argument output", "-o"),
    "patterns": ("the pattern", "--pattern"),
    "resume": ("resume=True", "--resume"),
    "require": ("require=[{}]", "--require {}"),
    "step": ("step=True", "--step"),
    "table": ("the argument table", "--table"),
    "to": ("to={}", "--to {}"),
    "any to": ("the argument to", "--to"),
    "root": ("the argument root", "--root"),
    "trainer": ("trainer={}", "--trainer {}"),
    "any trainer": ("the argument trainer", "--trainer"),
}
"""What can be advised: the keyword of the library's verbs, and the option of the command line that sets it."""


@dataclass(slots=True)
class _Asker:
    at_command_line: bool = False


_asker = _Asker()


@contextmanager
def command_line() -> Iterator[None]:
    """Messages that are made inside name options."""
    before, _asker.at_command_line = _asker.at_command_line, True
    try:
        yield
    finally:
        _asker.at_command_line = before


def names_options() -> bool:
    """Whether messages name options: a process that is started for this one should do as it does."""
    return _asker.at_command_line


def argument(name: str | tuple[str, str], *values: str) -> str:
    """An argument as the caller gives it: ``force=True``, or ``--force``; one of :data:`ARGUMENTS`, or both its ways.

    ``values`` are quoted as Python, or as a shell, wants them; an option that takes one is repeated for several.
    """
    keyword, option = ARGUMENTS[name] if isinstance(name, str) else name
    if _asker.at_command_line:
        return " ".join(option.format(shlex.quote(value)) for value in values) if values else option
    return keyword.format(", ".join(map(repr, values)))


def setting(name: str, value: str) -> str:
    """The same for a setting of a target: ``settings={'use_dropout': true}``, or ``--set use_dropout=true``."""
    return f"--set {name}={value}" if _asker.at_command_line else f"settings={{{name!r}: {value}}}"


def number(name: str, value: str = "N") -> str:
    """The same for a length that a model's settings decide, the class count among them; N is any."""
    if name == "num_classes":
        return argument("any num_classes").removesuffix("N") + value
    return setting(name, value)
