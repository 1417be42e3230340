import json

import numpy as np
import pytest

import ckptmap
from tests.convert.conftest import write_tf1


@pytest.fixture
def old(tmp_path):
    tensors = {
        "net/w": np.arange(6, dtype=np.float32),
        "net/w/Momentum": np.ones(6, np.float32),
        "head/w": np.zeros(2, np.float32),
        "global_step": np.array(3, np.int64),
    }
    return write_tf1(tmp_path / "old" / "m.ckpt", tensors)


def test_edit(run, old, tmp_path):
    result = run(
        "edit", old, "-o", tmp_path / "new", "--rename", "net=a/b", "--strip-scope", "head", "--scope", "x",
        "--weights-only", "--cast", "float16", "--report", tmp_path / "r.csv",
    )  # fmt: skip
    assert (result.code, result.err) == (0, f"wrote {tmp_path / 'r.csv'}\n")
    assert f'Saver().restore(session, "{tmp_path}/new/model.ckpt")' in result.out
    with ckptmap.open_checkpoint(tmp_path / "new") as checkpoint:
        assert list(checkpoint.inventory.variables) == ["x/a/b/w", "x/w"]
        assert checkpoint.read("x/a/b/w").tolist() == [0, 1, 2, 3, 4, 5]
    assert "optimizer slot (Momentum)" in (tmp_path / "r.csv").read_text()


def test_a_glob_that_chooses_nothing_exits_with_1(run, old, tmp_path):
    result = run("edit", old, "-o", tmp_path / "new", "--drop", "haed", "--json")
    assert result.code == 1
    assert json.loads(result.out)["findings"] == [
        {"message": "chooses no variable to drop", "where": "haed", "hint": 'nearest: "head"'}
    ]
    assert not (tmp_path / "new").exists()


def test_two_variables_of_one_name_exit_with_2(run, old, tmp_path):
    result = run("edit", old, "-o", tmp_path / "new", "--rename", "head=net")
    assert (result.code, result.out) == (2, "")
    assert "head/w and net/w both become net/w" in result.err
    assert not (tmp_path / "new").exists()


def test_a_dry_run_writes_nothing(run, old, tmp_path):
    result = run("edit", old, "--scope", "x", "--dry-run")
    assert result.code == 0
    assert "dry run: nothing was written" in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rename", "net"), "write it as OLD=NEW"),
        (("--rename", "=net"), "write it as OLD=NEW"),
        ((), "say where to write with -o DIRECTORY"),
        (("--index-only",), "say where to write"),
    ],
)
def test_arguments_that_mean_nothing(run, old, arguments, message):
    result = run("edit", old, *arguments, *(("--dry-run",) if "--rename" in arguments else ()))
    assert result.code == 2
    assert message in result.err


def test_force_replaces_an_older_output(run, old, tmp_path):
    assert run("edit", old, "-o", tmp_path / "new").code == 0
    refused = run("edit", old, "-o", tmp_path / "new", "--scope", "x")
    assert (refused.code, "is not empty" in refused.err) == (2, True)
    assert run("edit", old, "-o", tmp_path / "new", "--scope", "x", "--force").code == 0
    with ckptmap.open_checkpoint(tmp_path / "new") as checkpoint:
        assert "x/net/w" in checkpoint.inventory.variables
