"""Leaves whose names say nothing, told apart by the values of a template that was never trained."""

import numpy as np
import pytest

from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.checkpoint.values import encode
from tests.suggest.conftest import FLOAT, write_old

OLD = {
    "net/conv/weights": (3, 3, 4, 8),
    "net/conv/biases": (8,),
    "net/norm/gamma": (8,),
    "net/norm/beta": (8,),
    "net/bn/gamma": (6,),
    "net/bn/beta": (6,),
    "net/bn/moving_mean": (6,),
    "net/bn/moving_variance": (6,),
}


def template(prefix, ones):
    """A template of opaque names; ``ones`` is what its gains and variances hold."""
    values = {
        "c/kernel": np.full((3, 3, 4, 8), 0.5),
        "c/x": np.zeros(8),
        "n/p": np.zeros(8),
        "n/q": np.full(8, ones),
        "m/a": np.zeros(6),
        "m/r": np.zeros(6),
        "m/s": np.full(6, ones),
        "m/t": np.full(6, ones),
    }
    held = {
        key: ObjectValue(key, FLOAT, value.shape, [encode(FLOAT, value.astype(np.float32))])
        for key, value in values.items()
    }
    write_object_checkpoint(prefix, "model", held)
    return prefix


@pytest.fixture
def old(tmp_path):
    return write_old(tmp_path / "old" / "m", OLD)


def test_gains_offsets_and_biases_of_a_fresh_template_are_known_by_their_values(run, old, tmp_path):
    table = tmp_path / "table.yaml"
    done = run("suggest", old, "--to", template(tmp_path / "new" / "ckpt-1", 1.0), "-o", table)
    assert done.code == 1
    assert "3 of 3 old layers have a partner among 3 new ones:\n  2 sure, 1 doubtful." in done.out
    text = table.read_text()
    for leaf in ("biases: x", "gamma: q", "beta: p"):
        assert f"    {leaf}\n" in text
    assert (
        "doubtful: this layer: a guess: a fresh template does not show which is the gain and which the variance" in text
    )
    assert run("convert", old, "--to", tmp_path / "new" / "ckpt-1", "--table", table, "--dry-run").code == 0


def test_a_trained_template_says_nothing(run, old, tmp_path):
    done = run("suggest", old, "--to", template(tmp_path / "new" / "ckpt-1", 0.7))
    assert "old layers are left over" in done.out
