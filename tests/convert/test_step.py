from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ckptmap import convert, open_checkpoint, plan
from ckptmap.basics.errors import PlanError
from tests.convert.conftest import TABLE, tf1_values, values, write_template, write_tf1

STEP_KEY = "step/.ATTRIBUTES/VARIABLE_VALUE"


@pytest.fixture
def choices(tmp_path: Path) -> dict[str, object]:
    table = tmp_path / "my_model.yaml"
    table.write_text(TABLE)
    return {"table": table, "to": write_template(tmp_path / "zoo" / "ckpt-0")}


@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_the_step_is_carried_over(tmp_path: Path, choices: dict[str, object], dtype: str) -> None:
    source = write_tf1(tmp_path / "model.ckpt", {**tf1_values(), "global_step": np.array(200123, dtype)})
    report = convert(source, output=tmp_path / "new", step=True, **choices)
    with open_checkpoint(tmp_path / "new") as checkpoint:
        step = checkpoint.read(STEP_KEY)
        graph = checkpoint.object_graph()
    assert (step.dtype, step.shape, int(step)) == (np.dtype("int64"), (), 200123)
    assert graph is not None
    assert [child.name for child in graph.nodes[0].children] == ["model", "step", "save_counter"]
    assert graph.names.full_names[STEP_KEY] == "global_step"
    (record,) = [one for one in report["target_variables"] if one["key"] == "step"]
    assert (record["fate"], record["source"]) == ("restored", "global_step")
    assert record["reason"] == "the training step, carried over on request"
    (record,) = [one for one in report["source_variables"] if one["name"] == "global_step"]
    assert (record["fate"], record["reason"]) == ("mapped", "the training step, carried over on request")
    assert report["summary"]["restored"] == 7


def test_without_being_asked_the_step_stays_behind(tmp_path: Path, choices: dict[str, object]) -> None:
    source = write_tf1(tmp_path / "model.ckpt", tf1_values())
    convert(source, output=tmp_path / "new", **choices)
    with open_checkpoint(tmp_path / "new") as checkpoint:
        assert STEP_KEY not in checkpoint.inventory.variables


def test_a_checkpoint_without_a_step(tmp_path: Path, choices: dict[str, object]) -> None:
    tensors = tf1_values()
    del tensors["global_step"]
    with pytest.raises(PlanError, match="has no global_step to carry over"):
        plan(write_tf1(tmp_path / "model.ckpt", tensors), step=True, **choices)


def test_a_step_that_is_none(tmp_path: Path, choices: dict[str, object]) -> None:
    source = write_tf1(tmp_path / "model.ckpt", {**tf1_values(), "global_step": values((2,))})
    with pytest.raises(PlanError, match=r"global_step: is float32 \[2\], not a training step"):
        plan(source, step=True, **choices)
