"""The works that are measured: each is one question, asked of ckptmap and of its peers, as whole processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import Case, Files, Models

CKPTMAP = (sys.executable, "-m", "ckptmap")
PEER = (sys.executable, "-m", "benchmarks.peers")
_MANY = 1500
"""Variables from which on names are a work of their own; with fewer TensorFlow's import is all there is to measure."""
_SMALL = 50_000_000
"""Bytes of a checkpoint up to which many of them are a batch."""
_FEW = 20
"""Checkpoints that are converted one after the other too, a process each."""
_COPY = 'mkdir -p "$2" && cp "$1" "$2/data"'
_EACH = (
    'place=$1; to=$2; table=$3; shift 3; for one in "$@"; do number=$((number + 1)); '
    f'"{sys.executable}" -m ckptmap convert "$one" --to "$to" --table "$table" -o "$place/$number" || exit; done'
)

LINK = "ckptmap convert --data link"
REFLINK = "ckptmap convert --data reflink"
COPY = "ckptmap convert --data copy"
EDIT = "ckptmap edit --data link"
AVERAGE = "ckptmap average"
VERIFY = "ckptmap convert --data link --verify-data"
CP = "cp"
GUIDE = "the TensorFlow guide's recipe"
DIFF = "ckptmap diff"
INSPECT = "ckptmap inspect"
PLAN = "the plan alone"
READ = "every value read, its checksum compared"
SYNC = "cp, then sync"
HELP = "ckptmap --help"
LIST = "tf.train.list_variables"
NUMPY = "import numpy"
ALL = "ckptmap convert, all at once"
ONE_JOB = "ckptmap convert --jobs 1"
CORES = os.cpu_count() or 1
JOBS = "ckptmap convert --jobs, one a core"
SUGGEST = "ckptmap suggest"
VERIFY_MODELS = "ckptmap verify"
RUN_MODELS = "TensorFlow imports, builds and runs both"
EXPORT = "ckptmap export"
OWN_EXPORT = "the Object Detection API's own exporter"


@dataclass(frozen=True, slots=True)
class Work:
    """One command: ``group`` is the question, ``base`` marks the one that the others of the group are set against.

    With ``tells`` it is not the process that counts: the command prints the seconds.
    """

    group: str
    name: str
    command: tuple[str, ...]
    base: bool = False
    tells: bool = False


@dataclass(frozen=True, slots=True)
class Means:
    """What there is to measure with: TensorFlow, and a file system that clones files."""

    tensorflow: bool
    clones: bool


def works(case: Case, files: Sequence[Files], output: Path, means: Means) -> Iterator[Work]:
    """The works of one case; what moves bytes is left out where the checkpoint is sparse."""
    if len(files) > 1:
        yield from _batches(case, files, output)
        return
    one = files[0]
    if case.models is Models.TWO:
        yield from _models(one)
        return
    if case.models is Models.DETECTOR:
        yield from _exports(one, output)
        return
    if len(case.leaves) > 1:
        yield _draft(one)
        return
    yield from _starts()
    yield from _plans(one)
    yield from _links(one, output, means)
    if not case.sparse:
        yield from _copies(one, output, means)
    yield Work("diff of equal files", DIFF, (*CKPTMAP, "diff", str(one.source), str(one.twin)))
    if not case.sparse:
        yield Work("diff of equal files", "cmp", ("cmp", str(one.data), str(one.copy)), base=True)
    yield Work("inspect", INSPECT, (*CKPTMAP, "inspect", str(one.source)))
    if means.tensorflow and case.variables >= _MANY:
        yield Work("inspect", LIST, (*PEER, "list", str(one.source)), base=True)


def clones(case: Case, files: Sequence[Files], output: Path) -> Iterator[Work]:
    """What needs a file system that clones files, and nothing else."""
    del case
    yield _reflink(files[0], output)


def _draft(files: Files) -> Work:
    """Exit code 1 says that the draft leaves something open."""
    told = (*CKPTMAP, "suggest", str(files.source), "--to", str(files.template))
    return Work("draft", SUGGEST, ("sh", "-c", '"$@" || test $? = 1', "sh", *told))


def _models(files: Files) -> Iterator[Work]:
    """Two models that are run, and what TensorFlow takes for it alone."""
    sides = (str(files.source), str(files.template))
    yield Work("run both models", VERIFY_MODELS, (*CKPTMAP, "verify", *sides))
    yield Work("run both models", RUN_MODELS, (*PEER, "run", *sides), base=True)


def _exports(files: Files, output: Path) -> Iterator[Work]:
    """A converted detector as a SavedModel, by ckptmap and by the API: import, build, restore, trace and save."""
    sides = (str(files.source.parent), str(output))
    yield Work("export", EXPORT, (*CKPTMAP, "export", sides[0], "-o", sides[1]))
    yield Work("export", OWN_EXPORT, (sys.executable, "-m", "benchmarks.exporting", *sides), base=True)


def _reflink(files: Files, output: Path) -> Work:
    return Work("convert", REFLINK, _convert(files, "-o", output, "--data", "reflink"))


def _convert(files: Files, *options: object) -> tuple[str, ...]:
    named = (files.source, "--to", files.template, "--table", files.table, *options)
    return (*CKPTMAP, "convert", *map(str, named))


def _starts() -> Iterator[Work]:
    """What a process takes before it does anything."""
    yield Work("start", HELP, (*CKPTMAP, "--help"))
    yield Work("start", NUMPY, (sys.executable, "-c", "import numpy"), base=True)


def _plans(files: Files) -> Iterator[Work]:
    yield Work("plan", "ckptmap convert --dry-run", _convert(files, "--dry-run"))
    named = map(str, (files.source, files.template, files.table))
    yield Work("plan", PLAN, (sys.executable, "-m", "benchmarks.planning", *named), tells=True)


def _links(files: Files, output: Path, means: Means) -> Iterator[Work]:
    yield Work("convert", LINK, _convert(files, "-o", output, "--data", "link"))
    renamed = ("edit", str(files.source), "--scope", "body", "-o", str(output), "--data", "link")
    yield Work("convert", EDIT, (*CKPTMAP, *renamed))
    if means.clones:
        yield _reflink(files, output)


def _copies(files: Files, output: Path, means: Means) -> Iterator[Work]:
    yield Work("convert", VERIFY, _convert(files, "-o", output, "--data", "link", "--verify-data"))
    yield Work("convert", COPY, _convert(files, "-o", output, "--data", "copy"))
    yield Work("read", READ, (sys.executable, "-m", "benchmarks.reading", str(files.source)), tells=True)
    places = ("sh", str(files.data), str(output))
    yield Work("convert", CP, ("sh", "-c", _COPY, *places), base=True)
    yield Work("convert", SYNC, ("sh", "-c", f'{_COPY} && sync "$2/data"', *places))
    if means.tensorflow:
        yield Work("convert", GUIDE, (*PEER, "guide", str(files.source), str(output)))


def _batches(case: Case, files: Sequence[Files], output: Path) -> Iterator[Work]:
    sources = [str(one.source) for one in files]
    if len(files) <= _FEW:
        yield Work("average", AVERAGE, (*CKPTMAP, "average", *sources, "-o", str(output)))
    if case.size > _SMALL:
        return
    shared = (str(files[0].template), str(files[0].table))
    many = (*CKPTMAP, "convert", *sources, "--to", shared[0], "--table", shared[1], "-o", str(output))
    yield Work("convert all", ONE_JOB, (*many, "--jobs", "1"))
    if len(files) > _FEW:
        yield Work("convert all", JOBS, (*many, "--jobs", str(CORES)))
        return
    yield Work("convert all", ALL, many)
    each = ("sh", "-c", _EACH, "sh", str(output), *shared, *sources)
    yield Work("convert all", "ckptmap convert, one after the other", each, base=True)
