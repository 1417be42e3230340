"""The one report of many conversions, as plain JSON values; its schema is ``batch.schema.json``.

The full report of each conversion is in the ``report.json`` beside its checkpoint: of a thousand checkpoints the
ledgers would not fit into one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ckptmap.basics.documents import REPORT_NAME
from ckptmap.basics.errors import CkptmapError, Problem, ProblemsError
from ckptmap.basics.secrets import without_secrets
from ckptmap.checkpoint.store import place_of
from ckptmap.report.conversion_document import Document
from ckptmap.version import __version__

SCHEMA = "ckptmap.batch/1"
FATES = ("converted", "kept", "planned", "findings", "failed")


def batch_document(
    targets: Sequence[str],
    tables: Sequence[str],
    conversions: Sequence[Document],
    *,
    jobs: int,
    plans: int,
    findings: Sequence[Problem] = (),
) -> Document:
    """The report of ``conversions``, each from :func:`converted` or :func:`failed`; ``plans`` is how many were made.

    Where they go to several ``targets`` or by several ``tables``, all are named. ``findings`` are those of the
    whole, of no one of the checkpoints.
    """
    met = Counter(one["fate"] for one in conversions)
    return {
        "schema": SCHEMA,
        "generator": f"ckptmap {__version__}",
        "target": ", ".join(dict.fromkeys(targets)),
        "table": ", ".join(dict.fromkeys(tables)),
        "jobs": jobs,
        "plans": plans,
        "summary": {fate: met[fate] for fate in FATES},
        "exit_code": max(int(bool(findings)), max((one["exit_code"] for one in conversions), default=0)),
        "findings": [_problem(one) for one in findings],
        "conversions": list(conversions),
    }


def _beside(checkpoint: str) -> str:
    """The report beside a checkpoint."""
    place = place_of(checkpoint)
    return str(place.with_name(REPORT_NAME) if isinstance(place, Path) else place.parent / REPORT_NAME)


def converted(source: str, report: Document, *, kept: bool = False) -> Document:
    """What became of ``source``, by the report of its own conversion; ``kept`` where that was an earlier run's."""
    output = report["output"]
    done = "kept" if kept else "converted"
    fate = "findings" if report["findings"] else "planned" if output is None else done
    return {
        "source": without_secrets(source),
        "fate": fate,
        "exit_code": 1 if report["findings"] else 0,
        "checkpoint": output["checkpoint"] if output else None,
        "report": _beside(output["checkpoint"]) if output else None,
        "bytes": output["bytes"] if output else None,
        "data": output["data"] if output else None,
        "summary": report["summary"],
        "findings": report["findings"],
        "notes": [*report["source"]["notes"], *(output["notes"] if output else ())],
        "error": None,
    }


def failed(source: str, error: CkptmapError) -> Document:
    """What became of ``source`` where nothing did."""
    return {
        "source": without_secrets(source),
        "fate": "failed",
        "exit_code": error.exit_code,
        "checkpoint": None,
        "report": None,
        "bytes": None,
        "data": None,
        "summary": None,
        "findings": [],
        "notes": [],
        "error": {
            **_told(error),
            "problems": [str(problem) for problem in error.problems] if isinstance(error, ProblemsError) else [],
        },
    }


def _told(error: CkptmapError) -> Document:
    if isinstance(error, ProblemsError):
        return {"message": error.summary, "where": None, "hint": None}
    return _problem(error.problem)


def _problem(problem: Problem) -> Document:
    return {"message": problem.message, "where": problem.where or None, "hint": problem.hint or None}
