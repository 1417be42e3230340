"""The command line: thin typer commands that parse, call the library and render."""

from ckptmap.cli.app import main

__all__ = ["main"]
