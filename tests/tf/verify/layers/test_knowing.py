"""What a conversion's report and the old checkpoint tell of the values that a new model should hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.tf.environment import tensorflow_alone
from ckptmap.tf.verify.layers import known_values
from tests.tf.verify.layers.test_matching import chain

REPORT = {
    "target_variables": [
        {
            "key": "model/first/kernel",
            "name": "first/kernel",
            "source": "a/weights/ExponentialMovingAverage",
            "operations": [{"operation": "transpose", "perm": [1, 0]}],
        },
        {"key": "model/second/kernel", "name": "second/kernel", "source": "gone", "operations": []},
        {"key": "model/third/kernel", "name": "third/kernel", "source": None, "operations": []},
    ]
}


def test_the_report_says_what_becomes_of_the_old_values() -> None:
    old = chain("a/weights b/weights")
    known = known_values(old, chain("first/kernel second/kernel third/kernel", start=1), REPORT, None)
    assert list(known.expected) == ["first/kernel"]
    assert np.array_equal(known.expected["first/kernel"], old.values["a/weights"].T)
    with pytest.raises(KeyError):
        known.expected["second/kernel"]


def test_stored_values_are_made_into_new_ones_the_same_way(tmp_path: Path) -> None:
    v1 = tensorflow_alone().compat.v1
    average = np.arange(9, dtype=np.float32).reshape(3, 3)
    with v1.Graph().as_default(), v1.Session() as session:
        v1.get_variable("a/weights/ExponentialMovingAverage", initializer=average)
        session.run(v1.global_variables_initializer())
        prefix = v1.train.Saver().save(session, str(tmp_path / "model.ckpt"), write_meta_graph=False)
    with open_checkpoint(prefix) as checkpoint:
        known = known_values(chain("a/weights"), chain("first/kernel", start=1), REPORT, checkpoint)
        assert list(known.checkpoint) == ["a/weights/ExponentialMovingAverage"]
        stored = known.checkpoint["a/weights/ExponentialMovingAverage"]
        assert np.array_equal(stored, average)
        made = known.remake("first/kernel", {"a/weights": stored})
        assert made is not None
        assert np.array_equal(made, average.T)
        assert known.remake("second/kernel", {"a/weights": stored}) is None


def test_a_report_that_is_none_is_refused() -> None:
    with pytest.raises(CkptmapError):
        known_values(chain("a/weights"), chain("b/kernel"), {"target_variables": [{"name": "b/kernel"}, 3]}, None, "r")
