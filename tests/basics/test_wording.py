"""Messages of the library name arguments, those of the command line options."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import ckptmap
from ckptmap.audit import Thresholds, audit
from ckptmap.basics.errors import OutputError
from ckptmap.basics.wording import ARGUMENTS, argument, command_line, number, setting
from ckptmap.cli.app import app
from ckptmap.diff import diff
from ckptmap.families.detection import arguments
from ckptmap.request.choices import PlanChoices
from ckptmap.verbs.freeze import freeze
from tests.cli.conftest import Project, Run, project, run

__all__ = ["project", "run"]

OF_DETECTORS = [value for name, value in vars(arguments).items() if name.isupper()]
ROOT = Path(ckptmap.__file__).parent


def test_an_argument_is_a_keyword_or_an_option() -> None:
    assert (argument("force"), argument("to", "a b")) == ("force=True", "to='a b'")
    assert argument("allow", "a", "b c") == "allow=['a', 'b c']"
    assert (number("num_classes"), number("width")) == ("num_classes=N", "settings={'width': N}")
    assert number("num_classes", "10") == "num_classes=10"
    with command_line():
        assert (argument("force"), argument("to", "a b")) == ("--force", "--to 'a b'")
        assert argument("allow", "a", "b c") == "--allow a --allow 'b c'"
        assert (number("num_classes"), number("width")) == ("--num-classes N", "--set width=N")
        assert number("num_classes", "10") == "--num-classes 10"
        assert setting("use_dropout", "true") == "--set use_dropout=true"
    assert argument("force") == "force=True"


def test_every_option_and_every_keyword_is_there() -> None:
    group = typer.main.get_command(app)
    commands = group.commands.values()  # type: ignore[attr-defined]
    options = {option for one in commands for parameter in one.params for option in parameter.opts}
    verbs = (ckptmap.convert, ckptmap.convert_many, ckptmap.convert_back, audit, diff, freeze, Thresholds)
    keywords = {name for verb in verbs for name in inspect.signature(verb).parameters} | set(
        PlanChoices.__annotations__
    )
    for keyword, option in (*ARGUMENTS.values(), *OF_DETECTORS):
        assert option.split()[0] in options
        name = keyword.removeprefix("the argument ").partition("=")[0]
        assert name in keywords or keyword == "the pattern"


def test_the_same_error_names_what_its_reader_can_give(run: Run, project: Project) -> None:
    arguments = {"to": project.template, "table": project.table, "output": project.folder / "new"}
    ckptmap.convert(project.source, **arguments)
    with pytest.raises(OutputError, match="or add force=True to replace"):
        ckptmap.convert(project.source, **arguments)
    result = run("convert", *project.arguments, "-o", project.folder / "new")
    assert (result.code, "or add --force to replace" in result.err) == (2, True)
    with pytest.raises(OutputError, match="or add force=True to replace"):
        ckptmap.convert(project.source, **arguments)


PLACES = (
    "cli",
    "report",
    "tf",
    "basics/wording.py",
    "families/advice.py",
    "diff/advice.py",
    "families/detection/arguments.py",
    "families/detection/catalogue.py",
)
"""Where options may be written: the command line, what renders for it, the programs that need TensorFlow, and where
whole commands, and the page of `ckptmap targets --markdown`, are made."""
COMMANDS = ("ckptmap ", "convert --", "use --to efficientdet_d7", "--pattern", "--slots shows", "--json lists")
"""Whole commands may be advised anywhere, and the texts that inspect and freeze print are the command line's."""


def _texts(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kept = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in kept:
            yield node.value


def test_no_text_of_the_library_names_an_option() -> None:
    files = [file for file in ROOT.rglob("*.py") if not file.relative_to(ROOT).as_posix().startswith(PLACES)]
    assert len(files) > 100
    named = [
        f"{file.relative_to(ROOT).as_posix()}: {text}"
        for file in files
        for text in _texts(file)
        if re.search(r"(?<![\w-])--[a-z]", text) and not any(command in text for command in COMMANDS)
    ]
    assert named == []
