from pathlib import Path

import pytest

import ckptmap
from benchmarks import planning, reading
from benchmarks.bars import bars
from benchmarks.data import LEAVES, Case, Models, files_in, make
from benchmarks.measure import Measured, Result, measure
from benchmarks.plot import plot, plot_growth
from benchmarks.results import markdown
from benchmarks.works import (
    COPY,
    CORES,
    CP,
    DIFF,
    EXPORT,
    GUIDE,
    HELP,
    JOBS,
    LINK,
    ONE_JOB,
    OWN_EXPORT,
    READ,
    REFLINK,
    SUGGEST,
    SYNC,
    Means,
    Work,
    clones,
    works,
)  # fmt: skip

GB = Case("1 GB", 10**9, 1000)
FEW, MANY = Case("30,000 variables", 1, 30_000), Case("300,000 variables", 1, 300_000)


@pytest.mark.parametrize("sparse", [False, True])
def test_the_checkpoints_are_whole(tmp_path: Path, sparse: bool) -> None:
    files = make(Case("small", 4000, 10, sparse, rules=3), tmp_path)
    report = ckptmap.convert(files.source, to=files.template, table=files.table, output=tmp_path / "output")
    assert report["summary"]["restored"] == 10
    assert report["output"]["verified"] == 11
    assert files.data.read_bytes() == files.copy.read_bytes()
    assert any(files.data.read_bytes()) is not sparse
    assert len(files.table.read_text().splitlines()) == 2 + 3


def test_the_plan_alone_is_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = make(Case("small", 4000, 10, sparse=True), tmp_path)
    planning.main(str(files.source), str(files.template), str(files.table))
    assert 0 < float(capsys.readouterr().out) < 60


def test_reading_alone_is_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = make(Case("small", 4000, 10), tmp_path)
    reading.main(str(files.source))
    assert 0 < float(capsys.readouterr().out) < 60


def test_clones_are_measured_where_files_can_be_cloned(tmp_path: Path) -> None:
    case = Case("small", 4000, 10)
    files = [make(case, tmp_path)]
    named = [[work.name for work in works(case, files, tmp_path, Means(False, can))] for can in (False, True)]
    assert named[1] == [*named[0][:6], REFLINK, *named[0][6:]]
    assert [work.name for work in clones(case, files, tmp_path)] == [REFLINK]


def result(name: str, *seconds: float, peak: float = 50.4, base: bool = False, case: Case = GB) -> Result:
    return Result(case, Work("convert", name, (), base), Measured(seconds, peak))


def test_a_table_for_each_question() -> None:
    results = [result("ckptmap", 1.0, 3.0, 2.0), result(CP, 4.0, peak=2, base=True)]
    text = markdown(results, tuple(bars(results)), "a machine", "python -m benchmarks")
    assert "## 1 GB: convert\n\n1,000 MB in 1,000 variables.\n" in text
    assert "| ckptmap | 2.000 | 1.000 … 3.000 | 3 | 0.50 | 50 |" in text
    assert "| *cp* | 4.000 | 4.000 … 4.000 | 1 | 1.00 | 2 |" in text


def test_the_plot_shows_each_question_and_is_the_same_every_time(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the [benchmarks] extra")
    results = [result("ckptmap", 1.0, 3.0, 2.0), result(CP, 4.0, peak=2, base=True)]
    plot(results, tmp_path / "one.svg")
    plot(results, tmp_path / "other.svg")
    assert "1 GB: ckptmap" in (tmp_path / "one.svg").read_text()
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_the_growth_is_drawn_against_variables_and_size(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the [benchmarks] extra")
    many = Case("many", 4_000_000, 10_000, sparse=True, rules=200)
    plot_growth([result(LINK, 1.0), result(CP, 0.5), result(LINK, 2.0, case=many)], tmp_path / "growth.svg")
    text = (tmp_path / "growth.svg").read_text()
    assert [word for word in ("data link", "<!-- cp -->", "then sync") if word in text] == ["data link", "<!-- cp -->"]


def test_a_draft_is_measured_alone(tmp_path: Path) -> None:
    case = Case("draft", 800, 20, sparse=True, rules=2, leaves=LEAVES)
    files = make(case, tmp_path)
    assert [work.name for work in works(case, [files], tmp_path, Means(False, clones=False))] == [SUGGEST]
    report = ckptmap.convert(files.source, to=files.template, table=files.table, output=tmp_path / "output")
    assert report["summary"]["restored"] == 20


def test_an_export_is_held_against_the_exporter_of_the_api(tmp_path: Path) -> None:
    case = Case("a detector", 354_836, 324, models=Models.DETECTOR)
    files = [files_in(tmp_path)]
    assert [work.name for work in works(case, files, tmp_path, Means(True, clones=True))] == [EXPORT, OWN_EXPORT]
    for seconds, verdict in ((11.9, "holds"), (12.1, "**missed**")):
        found = bars([result(EXPORT, seconds, case=case), result(OWN_EXPORT, 10.0, case=case)])
        assert [bar.verdict for bar in found if bar.what == "export, a detector"] == [verdict]


def test_jobs_are_held_against_one_job() -> None:
    case = Case("100 checkpoints", 1_000_000, 350, copies=100)
    fast, slow = 4.0 / (0.8 * CORES) * 0.99, 4.0 / (0.8 * CORES) * 1.01
    for seconds, verdict in ((fast, "holds"), (slow, "**missed**")):
        found = bars([result(ONE_JOB, 4.0, case=case), result(JOBS, seconds, case=case)])
        assert [bar.verdict for bar in found if bar.what.startswith("100 checkpoints")] == [verdict]


def test_bars_hold_or_are_missed() -> None:
    results = [
        result(LINK, 0.2), result(READ, 0.5), result(SYNC, 1.0), result(COPY, 1.8), result(GUIDE, 21.0, peak=1000),
        result(HELP, 0.1), result(LINK, 1.0, case=FEW), result(LINK, 10.5, peak=150, case=MANY),
    ]  # fmt: skip
    found = {bar.what: (bar.limit, bar.measured, bar.verdict) for bar in bars(results)}
    guide = "1 GB by the guide's recipe takes longer than convert"
    assert found["convert, reflink, 10 GB"] == ("≤ 2 × ckptmap --help", "not measured", "")
    assert found["convert, link, 1 GB"][:2] == ("≤ 2 × ckptmap --help", "0.200 s; 2 × ckptmap --help is 0.200 s")
    assert found["convert, copy, 1 GB"] == (
        "≤ 1.15 × cp, then sync + 0.25 s", "1.800 s; 1.15 × cp, then sync + 0.25 s is 1.400 s", "**missed**"
    )  # fmt: skip
    assert found["convert, link: 300,000 variables to 30,000"] == ("≤ 12 ×", "10.5 ×", "holds")
    assert found["memory of convert, link, 10 GB"] == ("≤ 30 MB", "not measured", "")
    assert found[f"{guide}, link"] == ("≥ 100 ×", "105 ×", "holds")
    assert found[f"{guide}, copy"] == ("≥ 10 ×", "12 ×", "holds")
    assert found["memory of convert, link, 1 GB, of that of the guide's recipe"][1:] == ("5.0%", "holds")
    assert found["every value read and compared, 1 GB, warm"][1:] == ("2.00 GB/s", "holds")
    assert found["object graph of 300,000 variables, 44 MB"] == ("read and written", "not measured", "")
    assert len(found) == 27


@pytest.mark.parametrize(("name", "verdict"), [(LINK, "holds"), (DIFF, "**missed**")])
def test_a_large_object_graph_is_read_and_written_or_the_bar_is_missed(name: str, verdict: str) -> None:
    found = bars([result(HELP, 0.1, case=MANY), result(name, 20.0, case=MANY)])
    assert [bar.verdict for bar in found if bar.what.startswith("object graph")] == [verdict]


def test_every_work_of_a_case(tmp_path: Path) -> None:
    files = make(Case("small", 4000, 10), tmp_path)
    case = Case("1,500 variables", 10**9, 1500)
    names = [work.name for work in works(case, [files], tmp_path / "output", Means(tensorflow=True, clones=True))]
    assert names == [
        "ckptmap --help", "import numpy", "ckptmap convert --dry-run", "the plan alone", "ckptmap convert --data link",
        "ckptmap edit --data link",
        "ckptmap convert --data reflink", "ckptmap convert --data link --verify-data", "ckptmap convert --data copy",
        "every value read, its checksum compared", "cp", "cp, then sync",
        "the TensorFlow guide's recipe", "ckptmap diff", "cmp", "ckptmap inspect", "tf.train.list_variables",
    ]  # fmt: skip
    assert "tf.train.list_variables" not in [
        work.name for work in works(GB, [files], tmp_path / "output", Means(tensorflow=True, clones=False))
    ]
    many, means = [files, files], Means(tensorflow=True, clones=True)
    assert [work.group for work in works(GB, many, tmp_path / "output", means)] == ["average"]
    small = Case("20 checkpoints", 4000, 10, copies=2)
    assert [work.group for work in works(small, many, tmp_path / "output", means)] == ["average", *["convert all"] * 3]


@pytest.mark.parametrize("tells", [False, True])
def test_a_command_is_run_once_more_than_it_counts(tmp_path: Path, tells: bool) -> None:
    command = ("sh", "-c", f"echo x >> {tmp_path}/runs; mkdir {tmp_path}/output; echo 0.25")
    measured = measure(Work("g", "n", command, tells=tells), tmp_path / "output", 3)
    assert (tmp_path / "runs").read_text() == "x\n" * 4
    assert len(measured.seconds) == 3
    assert (measured.median == 0.25) is tells
    with pytest.raises(RuntimeError, match="oh dear"):
        measure(Work("g", "n", ("sh", "-c", "echo oh dear; exit 3")), tmp_path / "output", 1)
