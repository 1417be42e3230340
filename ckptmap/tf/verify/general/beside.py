"""The report of the conversion that made a checkpoint, where it lies beside it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.basics.documents import REPORT_NAME, read_document
from ckptmap.basics.errors import CkptmapError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "ckptmap.report/1"


def conversion_beside(checkpoint: str) -> tuple[Mapping[str, Any], str] | None:
    """The report, as untrusted as any other file, and its path; None where there is none of a conversion.

    It is read once, however often it is asked for, until another one lies there.
    """
    place = Path(checkpoint).parent / REPORT_NAME
    try:
        told = place.stat()
    except OSError:
        return None
    found = _read(place, (told.st_ino, told.st_size, told.st_mtime_ns))
    return (found, str(place)) if found is not None else None


@lru_cache(maxsize=1)
def _read(place: Path, _state: tuple[int, ...]) -> Mapping[str, Any] | None:
    try:
        found = read_document(place)
    except CkptmapError:
        return None
    return found if found.get("schema") == SCHEMA else None
