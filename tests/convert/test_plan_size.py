"""Planning takes time in proportion to the variables, whatever their fates."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Span, Variable
from ckptmap.mapping import load_table
from ckptmap.planning.choices import PlanOptions
from ckptmap.planning.name_matching import match
from ckptmap.planning.plan import make_plan
from ckptmap.targets.dims import Dim
from ckptmap.targets.target import Target
from ckptmap.targets.variables import SpecVariable

RULES = 100


def make(folder: Path, layers: int) -> tuple[Inventory, Path, Target]:
    """Per rule ``layers`` weights that are mapped, with a slot each, and as many that a rule drops."""
    table = folder / f"{layers}.yaml"
    lines = [
        f'  - {{from: "net{rule}/layer_{{i}}/weights", to: "model{rule}/layer_{{i}}/kernel"}}' for rule in range(RULES)
    ]
    drops = [f'  - {{match: "old{rule}/layer_{{i}}/weights", reason: gone}}' for rule in range(RULES)]
    table.write_text("\n".join(["where: {i: int}", "variables:", *lines, "drop:", *drops]) + "\n")
    places = [(rule, layer) for rule in range(RULES) for layer in range(layers)]
    names = [f"net{rule}/layer_{layer}/weights" for rule, layer in places]
    names += [f"{name}/Momentum" for name in names] + [f"old{rule}/layer_{layer}/weights" for rule, layer in places]
    span = Span(0, 0, 16, 0)
    variables = {name: Variable(name, DType.FLOAT32, (4,), 16, span) for name in sorted(names)}
    kernels = [f"model{rule}/layer_{layer}/kernel" for rule, layer in places]
    target = Target("t", tuple(SpecVariable(k, k, DType.FLOAT32, (Dim(4),)) for k in kernels))
    return Inventory(Kind.V2, "old", variables, ("old",)), table, target


def seconds(folder: Path, layers: int) -> float:
    inventory, table, target = make(folder, layers)
    loaded = load_table(table)
    start = time.process_time()
    plan = make_plan(match(inventory, loaded), target, PlanOptions())
    spent = time.process_time() - start
    assert plan.summary["restored"] == RULES * layers
    assert plan.summary["dropped"] == 2 * RULES * layers
    return spent


@pytest.mark.slow
def test_four_times_the_variables_take_about_four_times_as_long(tmp_path: Path) -> None:
    seconds(tmp_path, 10)  # imports
    few = min(seconds(tmp_path, 80) for _ in range(2))
    assert seconds(tmp_path, 320) < 10 * few  # 96,000 variables; a search for each would take 16 times as long
