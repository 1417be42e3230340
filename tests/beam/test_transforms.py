"""A fleet on Beam's in-process runner: every good checkpoint once, every bad one a dead letter."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

beam = pytest.importorskip("apache_beam", reason="Beam has an environment of its own: see docs/fleets.md")

from apache_beam.testing.util import assert_that, equal_to  # noqa: E402

from ckptmap.beam import ConvertCheckpoints, InspectCheckpoints  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")
FIXTURES = Path(__file__).parents[2] / "fixtures"
KINDS = ("ssd_mobilenet_v2_tiny", "ssd_mobilenet_v2_depthwise", "ssd_mobilenet_v2_training")


def make_fleet(folder: Path, count: int) -> tuple[list[str], set[str]]:
    """``count`` checkpoints of the fixtures' kinds, each hundredth cut off; their paths, and the bad ones."""
    paths, bad = [], set()
    for number in range(count):
        place = folder / f"{number:04}"
        shutil.copytree(FIXTURES / KINDS[number % len(KINDS)], place)
        paths.append(str(place))
        if number % 100 == 7:
            bad.add(str(place))
            for data in place.glob("*.data-*"):
                data.write_bytes(data.read_bytes()[:-9])
    return paths, bad


def run(paths: list[str], transform: Any, rows: list[Any], letters: list[Any], workers: int = 1) -> dict[str, int]:
    """The counters; the pipeline itself checks what it gives."""
    mode = "in_memory" if workers == 1 else "multi_processing"
    options = beam.options.pipeline_options.PipelineOptions(
        ["--runner=FnApiRunner", f"--direct_num_workers={workers}", f"--direct_running_mode={mode}"]
    )
    pipeline = beam.Pipeline(options=options)
    found = pipeline | beam.Create(paths) | transform
    assert_that(found["rows"] | beam.Map(lambda row: (row.path, getattr(row, "fate", ""))), equal_to(rows), "rows")
    assert_that(found["failed"] | "Path" >> beam.Map(lambda row: row.path), equal_to(letters), "letters")
    told = pipeline.run()
    told.wait_until_finish()
    counters = told.metrics().query(beam.metrics.MetricsFilter().with_namespace("ckptmap"))["counters"]
    return {one.key.metric.name: one.result for one in counters}


def convert_twice(tmp_path: Path, count: int, workers: int) -> None:
    paths, bad = make_fleet(tmp_path / "fleet", count)
    good = [path for path in paths if path not in bad]
    convert = ConvertCheckpoints(output=str(tmp_path / "new"), below=str(tmp_path / "fleet"))
    told = run(paths, convert, [(path, "converted") for path in good], sorted(bad), workers)
    assert (told["converted"], told["failed"]) == (len(good), len(bad))
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert sum(path.name == "ckpt-0.index" for path in made) == len(good)
    told = run(paths, convert, [(path, "kept") for path in good], sorted(bad), workers)
    assert (told["kept"], told["failed"], "converted" in told) == (len(good), len(bad), False)
    assert made == {path: path.stat().st_mtime_ns for path in (tmp_path / "new").rglob("*") if path.is_file()}


def test_every_good_one_is_converted_once_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    convert_twice(tmp_path, 12, 1)


@pytest.mark.matrix
@pytest.mark.parametrize(("count", "workers"), [(200, 1), (2000, 2)])
def test_a_large_fleet(tmp_path: Path, count: int, workers: int) -> None:
    convert_twice(tmp_path, count, workers)


def test_one_path_that_comes_thrice_is_converted_once(tmp_path: Path) -> None:
    paths, _ = make_fleet(tmp_path / "fleet", 1)
    convert = ConvertCheckpoints(output=str(tmp_path / "new"), below=str(tmp_path / "fleet"))
    run(paths * 3, convert, [(paths[0], "converted"), (paths[0], "kept"), (paths[0], "kept")], [])


def test_rows_of_the_catalogue_have_types_and_bad_ones_are_dead_letters(tmp_path: Path) -> None:
    paths, bad = make_fleet(tmp_path / "fleet", 9)
    good = [(path, "") for path in paths if path not in bad]
    told = run([*paths, str(tmp_path / "none")], InspectCheckpoints(), good, [*bad, str(tmp_path / "none")])
    assert (told["inspected"], told["failed"]) == (8, 2)


def test_a_dead_letter_has_the_whole_error(tmp_path: Path) -> None:
    convert = ConvertCheckpoints(output=str(tmp_path / "new"), below="elsewhere")
    dofn = convert._dofn()
    dofn.setup()
    (letter,) = dofn.process(str(tmp_path / "none"))
    assert json.loads(letter.value.document)["error"]["message"] == "is not below elsewhere"
