"""Whole pipelines: checkpoints through one transform, rows and dead letters to files, and the counters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions

from ckptmap.beam.transforms import FAILED, ROWS

_IN_PROCESS = "FnApiRunner"


def run(
    paths: Sequence[str],
    transform: beam.PTransform,
    *,
    runner: str | None = None,
    options: Sequence[str] = (),
    rows: str | None = None,
    failed: str | None = None,
) -> dict[str, int]:
    """Runs the pipeline to its end, and returns the counters.

    Args:
        paths: the checkpoints.
        transform: what becomes of them: one of ``ckptmap.beam``.
        runner: of Beam; None: the one in this process.
        options: Beam's own, as on a command line.
        rows: what the files of rows are called, a line of JSON each; they end with ``.jsonl``.
        failed: the same for dead letters.
    """
    told = PipelineOptions(list(options), runner=runner or _IN_PROCESS)
    pipeline = beam.Pipeline(options=told)
    found = pipeline | "Paths" >> beam.Create(list(paths)) | transform
    for name, place in ((ROWS, rows), (FAILED, failed)):
        if place is not None:
            lines = found[name] | f"Text of {name}" >> beam.Map(_line)
            lines | f"Write {name}" >> beam.io.WriteToText(place, file_name_suffix=".jsonl")
    result = pipeline.run()
    result.wait_until_finish()
    counters = result.metrics().query(MetricsFilter().with_namespace("ckptmap"))["counters"]
    return {one.key.metric.name: int(one.result) for one in counters}


def _line(row: Any) -> str:
    return json.dumps(row._asdict())
