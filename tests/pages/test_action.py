"""The steps of action.yml and the hook for pre-commit, run as GitHub and pre-commit run them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pages.documents import ROOT

ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
INSTALL, RUN, KEEP = ACTION["runs"]["steps"]
BASH = shutil.which("bash")

pytestmark = pytest.mark.skipif(BASH is None or os.name == "nt", reason="there is no bash to run the steps in")


@dataclass
class Runner:
    """The folder and the files that a runner of GitHub gives to a step."""

    folder: Path

    def __post_init__(self) -> None:
        for name in ("temp", "work"):
            (self.folder / name).mkdir()
        for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"):
            (self.folder / name).touch()

    def text(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8")

    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.text("GITHUB_OUTPUT").splitlines())

    def run(self, step: dict[str, Any], inputs: dict[str, str]) -> subprocess.CompletedProcess[str]:
        files = {name: str(self.folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        own = {name: resolved(value, inputs) for name, value in step["env"].items()}
        environment = {
            **os.environ,
            **files,
            **own,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.folder / "work"),
            "RUNNER_TEMP": str(self.folder / "temp"),
            "PATH": os.pathsep.join([*self.text("GITHUB_PATH").splitlines(), os.environ["PATH"]]),
        }
        script = self.folder / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        command = [str(BASH), "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        return subprocess.run(
            command, cwd=self.folder / "work", env=environment, capture_output=True, text=True, check=False
        )


def resolved(value: str, inputs: dict[str, str]) -> str:
    """Expressions of GitHub, as far as the action has them."""
    known = {f"inputs.{name}": text for name, text in inputs.items()} | {"github.action_path": str(ROOT)}
    return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda found: known[found[1]], value)


def given(**inputs: str) -> dict[str, str]:
    defaults = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
    return {**defaults, "python": sys.executable, **inputs}


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    made = Runner(tmp_path)
    shutil.copytree(ROOT / "fixtures" / "ssd_mobilenet_v2_tiny", tmp_path / "work" / "old dir")
    return made


@pytest.fixture
def installed(runner: Runner) -> Runner:
    """ckptmap is on the path, as the first step leaves it, without the time that an installation takes."""
    programs = runner.folder / "programs"
    programs.mkdir()
    program = programs / "ckptmap"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m ckptmap "$@"\n')
    program.chmod(0o755)
    (runner.folder / "GITHUB_PATH").write_text(f"{programs}\n")
    return runner


def test_a_conversion_and_its_audit(installed: Runner) -> None:
    done = installed.run(RUN, given(command="convert", arguments="'old dir/model.ckpt' -o new"))
    assert done.returncode == 0, done.stderr
    assert installed.outputs()["exit-code"] == "0"
    assert "324 restored" in done.stdout
    assert "::notice" in done.stdout
    assert "ssd_mobilenet_v2" in installed.text("GITHUB_STEP_SUMMARY")
    reports = Path(installed.outputs()["report"])
    assert sorted(path.name for path in reports.iterdir()) == ["report.html", "report.json", "report.xml"]
    done = installed.run(RUN, given(arguments="new/ckpt-0 --pipeline new/pipeline.config"))
    assert done.returncode == 0, done.stderr
    assert json.loads((reports / "report.json").read_text())["schema"] == "ckptmap.audit/1"


def test_findings_fail_the_step_and_are_annotated(installed: Runner) -> None:
    done = installed.run(RUN, given(arguments="'old dir/model.ckpt' --to ssd_mobilenet_v2"))
    assert (done.returncode, installed.outputs()["exit-code"]) == (1, "1")
    assert re.search(r"^::error ", done.stdout, re.MULTILINE)


def test_an_argument_is_never_executed(installed: Runner) -> None:
    done = installed.run(RUN, given(arguments="'$(touch made)' `touch made`; touch made"))
    assert done.returncode == 2
    assert not (installed.folder / "work" / "made").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("new/ckpt-0 --pipelin x", "No such option: --pipelin"),
        ("new/ckpt-0", "say what is restored into: --to NAME, --like TF2_CHECKPOINT or --pipeline CONFIG"),
        ("new/ckpt-0 --to 'x", "arguments: a quotation mark or a backslash is not closed"),
    ],
)
def test_a_mistake_in_the_arguments_is_an_annotation(installed: Runner, arguments: str, told: str) -> None:
    done = installed.run(RUN, given(arguments=arguments))
    assert done.returncode == 2
    (annotation,) = (line for line in done.stdout.splitlines() if line.startswith("::error"))
    assert f"::{told}" in annotation
    assert "Traceback" not in done.stderr


def test_another_command_is_refused(installed: Runner) -> None:
    done = installed.run(RUN, given(command="edit", arguments="old"))
    assert done.returncode == 2
    assert "::error::command is audit or convert" in done.stdout


def test_the_reports_are_kept_whatever_the_run_found() -> None:
    assert KEEP["if"] == "${{ always() && inputs.artifact != '' }}"
    assert KEEP["with"]["path"] == ACTION["outputs"]["report"]["value"] == "${{ steps.run.outputs.report }}"


@pytest.mark.matrix
def test_the_first_step_installs(runner: Runner) -> None:
    done = runner.run(INSTALL, given(extras="keras"))
    assert done.returncode == 0, done.stderr
    done = runner.run(RUN, given(command="convert", arguments="'old dir/model.ckpt' -o new"))
    assert done.returncode == 0, done.stderr


def test_the_hook_checks_tables(installed: Runner) -> None:
    (hook,) = HOOKS
    tables = installed.folder / "work" / "tables"
    tables.mkdir()
    (tables / "good.yaml").write_text("layers:\n- {from: a, to: b, as: conv}\nkinds:\n  conv: {w: kernel}\n")
    assert re.search(hook["files"], "tables/good.yaml")
    assert not re.search(hook["files"], ".github/workflows/ci.yaml")
    step = {"env": {}, "run": f"{hook['entry']} tables/*.yaml"}
    assert installed.run(step, {}).returncode == 0
    (tables / "bad.yaml").write_text("layers:\n- {from: a, too: b, as: conv}\n")
    done = installed.run(step, {})
    assert done.returncode == 1
    assert "bad.yaml:2" in done.stdout + done.stderr
