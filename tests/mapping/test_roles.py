from __future__ import annotations

import pytest

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory, Kind, Variable
from ckptmap.mapping.roles import roles

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


def inventory(*names: str, object_based: bool = True, shape: tuple[int, ...] = (2,)) -> Inventory:
    variables = {name: Variable(name, DType.FLOAT32, shape, 8) for name in names}
    return Inventory(Kind.V2, "ckpt-1", variables, object_based=object_based)


@pytest.mark.parametrize(
    ("slots", "optimizer"),
    [
        (("m", "v"), "Adam"),
        (("m", "v", "vhat"), "Adam"),
        (("momentum",), "SGD"),
        (("rms", "momentum"), "RMSprop"),
        (("accumulator",), "Adagrad"),
        (("accumulator", "linear"), "Ftrl"),
        (("accum_grad", "accum_var"), "Adadelta"),
        (("mine",), "an optimizer"),
    ],
)
def test_the_optimizer_of_keras_slots(slots: tuple[str, ...], optimizer: str) -> None:
    key = f"model/a/kernel/.OPTIMIZER_SLOT/optimizer/{slots[0]}{VALUE}"
    found = roles(
        inventory(
            f"model/a/kernel{VALUE}", *(f"model/a/kernel/.OPTIMIZER_SLOT/optimizer/{slot}{VALUE}" for slot in slots)
        )
    )
    assert len(found) == len(slots)
    assert (found[key].kind, found[key].owner, found[key].optimizer) == ("slot", f"model/a/kernel{VALUE}", optimizer)


def test_the_moving_average_of_an_optimizer() -> None:
    found = roles(inventory(f"model/a/kernel/.OPTIMIZER_SLOT/optimizer/average{VALUE}"))
    assert [(slot.kind, slot.owner) for slot in found.values()] == [("ema", f"model/a/kernel{VALUE}")]


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (OBJECT_GRAPH_KEY, "bookkeeping"),
        (f"save_counter{VALUE}", "bookkeeping"),
        (f"step{VALUE}", "bookkeeping"),
        (f"optimizer/iter{VALUE}", "bookkeeping"),
        (f"optimizer/learning_rate{VALUE}", "bookkeeping"),
        (f"optimizer/_variables/3{VALUE}", "slot"),
        (f"model/optimizer/_variables/3{VALUE}", "slot"),
        (f"optimizer/_trainable_variables/3{VALUE}", None),
        (f"optimizer/kernel{VALUE}", None),
        (f"net/_variables/3{VALUE}", None),
        (f"model/step{VALUE}", None),
        (f"model/optimizer_free/kernel{VALUE}", None),
        (f"model/a/kernel{VALUE}", None),
    ],
)
def test_other_keys(key: str, kind: str | None) -> None:
    found = roles(inventory(key, shape=() if kind == "bookkeeping" else (2,)))
    assert {name: slot.kind for name, slot in found.items()} == ({key: kind} if kind else {})


def test_names_are_told_as_tf1_names() -> None:
    found = roles(inventory("w", "w/Momentum", f"step{VALUE}", object_based=False))
    assert {name: slot.kind for name, slot in found.items()} == {"w/Momentum": "slot"}


def test_an_optimizer_of_any_name_counts_its_steps() -> None:
    made = inventory(f"sgd/_variables/2{VALUE}", f"sgd/_trainable_variables/0{VALUE}", f"net/kernel{VALUE}")
    steps = Variable(f"sgd/_iterations{VALUE}", DType.INT64, (), 8)
    counted = Variable(f"sgd/_variables/0{VALUE}", DType.INT64, (), 8)
    known = {**made.variables, steps.name: steps, counted.name: counted}
    found = roles(Inventory(Kind.V2, "ckpt-1", known, object_based=True))
    assert {name: slot.kind for name, slot in found.items()} == {
        f"sgd/_variables/2{VALUE}": "slot",
        steps.name: "bookkeeping",
        counted.name: "bookkeeping",
    }
