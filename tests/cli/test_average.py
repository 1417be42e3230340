import numpy as np

import ckptmap
from tests.convert.conftest import write_tf1


def test_average(run, tmp_path):
    one = write_tf1(tmp_path / "a", {"w": np.array([1.0], np.float32)})
    other = write_tf1(tmp_path / "b", {"w": np.array([2.0], np.float32)})
    result = run("average", one, other, "-o", tmp_path / "new", "--report", tmp_path / "r.html")
    assert (result.code, result.err) == (0, f"wrote {tmp_path / 'r.html'}\n")
    assert f"the mean of 2 checkpoints: {one}, {other}" in result.out
    assert "ckptmap average" in (tmp_path / "r.html").read_text()
    with ckptmap.open_checkpoint(tmp_path / "new" / "model.ckpt") as checkpoint:
        assert checkpoint.read("w").tolist() == [1.5]


def test_another_model_exits_with_2(run, tmp_path):
    one = write_tf1(tmp_path / "a", {"w": np.array([1.0], np.float32)})
    other = write_tf1(tmp_path / "b", {"v": np.array([2.0], np.float32)})
    result = run("average", one, other, "-o", tmp_path / "new")
    assert (result.code, result.out) == (2, "")
    assert f"{other}: holds no w, which {one} has" in result.err
    assert not (tmp_path / "new").exists()


def test_arguments_that_mean_nothing(run, tmp_path):
    assert "say where to write" in run("average", "a", "b").err
    assert run("average", "-o", tmp_path / "new").code == 2
    assert (
        "one checkpoint is its own mean"
        in run("average", write_tf1(tmp_path / "a", {"w": np.ones(1)}), "--dry-run").err
    )
