"""The works that are measured: each is one question, asked of ckptmap and of its peers, as whole processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import Case, Files

_CKPTMAP = (sys.executable, "-m", "ckptmap")
_PEER = (sys.executable, "-m", "benchmarks.peers")


@dataclass(frozen=True, slots=True)
class Work:
    """One command: ``group`` is the question, ``base`` marks the one that the others of the group are set against."""

    group: str
    name: str
    command: tuple[str, ...]
    base: bool = False


def works(case: Case, files: Files, output: Path, *, tensorflow: bool) -> Iterator[Work]:
    """The works of one case; what moves bytes is left out where the checkpoint is sparse and large."""
    yield from _conversions(case, files, output, tensorflow=tensorflow)
    yield Work("diff of equal files", "ckptmap diff", (*_CKPTMAP, "diff", str(files.source), str(files.twin)))
    if not case.sparse:
        yield Work("diff of equal files", "cmp", ("cmp", str(files.data), str(files.copy)), base=True)
    yield Work("inspect", "ckptmap inspect", (*_CKPTMAP, "inspect", str(files.source)))
    if tensorflow:
        yield Work("inspect", "tf.train.list_variables", (*_PEER, "list", str(files.source)), base=True)


def _conversions(case: Case, files: Files, output: Path, *, tensorflow: bool) -> Iterator[Work]:
    convert = (*_CKPTMAP, "convert", str(files.source), "--to", str(files.template), "--table", str(files.table))
    written = (*convert, "-o", str(output))
    yield Work("plan", "ckptmap convert --dry-run", (*convert, "--dry-run"))
    yield Work("convert", "ckptmap convert --data link", (*written, "--data", "link"))
    if case.sparse:
        return
    yield Work("convert", "ckptmap convert --data link --verify-data", (*written, "--data", "link", "--verify-data"))
    yield Work("convert", "ckptmap convert --data copy", (*written, "--data", "copy"))
    copied = 'mkdir -p "$2" && cp "$1" "$2/data"'
    yield Work("convert", "cp", ("sh", "-c", copied, "sh", str(files.data), str(output)), base=True)
    synced = f'{copied} && sync "$2/data"'
    yield Work("convert", "cp, then sync", ("sh", "-c", synced, "sh", str(files.data), str(output)))
    if tensorflow:
        yield Work("convert", "the TensorFlow guide's recipe", (*_PEER, "guide", str(files.source), str(output)))
