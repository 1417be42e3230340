from pathlib import Path

import pytest

import ckptmap
from benchmarks.data import Case, make
from benchmarks.measure import Measured
from benchmarks.results import Result, markdown, plot
from benchmarks.works import Work


@pytest.mark.parametrize("sparse", [False, True])
def test_the_checkpoints_are_whole(tmp_path: Path, sparse: bool) -> None:
    files = make(Case("small", 4000, 10, sparse), tmp_path)
    report = ckptmap.convert(files.source, to=files.template, table=files.table, output=tmp_path / "output")
    assert report["summary"]["restored"] == 10
    assert report["output"]["verified"] == 11
    assert files.data.read_bytes() == files.copy.read_bytes()
    assert any(files.data.read_bytes()) is not sparse


def test_a_table_for_each_question() -> None:
    case = Case("1 GB", 10**9, 1000)
    results = [
        Result(case, Work("convert", "ckptmap", ()), Measured((1.0, 3.0, 2.0), 50.4)),
        Result(case, Work("convert", "cp", (), base=True), Measured((4.0,), 2.0)),
    ]
    text = markdown(results, "a machine", "python -m benchmarks", 3)
    assert "## 1 GB, 1,000 variables: convert" in text
    assert "| ckptmap | 2.000 | 1.000 … 3.000 | 0.50 | 50 |" in text
    assert "| *cp* | 4.000 | 4.000 … 4.000 | 1.00 | 2 |" in text
    assert plot(results).count("<rect") == 3
