"""The way back by names and shapes alone: every detector of the corpus returns to the names that it had."""

from __future__ import annotations

from pathlib import Path

import pytest

import ckptmap
from ckptmap.checkpoint.dtypes import dtype_from_label
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory, Kind, Variable
from ckptmap.checkpoint.object_graph import variable_key
from ckptmap.mapping.slots import classify
from ckptmap.planning.returning import Filling, plan_return
from ckptmap.report.conversion_document import document
from ckptmap.request.conversion_report import forward_of_report
from tests.convert.test_corpus import CORPUS, DETECTORS, needs_corpus

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
CASES = [(CORPUS / "tf1" / one[0], one[1]) for one in DETECTORS] + [
    (FIXTURES / "ssd_mobilenet_v2_training", "ssd_mobilenet_v2")
]


def written(report: dict) -> Inventory:
    """The checkpoint that the conversion would write."""
    variables = {}
    for one in report["target_variables"]:
        dtype = dtype_from_label(one["dtype"])
        assert dtype is not None
        key = variable_key(one["key"])
        variables[key] = Variable(key, dtype, tuple(one["shape"]), 0)
    return Inventory(Kind.V2, "new/ckpt-0", dict(sorted(variables.items())), object_based=True)


@needs_corpus
@pytest.mark.parametrize(("source", "target"), CASES, ids=str)
def test_every_variable_returns_to_its_name_and_shape(source, target):
    report = document(ckptmap.plan(source, to=target, no_pipeline=True))
    with ckptmap.open_checkpoint(source) as checkpoint:
        old = checkpoint.inventory
    inventory = written(report)
    plan = plan_return(inventory, forward_of_report(report, "report.json"), {}, Filling(str(source), old))
    assert plan.findings == ()
    slots = classify(old.variables)
    kept = {name for name in old.variables if name not in slots or slots[name].kind != "slot"}
    made = {record.variable.name: record for record in plan.targets}
    assert made.keys() == kept
    assert all(
        (r.variable.shape, r.variable.dtype) == (old.variables[n].shape, old.variables[n].dtype)
        for n, r in made.items()
    )
    there = {
        one["source"]: variable_key(one["key"]) for one in report["target_variables"] if isinstance(one["source"], str)
    }
    assert all(made[name].sources == (key,) for name, key in there.items())
    assert OBJECT_GRAPH_KEY not in made
