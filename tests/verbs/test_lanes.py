"""Work side by side: in processes where that pays, with the outcome that one process alone has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import ckptmap
from ckptmap.verbs.lanes import LaneEndedError, can_fork, forked, side_by_side, worth
from tests.convert.conftest import table as table  # noqa: PLC0414
from tests.convert.conftest import template as template  # noqa: PLC0414
from tests.convert.conftest import tf1_values, write_tf1

forks = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are forked on Linux alone")


@pytest.mark.parametrize(
    ("seconds", "most", "processes"),
    [(0.0, 8, 1), (0.07, 8, 1), (0.1, 8, 2), (0.44, 2, 2), (0.44, 8, 4), (100.0, 16, 16), (100.0, 1, 1)],
)
def test_processes_are_as_many_as_the_work_pays_for(seconds: float, most: int, processes: int) -> None:
    assert worth(seconds, most) == processes


def _either(item: int, error: LaneEndedError) -> tuple[int, int | None]:
    return item, error.code


@forks
def test_every_item_is_done_once_in_order_and_in_several_processes() -> None:
    def work(item: int) -> tuple[int, int | None]:
        time.sleep(0.005)
        return item * item, os.getpid()

    with forked(work, 3) as helpers:
        done = side_by_side(range(40), [work, *helpers], ended=_either, not_begun=lambda item: (item, None))
    assert [square for square, _ in done] == [item * item for item in range(40)]
    assert os.getpid() in {process for _, process in done}
    assert len({process for _, process in done}) == 4


@forks
def test_a_process_that_dies_costs_its_own_item_alone() -> None:
    first = os.getpid()

    def work(item: int) -> tuple[int, int | None]:
        if os.getpid() != first:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.01)
        return item, 0

    with forked(work, 2) as helpers:
        done = side_by_side(range(9), [work, *helpers], ended=_either, not_begun=lambda item: (item, None))
    assert [item for item, _ in done] == list(range(9))
    assert sorted({code for _, code in done}) == [-9, 0]
    assert [code for _, code in done].count(-9) == 2


@forks
def test_no_process_is_forked_beside_another_thread() -> None:
    end = threading.Event()
    other = threading.Thread(target=end.wait)
    other.start()
    try:
        assert not can_fork()
    finally:
        end.set()
        other.join()


@forks
def test_a_batch_says_the_same_of_one_process_and_of_four(
    template: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two layouts, one left-over variable, one source that is not there; a pattern that chooses in one layout alone."""
    paths = [write_tf1(tmp_path / "old" / f"{n:02}" / "m", tf1_values()) for n in range(14)]
    odd = {**tf1_values(), "other/scale": tf1_values()["global_step"]}
    paths += [write_tf1(tmp_path / "old" / "odd" / "m", odd), tmp_path / "old" / "none" / "m"]
    monkeypatch.setattr("ckptmap.verbs.batch.can_fork", lambda: True)
    told = {}
    for jobs in (1, 4):
        new = tmp_path / f"new{jobs}"
        wishes = {"to": template, "table": table, "allow_unused": ["othre", "other"]}
        told[jobs] = ckptmap.convert_many(paths, output=new, jobs=jobs, **wishes)
        made = {path.relative_to(new): path.read_bytes() for path in new.rglob("ckpt-0*")}
        assert len(made) == 2 * 15
    assert (told[4]["jobs"], told[4]["plans"], told[4]["exit_code"]) == (4, 2, 2)
    assert told[4]["summary"] == {"converted": 15, "kept": 0, "planned": 0, "findings": 0, "failed": 1}
    alike = str(dict(told[1])).replace("new1", "new4").replace("'jobs': 1", "'jobs': 4")
    assert alike == str(dict(told[4]))
    again = ckptmap.convert_many(paths, output=tmp_path / "new4", jobs=4, resume=True, **wishes)
    assert (again["summary"]["kept"], again["summary"]["failed"]) == (15, 1)


@forks
def test_ctrl_c_reaches_all_processes_and_each_ends_what_it_has_begun(
    template: Path, table: Path, tmp_path: Path
) -> None:
    for number in range(200):  # so many that a busy machine cannot do all before it hears the signal
        write_tf1(tmp_path / "old" / f"{number:03}" / "m", tf1_values())
    new = tmp_path / "new"
    told = interrupted(tmp_path / "old", template, table, new)
    made = {one["checkpoint"] for one in told["conversions"] if one["fate"] == "converted"}
    assert 3 <= len(made) < 200
    assert {str(path.with_suffix("")) for path in new.rglob("*.index")} == made
    assert list(new.rglob(".*")) == []
    rest = {one["error"]["message"] for one in told["conversions"] if one["fate"] == "failed"}
    assert rest == {"was not started: the run was interrupted"}


def interrupted(old: Path, template: Path, table: Path, new: Path) -> dict[str, Any]:
    """The report of a run of three jobs that Ctrl-C reaches when three checkpoints are done."""
    program = (
        "import os, signal, sys, ckptmap\n"
        "old, to, table, out = sys.argv[1:]\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job ignores it
        "def progress(done, total):\n"
        "    if done == 3: os.killpg(0, signal.SIGINT)\n"
        "ckptmap.convert_many([old], to=to, table=table, output=out, jobs=3, progress=progress)\n"
    )
    command = [sys.executable, "-c", program, *map(str, (old, template, table, new))]
    path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, start_new_session=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told: dict[str, Any] = json.loads((new / "batch.json").read_text())
    return told
