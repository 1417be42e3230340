"""The commands of README.md and docs/ do what the pages say: each document is run from top to bottom."""

from __future__ import annotations

import re
import shlex
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.conftest import Run, run
from tests.pages.documents import DOCUMENTS, ROOT, Block, blocks
from tests.pages.world import make_world

__all__ = ["run"]

pytest.importorskip("h5py", reason="needs the [keras] extra")

FOUND = {document: blocks(document) for document in DOCUMENTS}


def shells(document: str) -> list[Block]:
    return [block for block in FOUND[document] if block.is_shell]


WITH_COMMANDS = [document for document in DOCUMENTS if shells(document)]
WITH_MATRIX = [document for document in DOCUMENTS if any("matrix" in block.marks for block in FOUND[document])]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    make_world(folder)
    return folder


@pytest.fixture
def here(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the world that is the working directory."""
    folder = tmp_path / "here"
    shutil.copytree(world, folder)
    monkeypatch.chdir(folder)
    return folder


def words(command: str) -> list[str]:
    """The words of a command as a shell makes them: comments go, globs that are not quoted become files."""
    found: list[str] = []
    lexer = shlex.shlex(command, posix=False, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    for word in lexer:
        bare = "".join(shlex.split(word))
        unquoted = re.search(r"[*?]", re.sub(r"'[^']*'|\"[^\"]*\"", "", word))
        found += [str(one) for one in sorted(Path().glob(bare))] or [bare] if unquoted else [bare]
    return found


def execute(run: Run, block: Block) -> None:
    for command in block.commands:
        program, *arguments = words(command)
        assert program == "ckptmap", f"{block.place}: {program} is run by nobody; mark the block as not run, and why"
        result = run(*arguments)
        assert result.code == block.exit_code, f"{block.place}: {command}\n{result.code}\n{result.out}\n{result.err}"


@pytest.mark.parametrize("document", WITH_COMMANDS)
def test_every_command_of_a_page_runs(document: str, here: Path, run: Run) -> None:
    for block in shells(document):
        if not block.marks.keys() & NEVER:
            execute(run, block)


@pytest.mark.matrix
@pytest.mark.parametrize("document", WITH_MATRIX)
def test_every_command_of_a_page_runs_with_tensorflow(document: str, here: Path, run: Run) -> None:
    for block in shells(document):
        if "not run" not in block.marks:
            execute(run, block)


PYTHON = [block for document in DOCUMENTS for block in FOUND[document] if block.language == "python"]
NEVER = {"not run", "matrix"}


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.place)
def test_python_of_a_page_is_python(block: Block) -> None:
    compile(block.text, block.place, "exec")


@pytest.mark.parametrize("document", sorted({one.document for one in PYTHON if not one.marks.keys() & NEVER}))
def test_python_of_a_page_runs(document: str, here: Path, run: Run) -> None:
    space: dict[str, object] = {}
    for block in FOUND[document]:
        if block.marks.keys() & NEVER:
            continue
        if block.language == "python":
            exec(compile(block.text, block.place, "exec"), space)  # noqa: S102


def test_the_first_conversion_prints_what_the_readme_shows(here: Path, run: Run) -> None:
    text = next(block.text for block in FOUND["README.md"] if block.language == "text")
    command = next(one for block in shells("README.md") for one in block.commands if " -o first/" in one)
    out = run(*words(command)[1:]).out
    shown = [line.rstrip(" …") for line in text.splitlines()]
    missing = [line for line in shown if line not in out]
    assert missing == []


def test_what_is_not_run_says_why() -> None:
    marked = [block for document in DOCUMENTS for block in FOUND[document] if "not run" in block.marks]
    assert Counter(block.document for block in marked) == NOT_RUN
    assert all(len(block.marks["not run"]) > 10 for block in marked)


NOT_RUN = {
    "README.md": 4,
    "docs/after.md": 4,
    "docs/classification.md": 4,
    "docs/contributing.md": 1,
    "docs/details.md": 1,
    "docs/efficientdet.md": 1,
    "docs/estimators.md": 5,
    "docs/fleets.md": 8,
    "docs/language.md": 7,
    "docs/own-code.md": 3,
    "docs/speed.md": 1,
    "docs/start-detector.md": 1,
    "docs/start-own-model.md": 3,
    "docs/tables.md": 1,
    "docs/training.md": 8,
    "docs/verify.md": 7,
}


def test_there_are_many_commands() -> None:
    assert sum(len(block.commands) for document in DOCUMENTS for block in shells(document)) > 60


def test_the_readme_has_the_two_commands_that_set_up_an_environment() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert sum("-m pytest --cov" in line for line in lines) == 1
    assert sum("pip install ." in line and "ckptmap convert" in line for line in lines) == 1
