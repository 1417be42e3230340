"""Many checkpoints at once: what each becomes, what the report says, and that they do not get in each other's way."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import ckptmap
from ckptmap.basics.errors import CkptmapError, OutputError, TargetError
from ckptmap.report.formats import Format, render
from ckptmap.report.sheets import schema_file, sheet_of
from ckptmap.request.batch_list import output_names, read_list
from tests.convert.conftest import tf1_values, values, write_tf1

TINY = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_tiny"


def check(document: dict[str, Any]) -> None:
    schema = json.loads(schema_file("ckptmap.batch/1").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(document)))


def state(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    """Four checkpoints: two of one layout, one that a variable is left over of, one that is cut off."""
    old = tmp_path / "zoo"
    write_tf1(old / "a" / "model.ckpt", tf1_values())
    write_tf1(old / "b" / "model.ckpt", {name: value + 1 for name, value in tf1_values().items()})
    write_tf1(old / "left" / "model.ckpt", {**tf1_values(), "other/scale": values((2,))})
    data = write_tf1(old / "cut" / "model.ckpt", tf1_values()).with_name("model.ckpt.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-4])
    return old


@pytest.fixture
def sources(zoo: Path) -> list[Path]:
    return [zoo / name / "model.ckpt" for name in ("a", "b", "left", "cut", "none")]


def test_a_list_of_deep_paths_is_gone_through_once() -> None:
    """Each of two paths with a hundred thousand folders: every folder above them would be ten gigabytes of names."""
    deep = "a/" * 100_000
    assert output_names([f"{deep}x", f"{deep}y"]) == ["x", "y"]
    with pytest.raises(OutputError, match="so its output would be, too"):
        output_names([f"{deep}x/y", f"{deep}x", f"{deep}w", f"{deep}x-"])


@pytest.mark.parametrize("jobs", [1, 3])
def test_each_has_its_fate_and_none_stops_the_others(
    zoo: Path, sources: list[Path], template: Path, table: Path, tmp_path: Path, jobs: int
) -> None:
    before = state(zoo)
    seen: list[tuple[int, int]] = []
    report = ckptmap.convert_many(
        sources,
        to=template,
        table=table,
        output=tmp_path / "new",
        jobs=jobs,
        progress=lambda done, total: seen.append((done, total)),
    )
    check(report)
    assert state(zoo) == before
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    found = [(one["fate"], one["exit_code"]) for one in report["conversions"]]
    assert found == [("converted", 0), ("converted", 0), ("findings", 1), ("failed", 2), ("failed", 2)]
    assert report["summary"] == {"converted": 2, "kept": 0, "planned": 0, "findings": 1, "failed": 2}
    assert (report["exit_code"], report["jobs"], report["plans"]) == (2, jobs, 2)
    assert json.loads((tmp_path / "new" / "batch.json").read_text()) == report
    left = {"checkpoint", "ckpt-0.data-00000-of-00001", "ckpt-0.index", "report.json"}
    made = [f"{name}/model.ckpt/{file}" for name in "ab" for file in left]
    assert files(tmp_path / "new") == sorted(["a", "a/model.ckpt", "b", "b/model.ckpt", "batch.json", *made])
    assert report["conversions"][1] == {
        "source": str(zoo / "b" / "model.ckpt"),
        "fate": "converted",
        "exit_code": 0,
        "checkpoint": str(tmp_path / "new" / "b" / "model.ckpt" / "ckpt-0"),
        "report": str(tmp_path / "new" / "b" / "model.ckpt" / "report.json"),
        "bytes": 344,  # 84 values of 4 bytes, and the save counter
        "data": report["conversions"][1]["data"],  # a clone, where the file system can
        "summary": {
            "restored": 6, "partly restored": 0, "reinitialized": 0, "missing": 0,
            "mapped": 6, "superseded": 0, "dropped": 1, "unused": 0,
        },
        "findings": [],
        "notes": [],
        "error": None,
    }  # fmt: skip


def test_the_new_checkpoints_hold_the_values_of_their_own_source(
    sources: list[Path], template: Path, table: Path, tmp_path: Path
) -> None:
    ckptmap.convert_many(sources[:2], to=template, table=table, output=tmp_path / "new")
    for name, first in (("a", 10.0), ("b", 11.0)):
        with ckptmap.open_checkpoint(tmp_path / "new" / name / "model.ckpt") as checkpoint:
            kernel = checkpoint.read("model/backbone/layer-0/kernel/.ATTRIBUTES/VARIABLE_VALUE")
        assert kernel.flat[0] == first


def test_equal_layouts_share_a_plan(template: Path, table: Path, tmp_path: Path) -> None:
    paths = [write_tf1(tmp_path / "old" / f"{n}" / "m", tf1_values()) for n in range(6)]
    paths += [write_tf1(tmp_path / "old" / "without" / "m", {k: v for k, v in tf1_values().items() if k[0] != "g"})]
    report = ckptmap.convert_many(paths, to=template, table=table, output=None, jobs=4)
    assert report["summary"] == {"converted": 0, "kept": 0, "planned": 7, "findings": 0, "failed": 0}
    assert report["plans"] == 2
    assert [one["summary"]["dropped"] for one in report["conversions"]] == [1, 1, 1, 1, 1, 1, 0]
    assert files(tmp_path / "old").count("ckpt-0.index") == 0


def test_each_report_names_its_own_source(sources: list[Path], template: Path, table: Path, tmp_path: Path) -> None:
    report = ckptmap.convert_many(sources[:2], to=template, table=table, output=tmp_path / "new")
    assert report["plans"] == 1
    for one in report["conversions"]:
        assert json.loads(Path(one["report"]).read_text())["source"]["path"] == one["source"]


def test_a_target_that_is_none_stops_all_before_they_begin(sources: list[Path], tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no target is called 'ssd_mobilenet_v9'"):
        ckptmap.convert_many(sources, to="ssd_mobilenet_v9", output=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_where_nothing_comes_of_any_nothing_is_left(
    sources: list[Path], template: Path, table: Path, tmp_path: Path
) -> None:
    report = ckptmap.convert_many(sources[2:], to=template, table=table, output=tmp_path / "deep" / "new")
    assert report["summary"] == {"converted": 0, "kept": 0, "planned": 0, "findings": 1, "failed": 2}
    assert not (tmp_path / "deep").exists()


def test_what_nobody_foresaw_is_reported_too(
    sources: list[Path], template: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr("ckptmap.verbs.writing.stage_checkpoint", fail)
    report = ckptmap.convert_many(sources[:1], to=template, table=table, output=tmp_path / "new")
    error = {"message": "RuntimeError: out of luck", "where": str(sources[0]), "hint": None, "problems": []}
    assert report["conversions"][0]["error"] == error
    assert report["exit_code"] == 2


def test_every_format_renders_a_batch(sources: list[Path], template: Path, table: Path, tmp_path: Path) -> None:
    report = ckptmap.convert_many(sources, to=template, table=table, output=tmp_path / "new")
    sheet = sheet_of(report)
    assert not sheet.passed
    assert sheet.verdict == "2 of 5 checkpoints converted; 1 with findings; 2 failed"
    assert sheet.facts[2] == ("plans", "2 plans for 5 checkpoints")
    for form in Format:
        if form is not Format.PARQUET:
            assert b"model.ckpt" in render(report, form)
    lines = render(report, Format.CSV).decode().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [
        [str(path), fate]
        for path, fate in zip(sources, ("converted", "converted", "findings", "failed", "failed"), strict=True)
    ]
    junit = render(report, Format.JUNIT)
    assert (junit.count(b"<testcase"), junit.count(b"<failure")) == (5, 3)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["zoo/a/model.ckpt", "zoo/b/model.ckpt"], ["a/model.ckpt", "b/model.ckpt"]),
        (["zoo/a/model.ckpt", "zoo/a/model.ckpt-7"], ["model.ckpt", "model.ckpt-7"]),
        (["zoo/a", "zoo/b/", "more/c"], ["zoo/a", "zoo/b", "more/c"]),
        (["zoo/a/model.ckpt"], ["model.ckpt"]),
        (["zoo/a/.index", "zoo/b/m.ckpt.index", "zoo/c/m.data-00000-of-00001"], ["a", "b/m.ckpt", "c/m"]),
        (["gs://bucket/x/.index", "gs://bucket/y/m.meta"], ["x", "y/m"]),
        (["gs://bucket/x/a", "gs://bucket/x/y/b"], ["a", "y/b"]),
    ],
)
def test_outputs_are_named_below_what_all_share(given: list[str], names: list[str]) -> None:
    assert output_names(given) == names


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["zoo/a", "zoo/./a/"], "zoo/./a/: is given twice"),
        (["zoo/a/", "zoo/a/.index"], "zoo/a/.index: is given twice"),
        (["zoo", "zoo/a"], "zoo/a: is below zoo, so its output would be, too"),
    ],
)
def test_outputs_that_collide(given: list[str], message: str) -> None:
    with pytest.raises(OutputError, match=message):
        output_names(given)


@pytest.fixture
def listed(tmp_path: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir("/")
    yield tmp_path / "lists" / "list.txt"
    os.chdir(before)


def test_a_list_counts_from_its_own_folder(listed: Path) -> None:
    listed.parent.mkdir()
    listed.write_bytes("\ufeff# the zoo\r\n\r\na/model.ckpt\r\n  ../b # 2\r\n/c\r\ngs://bucket/d\r\n".encode())
    folder = listed.parent
    assert read_list(listed) == [f"{folder}/a/model.ckpt", f"{folder}/../b # 2", "/c", "gs://bucket/d"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"# none\n", r"names no checkpoint \(write one path a line\)"), (b"\xff", "cannot be read")],
)
def test_a_list_that_is_none(listed: Path, content: bytes, message: str) -> None:
    listed.parent.mkdir()
    listed.write_bytes(content)
    with pytest.raises(CkptmapError, match=message):
        read_list(listed)
    with pytest.raises(CkptmapError, match="cannot be read as a list"):
        read_list(listed.with_name("nowhere"))


def test_a_list_names_the_line_of_what_is_given_twice(listed: Path) -> None:
    (listed.parent / "models").mkdir(parents=True)
    listed.write_text("a/m.ckpt\n\n# again\na/./m.ckpt.index\n")
    with pytest.raises(CkptmapError) as twice:
        read_list(listed)
    given = listed.parent / "a" / "m.ckpt.index"
    assert str(twice.value) == f"{listed}:4: {given} is given twice: line 1 names it too (name each checkpoint once)"
    listed.write_text("b\nmodels/a/m.ckpt\n")
    folder = listed.parent / "models" / "a"
    with pytest.raises(CkptmapError) as beside:
        read_list(listed, [str(folder)])
    told = f"{folder / 'm.ckpt'} is given twice: {folder} is given beside the list"
    assert str(beside.value) == f"{listed}:2: {told} (leave it out of the list, or give the list alone)"
    assert len(read_list(listed, [str(listed.parent / "models" / "ab")])) == 2
    with pytest.raises(CkptmapError, match="give a folder of checkpoints as CHECKPOINT, not as the list"):
        read_list(listed.parent)
    with pytest.raises(CkptmapError, match=r"pipeline\.config: is a file of a model, not a list of checkpoints"):
        read_list(listed.with_name("pipeline.config"))


def test_a_pattern_has_to_choose_something_in_one_of_the_checkpoints(
    template: Path, table: Path, tmp_path: Path
) -> None:
    extra = {**tf1_values(), "other/scale": values((2,))}
    paths = [write_tf1(tmp_path / "old" / name / "m", tensors) for name, tensors in (("a", tf1_values()), ("b", extra))]
    found = ckptmap.convert_many(paths, to=template, table=table, output=None, allow_unused=["other"])
    check(found)
    assert (found["exit_code"], found["findings"], found["summary"]["planned"]) == (0, [], 2)
    found = ckptmap.convert_many(paths, to=template, table=table, output=None, allow_unused=["other", "othre/*"])
    check(found)
    assert (found["exit_code"], found["summary"]["planned"]) == (1, 2)
    assert found["findings"] == [
        {
            "message": "no variable matches allow_unused=['othre/*']",
            "where": None,
            "hint": 'nearest: "other"; * and ? stop at /, ** crosses it',
        }
    ]


def test_a_pattern_is_for_one_of_the_checkpoints_where_each_has_its_config(tmp_path: Path) -> None:
    for name in "ab":
        shutil.copytree(TINY, tmp_path / "zoo" / name)
    sources = sorted((tmp_path / "zoo").iterdir())
    found = ckptmap.convert_many(sources, output=None, allow_unused=["othre/*"])
    assert (found["exit_code"], found["summary"]["planned"]) == (1, 2)
    assert [one["message"] for one in found["findings"]] == ["no variable matches allow_unused=['othre/*']"]
