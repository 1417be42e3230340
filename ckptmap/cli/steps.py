"""What a slow command is doing, on stderr: on a terminal beside a spinner, elsewhere a line each with ``-v``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ckptmap.basics.escapes import printable
from ckptmap.cli.speaking import quiet, say, verbose


@contextmanager
def step_progress() -> Iterator[Callable[[str], None]]:
    """A callback that says what is going on, beside a spinner, in place of what it said before."""
    if verbose() and not sys.stderr.isatty():
        yield say
        return
    if quiet() or not sys.stderr.isatty():
        yield lambda _text: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status("starting") as status:
        yield lambda text: status.update(escape(printable(text)))
