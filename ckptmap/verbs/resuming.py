"""Whether what an earlier run converted is still what this one would make: the files it came from and the wishes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ckptmap.basics.documents import LARGEST, REPORT_NAME, document_in, read_document
from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.store import Place, StorePath
from ckptmap.mapping import load_table
from ckptmap.report.conversion_document import SCHEMA, Document
from ckptmap.request.surroundings import Wish, content
from ckptmap.targets.load import shipped_name
from ckptmap.version import __version__

_WISH = "wish"


def wish_digest(wish: Wish, *others: object) -> str:
    """The SHA-256 of all that decides what becomes of a source, its own files and those beside it apart.

    Raises:
        CkptmapError: a file that the wish names cannot be read.
    """
    said: list[object] = [__version__, wish.options, wish.prefer, wish.no_pipeline, *others]
    if wish.to is not None:
        name = os.fspath(wish.to)
        said.append(name if shipped_name(name) else _checkpoint(name))
    if wish.table is not None:
        said.append(sorted(load_table(os.fspath(wish.table)).digests.items()))
    if wish.pipeline is not None:
        said.append(content(Path(wish.pipeline)))
    return hashlib.sha256(repr(said).encode("utf-8", "surrogateescape")).hexdigest()


def with_config(digest: str, beside: Path | None) -> str:
    """The digest for a checkpoint with the config ``beside`` it."""
    if beside is None:
        return digest
    return hashlib.sha256(digest.encode() + content(beside)).hexdigest()


def kept_report(folder: Place, source: str, digest: str) -> Document | None:
    """The report of the earlier conversion in ``folder`` that is still valid; None where it has to be made again.

    It is valid where the source's files, the wish and what was written are what they were.
    """
    report = earlier_report(folder)
    if report is None:
        return None
    try:
        checksums, checkpoint = report["output"]["checksums"], report["output"]["checkpoint"]
        if checksums.get(_WISH) != {_WISH: digest}:
            return None
        same = checksums["source"] == _checkpoint(source) and checksums["output"] == _checkpoint(
            str(folder / Path(checkpoint).name)
        )
    except (CkptmapError, KeyError, TypeError, AttributeError, OSError):
        return None
    return report if same else None


def earlier_report(folder: Place) -> Document | None:
    """The report of a conversion in ``folder`` that wrote something; None where there is none."""
    try:
        report: Document = read_report(folder / REPORT_NAME)
    except CkptmapError:
        return None
    known = report.get("schema") == SCHEMA and isinstance(report.get("output"), dict)
    if not known or (isinstance(folder, StorePath) and not is_whole(folder, report)):
        return None
    return report


def is_whole(folder: Place, report: Document) -> bool:
    """Whether what an earlier report speaks of is there; in a store the report comes before the index."""
    name = str(report["output"].get("checkpoint", "")).replace("\\", "/").rpartition("/")[2]
    there = folder.names() if isinstance(folder, StorePath) else {place.name for place in folder.iterdir()}
    return not {name, f"{name}.index"}.isdisjoint(there)


def read_report(place: Place) -> Document:
    """The document in a JSON file, here or in a store.

    Raises:
        CkptmapError: it cannot be read, or holds something else.
    """
    if isinstance(place, Path):
        return read_document(place)
    size = place.size()
    if size is None or size > LARGEST:
        raise CkptmapError("does not exist, or is not a report", where=str(place))
    return document_in(place.read(), str(place))


def wish_checksums(digest: str) -> dict[str, dict[str, str]]:
    """How the digest stands in a report."""
    return {_WISH: {_WISH: digest}} if digest else {}


def _checkpoint(path: str) -> dict[str, str]:
    with open_checkpoint(path) as checkpoint:
        checkpoint.refuse_absent_data()
        return checkpoint.digests()
