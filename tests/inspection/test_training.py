from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_writer import ObjectValue, write_object_checkpoint
from ckptmap.inspection.inspector import inspect
from ckptmap.inspection.training import Training
from tests.convert.conftest import values, write_template, write_tf1


@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_the_step_is_read(tmp_path: Path, dtype: str) -> None:
    prefix = write_tf1(tmp_path / "model.ckpt-99", {"global_step": np.array(123456, dtype), "w": values((2,))})
    assert inspect(prefix).training == Training(step=123456, step_from="global_step")


def test_without_data_the_file_name_tells_the_step(tmp_path: Path) -> None:
    prefix = write_tf1(tmp_path / "model.ckpt-99", {"global_step": np.array(123456, np.int64)})
    (tmp_path / "model.ckpt-99.data-00000-of-00001").unlink()
    assert inspect(prefix).training == Training(step=99, step_from="file name")


def test_a_number_that_is_no_step(tmp_path: Path) -> None:
    prefix = write_tf1(tmp_path / "model.ckpt", {"global_step": np.array(0.5, np.float32), "w": values((2,))})
    assert inspect(prefix).training == Training()


def test_the_number_of_a_tf2_checkpoint_counts_its_saves(tmp_path: Path) -> None:
    assert inspect(write_template(tmp_path / "ckpt-6")).training == Training()


def test_slots_averages_and_quantization(tmp_path: Path) -> None:
    prefix = write_tf1(
        tmp_path / "model.ckpt",
        {
            "w": values((2,)),
            "w/RMSProp": values((2,)),
            "w/RMSProp_1": values((2,)),
            "w/ExponentialMovingAverage": values((2,)),
            "v": values((2,)),
            "v/Momentum": values((2,)),
            "conv/act_quant/min": values(()),
            "conv/act_quant/max": values(()),
        },
    )
    assert inspect(prefix).training == Training(optimizers=("Momentum", "RMSProp"), slots=3, averages=1, quantization=2)


@pytest.mark.parametrize("path", ["optimizer/iter", "optimizer/_iterations", "mine/_iterations", "step"])
def test_a_tf2_optimizer_counts_the_steps(tmp_path: Path, path: str) -> None:
    step = ObjectValue("step", DType.INT64, (), [(77).to_bytes(8, "little")])
    write_object_checkpoint(tmp_path / "ckpt-1", "", {path: step})
    found = inspect(tmp_path / "ckpt-1").training
    assert (found.step, found.step_from) == (77, f"{path}/.ATTRIBUTES/VARIABLE_VALUE")


def test_slots_of_a_tf2_optimizer(tmp_path: Path) -> None:
    raw = values((2,)).tobytes()
    paths = ["model/w", "optimizer/_variables/1", "optimizer/_variables/2", "optimizer/_trainable_variables/0"]
    made = {path: ObjectValue(path, DType.FLOAT32, (2,), [raw]) for path in paths}
    write_object_checkpoint(tmp_path / "ckpt-1", "", made)
    found = inspect(tmp_path / "ckpt-1")
    assert found.training == Training(slots=2)
    weights = [
        name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE")
        for name in found.inventory.variables.keys() - found.roles.keys()
    ]
    assert sorted(weights) == ["model/w", "optimizer/_trainable_variables/0"]
