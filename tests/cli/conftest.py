from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ckptmap.cli.app import main
from tests.convert.conftest import TABLE, tf1_values, write_template, write_tf1


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line in this process: exit code, stdout, stderr."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> Result:
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        code = exit_.value.code
        return Result(0 if code is None else int(code), captured.out, captured.err)

    return call


@dataclass(frozen=True)
class Project:
    """A folder with an old checkpoint, a template of the new model and a table between them."""

    folder: Path
    source: Path
    template: Path
    table: Path

    @property
    def arguments(self) -> list[object]:
        return [self.source, "--table", self.table, "--to", self.template]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    table = tmp_path / "my_model.yaml"
    table.write_text(TABLE)
    source = write_tf1(tmp_path / "old" / "model.ckpt", tf1_values())
    return Project(tmp_path, source, write_template(tmp_path / "zoo" / "ckpt-0"), table)
