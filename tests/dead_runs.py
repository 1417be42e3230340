"""What runs that died leave in a folder, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ckptmap.checkpoint.leftovers import KEPT, keep_old, make_aside, write_journal
from ckptmap.checkpoint.staging import Staging

ORDER = ("data", "index", "state")


def dead_run(folder: Path, moves: int, order: Sequence[str] = ORDER) -> Path:
    """What a run leaves that dies after so many of the moves of ``order``; ``index`` is the decisive one."""
    folder.mkdir(exist_ok=True)
    aside = make_aside(folder)
    (aside / KEPT).mkdir()
    for name in order:
        (aside / name).write_text("new")
        keep_old(folder, aside, name)
    write_journal(folder, aside, order, "index")
    for name in order[:moves]:
        (aside / name).replace(folder / name)
    return aside


def clear_leftovers(folder: Path) -> None:
    """What the next run does first."""
    with Staging(folder):
        pass
