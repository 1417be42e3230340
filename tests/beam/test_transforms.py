"""A fleet on Beam's in-process runner: every good checkpoint once, every bad one a dead letter."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

beam = pytest.importorskip("apache_beam", reason="Beam has an environment of its own: see docs/fleets.md")

from apache_beam.runners.portability.fn_api_runner import FnApiRunner  # noqa: E402
from apache_beam.testing.util import assert_that, equal_to  # noqa: E402
from pyarrow import parquet  # noqa: E402

import ckptmap  # noqa: E402
from ckptmap.beam import (  # noqa: E402
    AuditCheckpoints,
    Audited,
    Catalogued,
    Compared,
    ConvertCheckpoints,
    Converted,
    DiffCheckpoints,
    Failed,
    Held,
    InspectCheckpoints,
    ReadInventories,
)
from ckptmap.beam.pipelines import _columns  # noqa: E402
from ckptmap.cli import main  # noqa: E402
from tests.stores import emptied  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")
FIXTURES = Path(__file__).parents[2] / "fixtures"
KINDS = ("ssd_mobilenet_v2_tiny", "ssd_mobilenet_v2_depthwise", "ssd_mobilenet_v2_training")


IN_PROCESS = ("--runner=FnApiRunner",)


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


def in_processes(workers: int) -> tuple[str, ...]:
    """Beam's options for its in-process runner with so many processes."""
    return ("--runner=FnApiRunner", f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing")


def run(
    paths: list[str], transform: Any, rows: list[Any], letters: list[Any], options: tuple[str, ...] = IN_PROCESS
) -> dict[str, int]:
    """The counters; the pipeline itself checks what it gives."""
    pipeline = beam.Pipeline(options=beam.options.pipeline_options.PipelineOptions(list(options)))
    found = pipeline | beam.Create(paths) | transform
    assert_that(found["rows"] | beam.Map(lambda row: (row.path, getattr(row, "fate", ""))), equal_to(rows), "rows")
    assert_that(found["failed"] | "Path" >> beam.Map(lambda row: row.path), equal_to(letters), "letters")
    told = pipeline.run()
    told.wait_until_finish()
    counters = told.metrics().query(beam.metrics.MetricsFilter().with_namespace("ckptmap"))["counters"]
    return {one.key.metric.name: one.result for one in counters}


def convert_twice(tmp_path: Path, count: int, options: tuple[str, ...]) -> None:
    paths, bad = make_fleet(tmp_path / "fleet", count)
    good = [path for path in paths if path not in bad]
    convert = ConvertCheckpoints(output=str(tmp_path / "new"), below=str(tmp_path / "fleet"))
    told = run(paths, convert, [(path, "converted") for path in good], sorted(bad), options)
    assert (told["converted"], told["failed"]) == (len(good), len(bad))
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert sum(path.name == "ckpt-0.index" for path in made) == len(good)
    told = run(paths, convert, [(path, "kept") for path in good], sorted(bad), options)
    assert (told["kept"], told["failed"], "converted" in told) == (len(good), len(bad), False)
    assert made == {path: path.stat().st_mtime_ns for path in (tmp_path / "new").rglob("*") if path.is_file()}


def test_every_good_one_is_converted_once_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    convert_twice(tmp_path, 12, IN_PROCESS)


@pytest.mark.matrix
@pytest.mark.parametrize(("count", "options"), [(200, IN_PROCESS), (2000, in_processes(2))])
def test_a_large_fleet(tmp_path: Path, count: int, options: tuple[str, ...]) -> None:
    convert_twice(tmp_path, count, options)


@pytest.fixture
def job_service(tmp_path: Path) -> Iterator[str]:
    """Beam's own job service in a process of its own: where it listens."""
    port = tmp_path / "port"
    service = [sys.executable, "-m", "apache_beam.runners.portability.local_job_service_main", "--port_file", str(port)]
    with (tmp_path / "service.log").open("wb") as log, subprocess.Popen(service, stdout=log, stderr=log) as process:
        try:
            for _ in range(300):
                if port.exists():
                    break
                time.sleep(0.2)
            yield f"localhost:{port.read_text()}"
        finally:
            process.terminate()


@pytest.mark.matrix
def test_a_fleet_on_the_portable_runner(tmp_path: Path, job_service: str) -> None:
    options = ("--runner=PortableRunner", f"--job_endpoint={job_service}", "--environment_type=LOOPBACK")
    convert_twice(tmp_path, 108, options)


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


def rows_of(transform: Any, *given: Any) -> list[Any]:
    """What the work of one transform gives, as a worker does it."""
    dofn = transform._dofn()
    dofn.setup()
    return [row for one in given for row in dofn.process(one)]


def test_rows_of_variables() -> None:
    rows = rows_of(ReadInventories(), str(FIXTURES / KINDS[0]))
    name = "BoxPredictor_0/BoxEncodingPredictor/weights"
    assert (len(rows), sum(row.bytes for row in rows)) == (325, 354836)
    assert [row for row in rows if row.name == name] == [
        Held(str(FIXTURES / KINDS[0]), name, "float32", (1, 1, 96, 12), 4608)
    ]


def test_audits_and_differences_are_rows(tmp_path: Path) -> None:
    old = str(FIXTURES / KINDS[0])
    ckptmap.convert(old, output=tmp_path / "new")
    good, bad = rows_of(AuditCheckpoints(to="ssd_mobilenet_v2", num_classes=3), str(tmp_path / "new"), old)
    assert (good.passed, good.missing, good.restored_share) == (True, 0, 1.0)
    assert (bad.passed, bad.loads, bad.unused) == (False, False, 325)
    assert json.loads(good.document)["schema"] == "ckptmap.audit/1"
    same, other = rows_of(DiffCheckpoints(values=False), (old, old), (old, str(FIXTURES / KINDS[1])))
    assert (same.equal, other.equal, other.only_in_b, other.shape) == (True, False, 20, 16)
    (letter,) = rows_of(DiffCheckpoints(), (old, str(tmp_path / "none")))
    assert letter.value.path == f"{old} {tmp_path / 'none'}"


@pytest.mark.parametrize(("transform", "given", "counters"), [
    (ReadInventories(), str(FIXTURES / KINDS[0]), {"variables": 325, "bytes": 354836}),
    (AuditCheckpoints(to="ssd_mobilenet_v2"), str(FIXTURES / KINDS[0]), {"findings": 1, "bytes": 354836}),
    (DiffCheckpoints(), (str(FIXTURES / KINDS[0]),) * 2, {"equal": 1, "bytes": 2 * 354836}),
])  # fmt: skip
def test_rows_have_a_schema_that_beam_knows(transform: Any, given: Any, counters: dict[str, int]) -> None:
    pipeline = beam.Pipeline(options=beam.options.pipeline_options.PipelineOptions(["--runner=FnApiRunner"]))
    found = pipeline | beam.Create([given]) | transform
    assert found["rows"].element_type is transform._row
    asked = found["rows"] | beam.Map(lambda row: beam.Row(size=row.bytes)) | beam.Select("size")
    assert asked is not None
    told = pipeline.run()
    told.wait_until_finish()
    kept = told.metrics().query(beam.metrics.MetricsFilter().with_namespace("ckptmap"))["counters"]
    assert {one.key.metric.name: one.result for one in kept} == counters


@pytest.mark.parametrize("row", [Audited, Catalogued, Compared, Converted, Failed, Held])
def test_every_row_is_columns_of_a_file_format(row: Any) -> None:
    kinds = {name: str(kind) for name, kind in zip(_columns(row).names, _columns(row).types, strict=True)}
    assert set(kinds) == set(row._fields)
    assert set(kinds.values()) <= {"string", "int64", "double", "bool", "list<: int64 not null>"}
    assert all(kinds.get(name, "int64") == "int64" for name in ("bytes", "step", "classes", "variables", "missing"))


def test_transforms_are_small_to_send() -> None:
    convert = ConvertCheckpoints(to="ssd_mobilenet_v2", output="s3://bucket/new", below="s3://bucket/old")
    for transform in (convert, AuditCheckpoints(to="ssd_mobilenet_v2"), DiffCheckpoints(), ReadInventories()):
        assert len(pickle.dumps(transform._dofn())) < 2000


def test_a_fleet_in_a_store_goes_to_the_store() -> None:
    with emptied() as store:
        for name in ("a", "b"):
            for path in (FIXTURES / KINDS[0]).iterdir():
                store().pipe_file(f"store://bucket/old/{name}/{path.name}", path.read_bytes())
        convert = ConvertCheckpoints(output="store://bucket/new", below="store://bucket/old")
        paths = [f"store://bucket/old/{name}" for name in ("a", "b", "none")]
        good, again = (rows_of(convert, *paths) for _ in range(2))
        assert [getattr(row, "fate", "failed") for row in good] == ["converted", "converted", "failed"]
        assert [getattr(row, "fate", "failed") for row in again] == ["kept", "kept", "failed"]
        assert good[1].checkpoint == "store://bucket/new/b/ckpt-0"
        (letter,) = rows_of(convert, "store://bucket/old/../x")
        assert "is not below" in letter.value.message


@pytest.mark.parametrize("when", [("write", "ckpt-0.data-00000-of-00002"), ("write", "ckpt-0.index")])
def test_two_workers_that_write_one_output_at_the_same_moment(when: tuple[str, str]) -> None:
    with emptied() as store:
        for path in (FIXTURES / KINDS[0]).iterdir():
            store().pipe_file(f"store://bucket/old/a/{path.name}", path.read_bytes())
        convert = ConvertCheckpoints(output="store://bucket/new", below="store://bucket/old", wait=1)
        other: list[Any] = []

        def beside(kind: str, name: str) -> None:
            if (kind, name) == when and not other:
                other.append(None)
                other[:] = rows_of(convert, "store://bucket/old/a")

        store.before = beside
        rows = rows_of(convert, "store://bucket/old/a")
        store.before = None
        assert [row.fate for row in [*rows, *other]] == ["converted", "converted"]
        assert sorted(name.rpartition("/")[2] for name in store().ls("store://bucket/new/a", detail=False)) == [
            "checkpoint",
            "ckpt-0.data-00000-of-00002",
            "ckpt-0.data-00001-of-00002",
            "ckpt-0.index",
            "report.json",
        ]
        (kept,) = rows_of(convert, "store://bucket/old/a")
        assert kept.fate == "kept"
        with ckptmap.open_checkpoint("store://bucket/new/a") as new:
            assert all(new.read(name).size for name in new)


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_the_command_line_runs_the_pipelines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths, bad = make_fleet(tmp_path / "fleet", 8)
    (tmp_path / "list.txt").write_text("\n".join(sorted(paths)))
    new, failed = str(tmp_path / "new"), str(tmp_path / "failed")
    assert command("fleet", "convert", "--batch", str(tmp_path / "list.txt"), "-o", new, "--failed", failed) == 2
    assert capsys.readouterr().out.splitlines()[1:] == ["converted: 7", "failed: 1"]
    (letter,) = (tmp_path / "failed-00000-of-00001.jsonl").read_text().splitlines()
    assert json.loads(letter)["path"] in bad
    rows = str(tmp_path / "rows")
    assert command("fleet", "audit", new, "--to", "ssd_mobilenet_v2", "--rows", rows, "--json") == 0
    assert json.loads(capsys.readouterr().out)["passed"] == 7
    found = [json.loads(line) for file in tmp_path.glob("rows-*.jsonl") for line in file.read_text().splitlines()]
    assert sorted(row["path"] for row in found) == sorted(str(place) for place in (tmp_path / "new").iterdir())
    assert command("fleet", "audit", paths[0], "--to", "ssd_mobilenet_v2", "--", "--direct_num_workers=1") == 1
    assert command("fleet", "audit", "--to", "ssd_mobilenet_v2") == 2


def test_a_failure_without_a_file_for_it_says_how_to_learn_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.index").write_bytes(b"damaged")
    assert command("fleet", "convert", str(tmp_path / "a.index"), "-o", str(tmp_path / "new")) == 2
    shown = capsys.readouterr()
    assert shown.out == "failed: 1\n"
    assert "the errors are not kept: run it again with --failed PREFIX" in shown.err


def test_a_target_that_nobody_knows_is_told_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = str(FIXTURES / KINDS[0])
    assert command("fleet", "audit", old) == 2
    assert "--to: name the model, or a TF2 checkpoint of it" in capsys.readouterr().err
    assert command("fleet", "convert", old, "--to", "ssd_mobilenetv2", "-o", str(tmp_path / "new")) == 2
    assert "nearest: ssd_mobilenet_v2" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_catalogue_by_beam_is_the_one_made_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_fleet(tmp_path / "fleet", 8)
    fleet, here, there = (str(tmp_path / name) for name in ("fleet", "here.csv", "there.csv"))
    assert command("fleet", "inspect", fleet, "-q", "-o", here) == 1
    rows, failed = tmp_path / "rows.parquet", str(tmp_path / "failed.jsonl")
    told = ("--runner", "FnApiRunner", "--rows", str(rows), "--failed", failed, "-o", there, "--json")
    assert command("fleet", "inspect", fleet, *told, "-o", str(tmp_path / "there.html")) == 1
    assert json.loads(capsys.readouterr().out) == {"bytes": 5253980, "failed": 1, "inspected": 7}
    assert Path(there).read_text() == Path(here).read_text()
    assert "ssd_mobilenet_v2" in (tmp_path / "there.html").read_text()
    table = parquet.read_table(tmp_path / "rows-00000-of-00001.parquet")
    assert sorted(row["step"] for row in table.to_pylist()) == [0, 0, 0, 0, 0, 3, 3]
    (letter,) = (tmp_path / "failed-00000-of-00001.jsonl").read_text().splitlines()
    assert json.loads(letter)["path"] == str(tmp_path / "fleet" / "0007")
    assert command("fleet", "inspect", fleet, "--runner", "FnApiRunner", "--jobs", "2") == 2
    assert command("fleet", "inspect", fleet, "--runner", "FnApiRunner", "--format", "csv") == 2
    assert capsys.readouterr().out == ""


class CountsNothing(FnApiRunner):
    """A runner whose results have no counters, as Dask's."""

    def run_pipeline(self, pipeline: Any, options: Any) -> Any:
        result = super().run_pipeline(pipeline, options)

        def metrics() -> Any:
            raise NotImplementedError

        result.metrics = metrics
        return result


@pytest.mark.parametrize(("options", "says"), [
    (("--runner", "Nonsense"), "Beam does not run this: Unexpected pipeline runner: Nonsense"),
    (("--runner", "PortableRunner"), "You must specify a --job_endpoint"),
    (("--runner", f"{__name__}.CountsNothing"), "this runner counts nothing (what failed is in the dead-letter files)"),
    (("--table", "none.yaml"), "none.yaml"),
])  # fmt: skip
def test_what_beam_refuses_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], says: str
) -> None:
    fleet = make_fleet(tmp_path / "fleet", 1)[0][0]
    assert command("fleet", "convert", fleet, "-o", str(tmp_path / "new"), *options) == 2
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = [line for line in told.err.splitlines() if says in line]
    assert "Traceback" not in told.err
    assert len(line) < 600
