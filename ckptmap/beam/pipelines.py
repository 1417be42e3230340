"""Whole pipelines: checkpoints through one transform, rows and dead letters to files, and the counters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apache_beam as beam
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions

from ckptmap.basics.errors import CkptmapError
from ckptmap.beam.transforms import FAILED, ROWS

_IN_PROCESS = "FnApiRunner"
_LINES, _PARQUET = ".jsonl", ".parquet"
_UNCOUNTED = "what failed is in the dead-letter files"


def run(
    paths: Sequence[Any],
    transform: beam.PTransform,
    *,
    runner: str | None = None,
    options: Sequence[str] = (),
    rows: str | None = None,
    failed: str | None = None,
    whole: beam.PTransform | None = None,
) -> dict[str, int]:
    """Runs the pipeline to its end, and returns the counters.

    Args:
        paths: the checkpoints, as the transform takes them.
        transform: what becomes of them: one of ``ckptmap.beam``.
        runner: of Beam; None: the one in this process.
        options: Beam's own, as on a command line.
        rows: what the files of rows are called, a line of JSON each; where it ends with ``.parquet``, they are Parquet.
        failed: the same for dead letters.
        whole: takes both collections, for a report of all.

    Raises:
        CkptmapError: Beam does not know the runner or an option, the pipeline fails, or the runner does not count.
    """
    with _beam_errors():
        told = PipelineOptions(list(options), runner=runner or _IN_PROCESS)
        pipeline = beam.Pipeline(options=told)
    found = pipeline | "Paths" >> beam.Create(list(paths)) | transform
    for name, place in ((ROWS, rows), (FAILED, failed)):
        if place is not None:
            found[name] | f"Write {name}" >> _Written(place)
    if whole is not None:
        found | "Whole" >> whole
    with _beam_errors():
        result = pipeline.run()
        result.wait_until_finish()
    try:
        counters = result.metrics().query(MetricsFilter().with_namespace("ckptmap"))["counters"]
    except NotImplementedError as error:
        raise CkptmapError("the pipeline has ended, but this runner counts nothing", hint=_UNCOUNTED) from error
    return {one.key.metric.name: int(one.result) for one in counters}


@contextmanager
def _beam_errors() -> Iterator[None]:
    """What Beam says of its runners and options, and of a pipeline that fails, in one line."""
    try:
        yield
    except CkptmapError:
        raise
    except (ValueError, RuntimeError, ImportError, OSError) as error:
        *_, line = str(error).strip().splitlines() or [type(error).__name__]
        raise CkptmapError(f"Beam does not run this: {line}") from error


class _Written(beam.PTransform):  # type: ignore[misc]
    """Typed rows go to files whose names begin with ``place``; its ending says the format."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place

    def expand(self, rows: Any) -> Any:
        plain = rows | "Plain" >> beam.Map(lambda row: row._asdict())
        if self._place.endswith(_PARQUET):
            prefix = self._place.removesuffix(_PARQUET)
            return plain | beam.io.WriteToParquet(prefix, _columns(rows.element_type), file_name_suffix=_PARQUET)
        prefix = self._place.removesuffix(_LINES)
        return plain | "Text" >> beam.Map(json.dumps) | beam.io.WriteToText(prefix, file_name_suffix=_LINES)


def _columns(row: Any) -> Any:
    """The columns of Parquet for a typed row."""
    from apache_beam.typehints.arrow_type_compatibility import arrow_schema_from_beam_schema
    from apache_beam.typehints.schemas import named_tuple_to_schema

    return arrow_schema_from_beam_schema(named_tuple_to_schema(row))
