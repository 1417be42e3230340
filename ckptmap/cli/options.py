"""Options that several commands share, so that they read and behave the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

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
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Directory to write the new checkpoint to.", show_default=False)
]


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
