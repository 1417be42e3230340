"""Of every shipped target: a checkpoint of 3 classes shows the other lengths, whatever class count is asked for."""

from __future__ import annotations

import pytest

from ckptmap.audit.subject import subject_of_target
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.checkpoint.object_graph import variable_key
from ckptmap.targets import Target, list_targets, load_target

CLASSES = 3


def lengths(target: Target) -> dict[str, int]:
    """A value for each unknown, no two of a kind alike but anchors, which make 12 outputs of class and box heads."""
    layout = target.layout((), {setting.name: setting.default for setting in target.settings})
    needed = sorted({name for variable in layout.variables for name in variable.unknowns})
    found: dict[str, int] = {}
    for number, name in enumerate(needed):
        default = target.unknowns[name].default if name in target.unknowns else None
        found[name] = default or (3 if name.startswith("anchors") else 8 * (number + 1))
    return {**found, "num_classes": CLASSES} if "num_classes" in found else found


@pytest.mark.parametrize("name", [name for name in list_targets() if "num_classes" in lengths(load_target(name))])
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_another_class_count_changes_nothing_but_what_is_of_each_class(name: str, classes: int) -> None:
    target, values = load_target(name), lengths(load_target(name))
    given = {setting.name: setting.default for setting in target.settings}
    layout = target.layout((), given)
    held = [(variable_key(f"model/{v.key}"), v.concrete(values)) for v in layout.variables]
    variables = {key: Variable(key, DType.FLOAT32, v.shape, 4) for key, v in held}
    inventory = Inventory(Kind.V2, "m", variables, object_based=True)
    asked = subject_of_target(name, inventory, given={**given, "num_classes": classes}).model.variables
    assert asked is not None
    shapes = {v.key: v.shape for v in asked}
    wanted = {**values, "num_classes": classes}
    assert shapes == {v.key: v.concrete(wanted).shape for v in layout.variables}
