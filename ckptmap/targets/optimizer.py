"""The optimizer of a TF2 model as a checkpoint has it: three layouts as data.

``LEGACY`` is what tf_keras' legacy optimizers save, and the Object Detection API's trainer with them: a slot lies at
``<weight>/.OPTIMIZER_SLOT/<optimizer>/<slot>``, and the object graph's node of the optimizer names weight and slot.
Optimizers of Keras 2.11 and later keep all their variables in ``_variables``, and once more in a list for each role, in
the order of the weights; those of Keras 3 keep the weights too, in ``_trainable_variables``.
(tf_keras/src/optimizers/legacy/optimizer_v2.py, tf_keras/src/optimizers/optimizer.py,
keras/src/optimizers/base_optimizer.py.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ckptmap.basics.errors import Problem
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_graph import OPTIMIZER_SLOT
from ckptmap.targets.variables import TargetVariable

LayoutName = Literal["legacy", "keras 2.11", "keras 3"]
PART = "optimizer"
BUILD = (
    "build it before the checkpoint is saved: optimizer.build(model.trainable_variables), of a legacy optimizer "
    "optimizer._create_all_weights(model.trainable_variables)"
)
"""How an optimizer gets its slots."""
AVERAGE = "average"
"""The slot of the API's moving-average optimizer."""


@dataclass(frozen=True, slots=True)
class Form:
    """How Keras keeps an optimizer: ``lists`` are the attributes that hold the variables of each role, by attribute.

    An optimizer is of the first form whose attribute ``told_by`` it has.
    """

    kind: str
    told_by: str
    lists: Mapping[str, str]


KERAS_FORMS = (
    Form("rmsprop", "_average_gradients", {"_velocities": "rms", "_momentums": "momentum", "_average_gradients": "mg"}),
    Form("ftrl", "_linears", {"_accumulators": "accumulator", "_linears": "linear"}),
    Form(
        "adadelta",
        "_accumulated_grads",
        {"_accumulated_grads": "accum_grad", "_accumulated_delta_vars": "accum_var"},
    ),
    Form("adam", "_velocities", {"_momentums": "m", "_velocities": "v"}),
    Form("adagrad", "_accumulators", {"_accumulators": "accumulator"}),
    Form("sgd", "momentums", {"momentums": "momentum"}),
)
"""The more special first."""

LEGACY_FORMS = (
    ("rmsprop", frozenset(("rms",))),
    ("ftrl", frozenset(("accumulator", "linear"))),
    ("adadelta", frozenset(("accum_grad", "accum_var"))),
    ("adam", frozenset(("m", "v"))),
    ("adagrad", frozenset(("accumulator",))),
    ("sgd", frozenset(("momentum",))),
)
"""Legacy optimizers by the slots that they keep: the first that has all of them."""

API_SLOTS = {"sgd": ("momentum",), "rmsprop": ("rms", "momentum"), "adam": ("m", "v")}
"""What the Object Detection API's trainer can have, and the slots that it makes (builders/optimizer_builder.py)."""
API_SETTINGS = {
    "sgd": {"decay": 0.0, "momentum": 0.9},
    "rmsprop": {"decay": 0.0, "momentum": 0.9, "rho": 0.9},
    "adam": {"beta_1": 0.9, "beta_2": 0.999, "decay": 0.0},
}
"""The numbers that they save, with the defaults of optimizer.proto; the learning rate is a function, and not saved."""


@dataclass(frozen=True, slots=True)
class SlotVariable:
    """A slot of ``owner``, the key of a weight below the model's root, that holds ``role``."""

    variable: TargetVariable
    owner: str
    role: str


@dataclass(frozen=True, slots=True)
class TargetOptimizer:
    """The optimizer of a target: paths start with ``/`` and are counted from the checkpoint itself.

    ``settings`` are its numbers beside the slots, ``links`` further paths to its variables and to the weights, each
    with the one that the variable goes by. ``step`` is the trainer's own counter, where there is one.
    """

    layout: LayoutName
    kind: str
    path: str
    iterations: TargetVariable
    slots: tuple[SlotVariable, ...]
    settings: tuple[tuple[TargetVariable, float | None], ...] = ()
    """Each with its value; None: the template's."""
    links: Mapping[str, str] = field(default_factory=dict)
    step: TargetVariable | None = None

    @property
    def roles(self) -> frozenset[str]:
        """What its slots hold."""
        return frozenset(slot.role for slot in self.slots)


@dataclass(frozen=True, slots=True)
class OptimizersFound:
    """The optimizers of a template that were built, and why others cannot be used."""

    built: tuple[TargetOptimizer, ...] = ()
    problems: tuple[Problem, ...] = ()


def slot_path(owner: str, optimizer: str, slot: str) -> str:
    """Where a legacy optimizer's slot of the weight at ``owner`` lies; paths without a slash in front."""
    return f"/{owner}/{OPTIMIZER_SLOT}/{optimizer}/{slot}"


def api_optimizer(
    kind: str, root: str, weights: Iterable[TargetVariable], settings: Mapping[str, float], *, averaged: bool
) -> TargetOptimizer:
    """The optimizer of the Object Detection API's trainer for these trainable ``weights`` below ``root``.

    ``averaged``: inside of its moving-average optimizer, which keeps an average of each weight. Raises KeyError for a
    ``kind`` that the trainer does not have.
    """
    outer = "optimizer"
    path = f"{outer}/ema_base_optimizer" if averaged else outer
    told = {**API_SETTINGS[kind], **settings}
    roles = [role for role in API_SLOTS[kind] if role != "momentum" or told["momentum"]]
    slots = [
        SlotVariable(_slot(weight, root, place, role), weight.key, role)
        for place, role in (*((path, role) for role in roles), *([(outer, AVERAGE)] if averaged else []))
        for weight in weights
    ]
    numbers = tuple((_number(path, name, DType.FLOAT32), value) for name, value in sorted(told.items()))
    step = TargetVariable("/step", "global_step", DType.INT64, (), trainable=False, part="training step")
    return TargetOptimizer("legacy", kind, path, _number(path, "iter", DType.INT64), tuple(slots), numbers, {}, step)


def _slot(weight: TargetVariable, root: str, optimizer: str, role: str) -> TargetVariable:
    owner = f"{root}/{weight.key}" if root else weight.key
    name = f"{weight.name}/{role}"
    return TargetVariable(
        slot_path(owner, optimizer, role), name, weight.dtype, weight.shape, trainable=False, part=PART
    )


def _number(path: str, name: str, dtype: DType) -> TargetVariable:
    return TargetVariable(f"/{path}/{name}", f"{path.rpartition('/')[2]}/{name}", dtype, (), trainable=False, part=PART)
