"""Real processes whose streams are closed, full or broken, and that are told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Project

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "ckptmap"]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell and its signals")
full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


def shell(project: Project, command: str, redirection: str) -> subprocess.CompletedProcess[str]:
    line = command.format(source=project.source, table=project.table, template=project.template)
    return subprocess.run(
        ["sh", "-c", f'"$0" -m ckptmap {line} {redirection}', sys.executable],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


CONVERT = "convert {source} --table {table} --to {template} -o new"
COMMANDS = (CONVERT, "inspect {source}", "diff {source} {source}", "targets", "convert --help", "--version")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("where", "says"), [(">&-", "it is closed"), pytest.param(">/dev/full", "No space", marks=full)]
)
def test_a_stdout_that_takes_nothing(project: Project, command: str, where: str, says: str) -> None:
    done = shell(project, command, where)
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, last[:33], says in last) == (2, "error: stdout cannot be written: ", True)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("command", [CONVERT, "inspect {source}", "targets"])
def test_a_reader_that_goes_away_is_told_nothing(project: Project, command: str) -> None:
    line = command.format(source=project.source, table=project.table, template=project.template)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, *line.split()],
        cwd=project.folder,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (2, "")


def test_what_a_full_stdout_does_not_take_is_in_the_files(project: Project) -> None:
    done = shell(project, f"{CONVERT} --report r.md", ">&-")
    assert done.returncode == 2
    assert (project.folder / "r.md").read_text().startswith("### ✅ ckptmap convert")
    assert (project.folder / "new" / "ckpt-0.index").exists()


def test_findings_that_nobody_can_read_are_no_findings(project: Project) -> None:
    template = project.template.parent
    assert shell(project, f"diff {{source}} {template}", "").returncode == 1
    assert shell(project, f"diff {{source}} {template}", ">&-").returncode == 2


@pytest.mark.parametrize("where", ["2>&-", ">r.txt 2>&-", "<&- 2>&-"])
def test_a_closed_stderr_converts_all_the_same(project: Project, where: str) -> None:
    done = shell(project, CONVERT, where)
    assert done.returncode == 0
    compared = shell(project, "diff {source} new --map {table}", "")
    assert (compared.returncode, compared.stderr) == (0, "")


@full
def test_a_full_stderr_converts_all_the_same_and_tells_by_its_exit_code(project: Project) -> None:
    assert shell(project, CONVERT, "2>/dev/full").returncode == 0  # it says nothing there
    assert shell(project, "targets", "2>/dev/full").returncode == 2
    assert shell(project, "inspect none", "2>/dev/full").returncode == 2
    assert (project.folder / "new" / "ckpt-0.index").exists()


NOISY = """
import os
from contextlib import suppress
from pathlib import Path
from ckptmap.cli.streams import with_streams

def work():
    with Path("data").open("wb", buffering=0) as data:
        for number in range(3):
            with suppress(OSError):
                os.write(number, b"what a library prints")
        data.write(b"values")
    return 0

os._exit(with_streams(work))
"""


@pytest.mark.parametrize("where", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path, where: str) -> None:
    """TensorFlow prints to descriptor 2: it must not be a data file's."""
    done = subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {where}', sys.executable, NOISY],
        cwd=tmp_path,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, (tmp_path / "data").read_bytes()) == (0, b"values")


SLOW = """
import signal, sys, time
from ckptmap.verbs import writing
from ckptmap.checkpoint import staging
from ckptmap.cli import main

# a shell that starts tests in the background has them ignore SIGINT, nohup SIGHUP
signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.argv.pop(1) == "heeding":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

def read_slowly(*arguments, **more):
    print("written", file=sys.stderr, flush=True)
    for _ in range(6000):  # a signal that comes just before one sleep ends the next
        time.sleep(0.1)

def discard_slowly(aside):
    print("cleaning up", file=sys.stderr, flush=True)
    time.sleep(1)
    discard(aside)

discard = staging.discard
staging.discard = discard_slowly
writing.read_back = read_slowly
main(sys.argv[1:])
"""


def ended_by(project: Project, *numbers: int, ignoring: bool = False) -> tuple[int, list[str]]:
    """The exit code of a conversion that gets signals while its files wait, and what is left of it."""
    arguments = [str(argument) for argument in project.arguments]
    how = "ignoring" if ignoring else "heeding"
    run_it = [sys.executable, "-c", SLOW, how, "convert", *arguments, "-o", "a/b"]
    with subprocess.Popen(
        ["nohup", *run_it] if ignoring else run_it,
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stderr is not None
        assert any(line == "written\n" for line in process.stderr)
        assert (project.folder / "a" / "b").is_dir()
        for number in numbers:
            process.send_signal(number)
            if number == signal.SIGTERM:
                assert any(line == "cleaning up\n" for line in process.stderr)
        process.wait(60)
        assert "Traceback" not in process.stderr.read()
    return process.returncode, sorted(path.name for path in (project.folder / "a").rglob("*"))


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_that_cleans_up(project: Project, name: str) -> None:
    number = getattr(signal, name)
    assert ended_by(project, number) == (128 + number, [])
    assert not (project.folder / "a").exists()


def test_a_second_signal_does_not_keep_it_from_that(project: Project) -> None:
    assert ended_by(project, signal.SIGTERM, signal.SIGHUP) == (128 + signal.SIGTERM, [])


def test_nohup_is_heeded(project: Project) -> None:
    assert ended_by(project, signal.SIGHUP, signal.SIGTERM, ignoring=True) == (128 + signal.SIGTERM, [])
