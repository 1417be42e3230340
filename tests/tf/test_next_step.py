"""The lines of Python that a conversion ends with restore the model, as they stand there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ckptmap
from ckptmap.report.next_step import next_lines
from tests.convert.conftest import write_tf1

TABLE = "variables:\n  - {from: net/dense/kernel, to: dense/kernel}\n  - {from: net/dense/bias, to: dense/bias}\n"


@pytest.mark.slow
@pytest.mark.parametrize(("whole", "step"), [(False, False), (True, False), (False, True)])
def test_the_lines_restore_a_model_of_ones_own(tmp_path: Path, whole: bool, step: bool) -> None:
    tf = pytest.importorskip("tensorflow", reason="needs the [tf] extra")

    def model() -> Any:
        return tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(2, name="dense")])

    kernel = np.arange(6, dtype=np.float32).reshape(3, 2)
    old = {"net/dense/kernel": kernel, "net/dense/bias": np.ones(2, np.float32), "global_step": np.array(7, np.int64)}
    template = tf.train.Checkpoint(model()) if whole else tf.train.Checkpoint(model=model())
    (tmp_path / "t.yaml").write_text(TABLE)
    report = ckptmap.convert(
        write_tf1(tmp_path / "old" / "m", old),
        to=template.save(tmp_path / "zoo" / "ckpt"),
        table=tmp_path / "t.yaml",
        output=tmp_path / "new",
        step=step,
    )
    names = {"tf": tf, "your_model": model()}
    exec("\n".join(next_lines(report)), names)  # noqa: S102
    np.testing.assert_array_equal(names["your_model"].get_weights()[0], kernel)
