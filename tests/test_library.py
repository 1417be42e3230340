"""The library as it is met in an editor and in a notebook: names, signatures, results that show themselves."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

import ckptmap
from ckptmap.cli.app import app
from ckptmap.report.shown import Report
from tests.cli.conftest import Project, project
from tests.convert.conftest import tf1_values, write_tf1

__all__ = ["project"]

VERBS = (
    *("audit", "average", "catalogue", "convert", "convert_back", "convert_many", "diff", "edit", "freeze", "inspect"),
    *("open_checkpoint", "plan", "suggest", "verify", "verify_models"),
)


def parameters(name: str) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(getattr(ckptmap, name)).parameters)


def test_tab_shows_the_verbs_and_nothing_else() -> None:
    assert dir(ckptmap) == sorted([*ckptmap.__all__, "__version__"])
    assert set(VERBS) | {"CkptmapError", "load_table", "load_target"} == set(ckptmap.__all__)


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_is_a_function_with_each_argument_spelled_out_and_described(name: str) -> None:
    verb = getattr(ckptmap, name)
    assert inspect.isfunction(verb)
    for argument in parameters(name).values():
        assert argument.kind not in (argument.VAR_KEYWORD, argument.VAR_POSITIONAL)
        assert argument.annotation is not argument.empty
        assert argument.name in verb.__doc__


OF_THE_COMMAND = {"formats", "report", "report_files", "json", "everything", "context", "output_file"}
"""What says where a report goes; results have ``to_json``, ``to_html`` and ``to_frame`` for that."""
PAIRS: dict[str, tuple[tuple[str, ...], dict[str, str], set[str]]] = {
    # the command: the verbs that do it, options that are called otherwise, options that a program has no use for
    "convert": (
        ("convert", "convert_many", "convert_back", "verify_models"),
        {"label_map": "label_maps", "no_verify": "verify", "write": "form"},
        {"batch"},
    ),
    "edit": (("edit",), {"rename": "renames", "strip_scope": "strip", "no_verify": "verify"}, set()),
    "average": (("average",), {"no_verify": "verify"}, set()),
    "inspect": (("inspect",), {}, {"match", "slots", "form"}),
    "audit": (("audit",), {}, {"exit_zero"}),
    "diff": (("diff",), {"names_only": "values"}, {"stat"}),
    "freeze": (("freeze",), {"pattern": "patterns"}, set()),
    "suggest": (("suggest", "verify_models"), {"source": "old"}, {"output", "force"}),
    "verify": (("verify", "verify_models"), {"ema": "weights"}, {"output", "label_map", "min_score"}),
}


@pytest.mark.parametrize("command", PAIRS)
def test_what_an_option_can_do_an_argument_can(command: str) -> None:
    verbs, renamed, of_the_screen = PAIRS[command]
    found: Any = typer.main.get_command(app)
    options = {one.name for one in found.commands[command].params if one.expose_value} - OF_THE_COMMAND - of_the_screen
    known = {name for verb in verbs for name in parameters(verb)}
    assert {renamed.get(name, name) for name in options} - known == set()


OTHERS = {"fail_on", "verify"}
"""What means another thing on the command line: `convert --verify` proves, the argument compares checksums."""


def test_defaults_are_those_of_the_command() -> None:
    found: Any = typer.main.get_command(app)
    for command in ("convert", "edit", "audit", "diff", "verify"):
        arguments = parameters(command)
        for option in found.commands[command].params:
            argument = arguments.get(option.name)
            if (
                argument is not None
                and argument.default not in (None, (), argument.empty)
                and option.name not in OTHERS
            ):
                assert (command, option.name, option.default) == (command, option.name, argument.default)


@pytest.mark.parametrize("room", ["diff", "audit", "suggest"])
def test_a_verb_stays_a_function_whatever_is_imported_first(room: str) -> None:
    text = (
        f"import ckptmap.{room}, ckptmap, sys\nfrom ckptmap.{room} import {room} as own\n"
        f"assert callable(ckptmap.{room}) and callable(own)\n"
        f"assert type(ckptmap.{room}).__name__ == 'function'\nassert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", text], check=True)


def test_verify_is_offered_without_tensorflow() -> None:
    text = "import ckptmap, sys\nckptmap.verify\nassert 'tensorflow' not in sys.modules and 'numpy' in sys.modules"
    subprocess.run([sys.executable, "-c", text], check=True)


def results(project: Project) -> dict[str, Any]:
    given = {"to": project.template, "table": project.table}
    new = project.folder / "new"
    other = write_tf1(project.folder / "other", {"<script>": np.zeros(2, np.float32)})
    twin = write_tf1(project.folder / "twin", tf1_values())
    return {
        "plan": ckptmap.plan(project.source, **given),
        "convert": ckptmap.convert(project.source, **given, output=new),
        "convert_many": ckptmap.convert_many([project.source, other], **given, output=project.folder / "many"),
        "convert_back": ckptmap.convert_back(new, back=new / "report.json", output=None),
        "edit": ckptmap.edit(project.source, output=None, scope="x"),
        "average": ckptmap.average([project.source, twin], output=None),
        "inspect": ckptmap.inspect(project.source),
        "diff": ckptmap.diff(project.source, other),
        "audit": ckptmap.audit(new, like=project.template),
        "freeze": ckptmap.freeze(project.source, patterns=["Head/.*", "nothing<b>"]),
        "suggest": ckptmap.suggest(project.source, to=project.template),
    }


def test_every_result_shows_itself(project: Project) -> None:
    for name, result in results(project).items():
        shown, line = result._repr_html_(), repr(result)
        assert shown.startswith("<div><b>ckptmap "), name
        assert shown.count("<div") == shown.count("</div>")
        assert len(shown) < 20_000
        assert "<script" not in shown
        assert "nothing<b>" not in shown
        assert (line.startswith("<ckptmap "), "\n" in line, len(line) < 1000) == (True, False, True)
        document = json.loads(result.to_json())
        assert document["schema"].startswith("ckptmap.")
        assert document == json.loads(json.dumps(result.to_document()))
        assert result.to_html().startswith("<!doctype html>")
        assert len(result.to_frame()) >= 1


def test_a_report_is_the_dict_that_it_was(project: Project) -> None:
    report = ckptmap.convert(project.source, to=project.template, table=project.table, output=project.folder / "new")
    assert isinstance(report, Report)
    assert report["findings"] == []
    assert json.loads(json.dumps(report)) == json.loads((project.folder / "new" / "report.json").read_text())
    assert set(report.to_frame()["fate"]) >= {"restored", "mapped"}


def test_a_plan_shows_what_a_dry_run_reports(project: Project) -> None:
    given = {"to": project.template, "table": project.table}
    plan = ckptmap.plan(project.source, **given)
    assert plan.to_document() == ckptmap.convert(project.source, **given, output=None)
    counts = plan._repr_html_()
    assert "restored" in counts
    assert str(project.source) in counts


def test_a_large_plan_is_shown_in_a_few_lines(tmp_path: Path) -> None:
    names = {f"scope_{number}/{'x' * 300}/w": np.zeros(number % 7 + 1, np.float32) for number in range(3000)}
    plan = ckptmap.edit(write_tf1(tmp_path / "m", names), output=None, drop=["scope_1/**"])
    assert len(plan._repr_html_()) < 20_000
    assert len(repr(plan)) < 1000


def test_what_needs_a_look_comes_with_why(project: Project) -> None:
    found = ckptmap.diff(project.source, write_tf1(project.folder / "other", {"only": np.zeros(2, np.float32)}))
    shown = found._repr_html_()
    assert "needs a look" in shown
    assert "only in b" in shown


def test_a_draft_shows_its_beginning(project: Project) -> None:
    found = ckptmap.suggest(project.source, to=project.template)
    shown = found._repr_html_()
    assert shown.startswith("<div><b>ckptmap suggest</b>")
    assert len(shown) < 10_000
    assert repr(found).startswith("<ckptmap suggest: ")
