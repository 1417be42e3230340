"""Variables written in unknowns become concrete."""

from __future__ import annotations

import pytest

from ckptmap.checkpoint.dtypes import DType
from ckptmap.targets.dims import Dim, parse_dim
from ckptmap.targets.variables import SpecVariable, TargetVariable, name_fields

VARIABLE = SpecVariable(
    "a/kernel", "Conv2d_2_1x1_{width_256}_conv/kernel", DType.FLOAT32, (Dim(1), Dim(1), parse_dim("6*w"), Dim(8))
)


def test_concrete() -> None:
    variable = VARIABLE.concrete({"width_256": 128, "w": 4})
    assert variable == TargetVariable("a/kernel", "Conv2d_2_1x1_128_conv/kernel", DType.FLOAT32, (1, 1, 24, 8))
    assert variable.nbytes == 1 * 1 * 24 * 8 * 4


def test_concrete_needs_every_unknown() -> None:
    with pytest.raises(KeyError, match="width_256"):
        VARIABLE.concrete({"w": 4})


def test_unknowns_of_dims_and_name() -> None:
    assert VARIABLE.unknowns == ("w", "width_256")
    assert name_fields(VARIABLE.name) == (parse_dim("width_256"),)
    assert name_fields("Conv1/kernel") == ()
