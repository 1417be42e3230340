"""The report of the conversion that made a checkpoint, where it lies beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.basics.documents import REPORT_NAME, read_document
from ckptmap.basics.errors import CkptmapError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "ckptmap.report/1"


def conversion_beside(checkpoint: str) -> tuple[Mapping[str, Any], str] | None:
    """The report, read again as untrusted as any other file, and its path; None where there is none of a conversion."""
    place = Path(checkpoint).parent / REPORT_NAME
    try:
        found = read_document(place)
    except CkptmapError:
        return None
    return (found, str(place)) if found.get("schema") == SCHEMA else None
