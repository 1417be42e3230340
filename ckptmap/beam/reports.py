"""One report of a whole fleet, made where all rows of a pipeline meet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import apache_beam as beam

from ckptmap.beam.transforms import FAILED, ROWS

if TYPE_CHECKING:
    from ckptmap.report.conversion_document import Document
    from ckptmap.report.formats import Format


class CatalogueReports(beam.PTransform):  # type: ignore[misc]
    """What ``InspectCheckpoints`` gives becomes the reports of ``ckptmap fleet inspect``, each in a file of its own.

    All rows are on one machine for that.

    Args:
        files: place and format of each; all workers have to see these places.
    """

    def __init__(self, files: Sequence[tuple[str, Format]]) -> None:
        super().__init__()
        self._files = tuple(files)

    def expand(self, found: Any) -> Any:
        """A collection of the places that were written."""
        rows = found[ROWS] | "Of rows" >> beam.Map(lambda row: {**row._asdict(), "problems": []})
        failed = found[FAILED] | "Of failed" >> beam.Map(lambda row: json.loads(row.document))
        together = (rows, failed) | beam.Flatten() | beam.combiners.ToList()
        return together | "Report" >> beam.FlatMap(_write, self._files)


def _write(rows: list[Document], files: Sequence[tuple[str, Format]]) -> list[str]:
    from ckptmap.checkpoint.store import place_of, write_place
    from ckptmap.report.formats import render
    from ckptmap.verbs.fleet import catalogue_of

    report = catalogue_of(sorted(rows, key=lambda row: str(row["path"])))
    rendered = [(place, render(report, form)) for place, form in files]
    for place, content in rendered:
        write_place(place_of(place), content)
    return [place for place, _ in rendered]
