"""Runs over many checkpoints that go on where an earlier one ended, and folders that are searched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import OutputError
from ckptmap.request.search import searched
from tests.convert.conftest import tf1_values, write_template, write_tf1

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    for name in "abc":
        write_tf1(tmp_path / "many" / name / "model.ckpt", tf1_values())
    return tmp_path / "many"


@pytest.fixture
def run(zoo: Path, template: Path, table: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """The fates of one run over the zoo."""

    def fates(**options: Any) -> list[str]:
        wishes = {"to": template, "table": table, "output": tmp_path / "new", "resume": True, **options}
        report = ckptmap.convert_many([zoo], **wishes)
        return [one["fate"] for one in report["conversions"]]

    return fates


def test_a_second_run_makes_only_what_is_missing_or_changed(
    run: Callable[..., list[str]], zoo: Path, tmp_path: Path
) -> None:
    assert run() == ["converted"] * 3
    made = tmp_path / "new" / "a" / "ckpt-0.index"
    before = made.stat().st_mtime_ns
    write_tf1(zoo / "b" / "model.ckpt", {name: value + 1 for name, value in tf1_values().items()})
    (tmp_path / "new" / "c" / "ckpt-0.data-00000-of-00001").unlink()
    assert run() == ["kept", "converted", "converted"]
    assert made.stat().st_mtime_ns == before
    with ckptmap.open_checkpoint(tmp_path / "new" / "b") as checkpoint:
        assert checkpoint.read("model/backbone/layer-0/kernel/.ATTRIBUTES/VARIABLE_VALUE").flat[0] == 11
    assert run() == ["kept"] * 3
    overall = json.loads((tmp_path / "new" / "batch.json").read_text())
    assert overall["summary"] == {"converted": 0, "kept": 3, "planned": 0, "findings": 0, "failed": 0}


@pytest.mark.parametrize("options", [{"seed": 1}, {"ema": "ignore"}, {"form": "safetensors"}])
def test_another_wish_makes_all_again(run: Callable[..., list[str]], options: dict[str, Any]) -> None:
    assert run() == ["converted"] * 3
    assert run(**options) == ["converted"] * 3
    assert run(**options) == ["kept"] * 3


def test_another_table_or_template_makes_all_again(run: Callable[..., list[str]], table: Path, template: Path) -> None:
    assert run() == ["converted"] * 3
    table.write_text(table.read_text() + "\n# a word more\n")
    assert run() == ["converted"] * 3
    write_template(template, extra={"more/kernel": ("more/kernel", (2,))})
    assert run(init_missing=True) == ["converted"] * 3


def test_without_resume_what_is_there_stays_and_is_said(run: Callable[..., list[str]]) -> None:
    run()
    assert run(resume=False) == ["failed"] * 3


def test_what_no_run_of_ours_made_is_never_replaced(run: Callable[..., list[str]], tmp_path: Path) -> None:
    other = tmp_path / "new" / "a" / "report.json"
    other.parent.mkdir(parents=True)
    other.write_text('{"schema": "mine", "output": {}}')
    assert run() == ["failed", "converted", "converted"]
    assert other.read_text() == '{"schema": "mine", "output": {}}'


def test_the_report_of_all_replaces_nothing_else(run: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "batch.json").write_text("[1]")
    with pytest.raises(OutputError, match="is not a report of ckptmap"):
        run()
    assert (tmp_path / "new" / "batch.json").read_text() == "[1]"


def test_folders_are_searched_and_checkpoints_in_them_are_found_once(zoo: Path, tmp_path: Path) -> None:
    write_tf1(zoo / "deep" / "er" / "one", {"w": np.zeros(2, np.float32)})
    write_tf1(zoo / "deep" / "er" / "two", {"w": np.zeros(2, np.float32)})
    (zoo / "a" / "inside").mkdir()
    write_tf1(zoo / "a" / "inside" / "of", {"w": np.zeros(2, np.float32)})
    write_tf1(zoo / ".hidden" / "m", {"w": np.zeros(2, np.float32)})
    (zoo / "keras").mkdir()
    (zoo / "keras" / "m.weights.h5").write_bytes(b"")
    (zoo / "loop").symlink_to(zoo)
    (tmp_path / "empty").mkdir()
    found = [Path(one).relative_to(tmp_path).as_posix() for one in searched([zoo, tmp_path / "empty"])]
    assert found[:3] == ["many/a", "many/b", "many/c"]
    assert found[3:] in (
        ["many/deep/er", "many/keras/m.weights.h5", "empty"],
        ["many/deep/er/one", "many/deep/er/two", "many/keras/m.weights.h5", "empty"],
    )


def test_what_a_run_wrote_below_the_folder_it_searches_is_no_source_of_the_next(
    zoo: Path, template: Path, table: Path
) -> None:
    def converted() -> list[tuple[str, str]]:
        report = ckptmap.convert_many([zoo], to=template, table=table, output=zoo / "new", resume=True)
        return [(Path(one["source"]).name, one["fate"]) for one in report["conversions"]]

    assert converted() == [("a", "converted"), ("b", "converted"), ("c", "converted")]
    assert converted() == [("a", "kept"), ("b", "kept"), ("c", "kept")]


def test_an_output_of_many_that_is_a_file(zoo: Path, template: Path, table: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file is a file \(give a directory to write to with the argument output\)"):
        ckptmap.convert_many([zoo], to=template, table=table, output=tmp_path / "file")


def _files(folder: Path, contents: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def test_what_is_left_of_a_checkpoint_is_found_and_what_only_bears_such_a_name_is_not(tmp_path: Path) -> None:
    top = tmp_path / "many"
    graph, table = b"\n\0", bytes(40) + bytes.fromhex("57fb808b247547db")
    write_tf1(top / "whole" / "m", {"w": np.zeros(2, np.float32)})
    _files(top / "data", {"m.data-00000-of-00001": b"1", "m.meta": graph})
    _files(top / "graph", {"m.meta": graph})
    write_tf1(_files(top / "holder", {"m.meta": b"\x12\0"}) / "below" / "m", {"w": np.zeros(2, np.float32)})
    _files(top / "pointer", {"m.meta": b"version https://git-lfs.github.com/spec/v1\noid"})
    _files(top / "shard", {"m-00000-of-00002": table})
    _files(top / "state", {"checkpoint": b'model_checkpoint_path: "/home/me/m-7"\n'})
    _files(top / "torn", {"m-7.index.tempstate1": b""})
    _files(top / "unity", {"m.meta": b"fileFormatVersion: 2", "checkpoint": b"no", "a-00000-of-00002": b"records"})
    found = [Path(one).relative_to(top).as_posix() for one in searched([top])]
    assert found == [
        "data/m.data-00000-of-00001",
        "graph/m.meta",
        "holder/m.meta",
        "holder/below",
        "pointer/m.meta",
        "shard/m-00000-of-00002",
        "state/checkpoint",
        "torn/m-7.index.tempstate1",
        "whole",
    ]
    assert searched([top / "graph"]) == [str(top / "graph")]
    assert searched([top / "holder"]) == [str(top / "holder" / "m.meta"), str(top / "holder" / "below")]
    rows = {Path(row["path"]).parent.name: row["problems"] for row in ckptmap.catalogue([top])["checkpoints"]}
    assert rows["graph"][0].startswith("is only the graph of a checkpoint: ")
    assert rows["shard"] == [f"{top / 'shard' / 'm-00001-of-00002'}: 1 of 2 data files is missing (copy all of them)"]
    assert rows["state"][0].endswith(
        "holds no checkpoint: its state file names m-7, which is not there (copy m-7.index and .data-… there)"
    )
    assert rows["many"] == []


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself Ctrl-C there")
def test_interrupted_the_run_says_what_is_done(zoo: Path, template: Path, table: Path, tmp_path: Path) -> None:
    """Ctrl-C comes when the first is done; the second was under way or not, the third had not begun."""
    program = (
        "import os, signal, sys, json, ckptmap\n"
        "zoo, to, table, out = sys.argv[1:]\n"
        "def progress(done, total):\n"
        "    if done == 1: os.kill(os.getpid(), signal.SIGINT)\n"
        "report = ckptmap.convert_many([zoo], to=to, table=table, output=out, jobs=1, progress=progress)\n"
        "print(json.dumps([report['exit_code'], [one['fate'] for one in report['conversions']]]))\n"
    )
    command = [sys.executable, "-c", program, *map(str, (zoo, template, table, tmp_path / "new"))]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path})
    exit_code, fates = json.loads(done.stdout)
    assert (exit_code, fates[0]) == (2, "converted") or fates == ["converted"] * 3
    overall = json.loads((tmp_path / "new" / "batch.json").read_text())
    assert [one["fate"] for one in overall["conversions"]] == fates
    for one in overall["conversions"]:
        if one["fate"] == "failed":
            assert one["error"]["message"] == "was not started: the run was interrupted"
    again = ckptmap.convert_many([zoo], to=template, table=table, output=tmp_path / "new", resume=True)
    assert {one["fate"] for one in again["conversions"]} <= {"kept", "converted"}
    assert again["conversions"][0]["fate"] == "kept"
