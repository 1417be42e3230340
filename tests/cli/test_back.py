import numpy as np
import pytest

import ckptmap
from tests.convert.conftest import TABLE, tf1_values, write_template, write_tf1


@pytest.fixture
def new(run, tmp_path):
    """A conversion, with its report."""
    write_tf1(tmp_path / "old" / "m", tf1_values())
    (tmp_path / "t.yaml").write_text(TABLE.partition("init:")[0])
    template = write_template(tmp_path / "zoo" / "ckpt")
    old = tmp_path / "old" / "m"
    assert run("convert", old, "--to", template, "--table", tmp_path / "t.yaml", "-o", tmp_path / "new").code == 0
    return tmp_path / "new"


def test_there_and_back(run, new, tmp_path):
    back, old = new / "report.json", tmp_path / "old" / "m"
    result = run("convert", new / "ckpt-0", "--back", back, "--fill", old, "-o", tmp_path / "serving")
    assert (result.code, result.err) == (0, "")
    assert f'Saver().restore(session, "{tmp_path}/serving/model.ckpt")' in result.out
    with ckptmap.open_checkpoint(tmp_path / "serving") as checkpoint:
        made = {name: checkpoint.read(name) for name in checkpoint.inventory.variables}
    np.testing.assert_equal(made, tf1_values())


def test_what_only_the_old_one_has_exits_with_1(run, new, tmp_path):
    result = run("convert", new, "--back", new / "report.json", "-o", tmp_path / "serving")
    assert result.code == 1
    assert (
        "global_step: 1 TF1 variable that only the old checkpoint has (take them from the old checkpoint with "
        "--fill OLD, or leave them out with --allow-unused global_step)"
    ) in result.out
    assert not (tmp_path / "serving").exists()
    accepted = run(
        "convert", new, "--back", new / "report.json", "-o", tmp_path / "serving", "--allow-unused", "global_step"
    )
    assert accepted.code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--to", "ssd_mobilenet_v2"), "has no meaning with --back"),
        (("--seed", "3"), "has no meaning with --back"),
        (("--no-pipeline",), "has no meaning with --back"),
        (("other",), "name one checkpoint"),
    ],
)
def test_arguments_of_the_way_there(run, new, tmp_path, arguments, message):
    result = run("convert", new, *arguments, "--back", new / "report.json", "-o", tmp_path / "serving")
    assert result.code == 2
    assert message in result.err


def test_a_table_alone_asks_for_the_old_checkpoint_by_the_option(run, new, tmp_path):
    result = run("convert", new, "--back", tmp_path / "t.yaml", "-o", tmp_path / "serving")
    assert result.code == 2
    assert "a table alone does not say the old names (give the old checkpoint too, with --fill OLD)" in result.err


def test_fill_is_for_the_way_back(run, new, tmp_path):
    result = run("convert", new, "--fill", tmp_path / "old" / "m", "-o", tmp_path / "serving")
    assert result.code == 2
    assert "add --back" in result.err


def test_a_report_that_is_read_is_no_report_to_write(run, new, tmp_path):
    back = new / "report.json"
    result = run("convert", new, "--back", back, "-o", tmp_path / "serving", "--report", back)
    assert result.code == 2
    assert "is read by this command" in result.err
