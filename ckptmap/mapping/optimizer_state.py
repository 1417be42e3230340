"""What a TF1 checkpoint keeps of its optimizers: for each weight the slots, by what they hold.

Sources: ``tf.compat.v1.train`` (each optimizer's ``_create_slots`` and slot_creator.py, which numbers the second and
third slot of a weight ``RMSProp_1``, ``RMSProp_2``), ``tf.keras.optimizers`` in TF1 (``training/Adam/<weight>/m``) and
BERT's ``AdamWeightDecayOptimizer`` (``<weight>/adam_m``). ALBERT's ``LAMBOptimizer`` has the same names, others of its
kind have ``lamb_m``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ckptmap.basics.errors import Problem
from ckptmap.basics.text import counted, plural
from ckptmap.mapping.slots import Slot


@dataclass(frozen=True, slots=True)
class SlotRole:
    """What a slot holds.

    ``power``: with which power of a factor of the weight it changes; gradients are divided by such a factor.
    ``by_rate``: TF1 keeps it without the learning rate, and Keras with it, its sign turned.
    """

    name: str
    power: int
    by_rate: bool = False


@dataclass(frozen=True, slots=True)
class OptimizerKind:
    """An optimizer of TF1: what it is called here, and its slots in the order in which TF1 makes them.

    ``orders`` holds that order for each number of slots that a weight has. ``counterpart`` is Keras' optimizer.
    """

    name: str
    counterpart: str
    orders: tuple[tuple[SlotRole, ...], ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    """Names that a slot has instead of a number, with the name of its role."""

    @property
    def roles(self) -> tuple[SlotRole, ...]:
        """Every slot that it can have."""
        return self.orders[-1]


_MOMENTUM = SlotRole("momentum", -1, by_rate=True)
_VELOCITY = SlotRole("momentum", -1)
_RMS, _MG, _STEP = SlotRole("rms", -2), SlotRole("mg", -1), SlotRole("momentum", 0)
_M, _V = SlotRole("m", -1), SlotRole("v", -2)
_ACCUMULATOR, _LINEAR = SlotRole("accumulator", -2), SlotRole("linear", -1)
_GRADIENTS, _UPDATES = SlotRole("accum_grad", -2), SlotRole("accum_var", 2)
_WITH_DECAY = {f"{name}_{role}": role for name in ("adam", "lamb") for role in ("m", "v")}

KINDS: Mapping[str, OptimizerKind] = {
    "Momentum": OptimizerKind("Momentum", "sgd", ((_MOMENTUM,),)),
    "SGD": OptimizerKind("SGD", "sgd", ((_VELOCITY,),)),
    "RMSProp": OptimizerKind("RMSProp", "rmsprop", ((_RMS,), (_RMS, _STEP), (_RMS, _MG, _STEP))),
    "Adam": OptimizerKind("Adam", "adam", ((_M, _V),)),
    "AdamW": OptimizerKind("AdamW", "adam", ((_M, _V),)),
    "AdamWeightDecay": OptimizerKind("AdamWeightDecay", "adam", ((_M, _V),), _WITH_DECAY),
    "LAMB": OptimizerKind("LAMB", "adam", ((_M, _V),), _WITH_DECAY),
    "Adagrad": OptimizerKind("Adagrad", "adagrad", ((_ACCUMULATOR,),)),
    "Ftrl": OptimizerKind("Ftrl", "ftrl", ((_ACCUMULATOR, _LINEAR),)),
    "Adadelta": OptimizerKind("Adadelta", "adadelta", ((_GRADIENTS, _UPDATES),)),
}
"""By what ``ckptmap.mapping.slots`` calls them. ``SGD`` is that of Keras, which keeps what Keras keeps."""

ASKED: Mapping[str, tuple[str, ...]] = {
    "sgd": ("Momentum", "SGD"),
    "momentum": ("Momentum", "SGD"),
    "rmsprop": ("RMSProp",),
    "adam": ("Adam", "AdamW"),
    "adamw": ("AdamWeightDecay", "AdamW", "Adam"),
    "lamb": ("LAMB", "AdamWeightDecay"),
    "adagrad": ("Adagrad",),
    "ftrl": ("Ftrl",),
    "adadelta": ("Adadelta",),
}
"""What a user can ask for, and the kinds that are meant."""

_NUMBER = re.compile(r"_([0-9]{1,9})$")


@dataclass(frozen=True, slots=True)
class OptimizerState:
    """One optimizer: ``slots`` holds for each weight the variables of each role; ``name`` is what TF1 called it.

    A role has several variables where the weight is cut in parts and each part has a slot, in the order of the parts.
    """

    kind: OptimizerKind
    name: str
    slots: Mapping[str, Mapping[str, tuple[str, ...]]]

    @property
    def variables(self) -> frozenset[str]:
        """All of its slots."""
        return frozenset(name for roles in self.slots.values() for names in roles.values() for name in names)

    def role(self, name: str) -> SlotRole:
        """The role of this name. Raises KeyError where the optimizer has none."""
        return next(one for order in self.kind.orders for one in order if one.name == name)


def optimizer_states(slots: Mapping[str, Slot]) -> tuple[tuple[OptimizerState, ...], tuple[Problem, ...]]:
    """Every optimizer that a checkpoint keeps slots of, the one with the most slots first, and what is wrong with them.

    TF1 saves the slots of a weight's parts as one, like the parts themselves (slot_creator.py). Where it did not, they
    are told by the numbers of their parts.
    """
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for name, slot in slots.items():
        if slot.kind == "slot" and slot.owner is not None and slot.optimizer is not None:
            found.setdefault((slot.optimizer, _name_of(slot)), {}).setdefault(slot.owner, []).append(name)
    states, problems = [], []
    for (optimizer, called), owned in found.items():
        kind = KINDS.get(optimizer)
        if kind is None:
            continue
        made = {owner: _roles(kind, names, slots) for owner, names in owned.items()}
        problems += list(_wrong(kind, called, made, owned))
        states.append(OptimizerState(kind, called, {owner: roles for owner, roles in made.items() if roles}))
    return tuple(sorted(states, key=lambda one: -len(one.variables))), tuple(problems)


def unknown_optimizers(slots: Iterable[Slot]) -> tuple[str, ...]:
    """The optimizers whose slots have no counterpart, sorted."""
    found = {slot.optimizer for slot in slots if slot.kind == "slot" and slot.optimizer}
    return tuple(sorted(found - KINDS.keys()))


def _name_of(slot: Slot) -> str:
    """What TF1 called the optimizer: ``Adam_G`` of the slots ``Adam_G`` and ``Adam_G_1``."""
    kind = KINDS.get(slot.optimizer or "")
    if kind is not None and slot.label in kind.labels:
        return kind.name
    if kind is not None and slot.label in {role.name for role in kind.roles}:
        return slot.scope.rpartition("/")[2] or kind.name
    return _NUMBER.sub("", slot.label)


def _roles(kind: OptimizerKind, names: Iterable[str], slots: Mapping[str, Slot]) -> dict[str, tuple[str, ...]] | None:
    """The variables of each role; None where there are more or fewer slots than the optimizer makes."""
    by_part: dict[int | None, list[str]] = {}
    for name in names:
        by_part.setdefault(slots[name].part, []).append(name)
    numbers = [number for number in by_part if number is not None]
    if numbers and sorted(numbers) != list(range(len(by_part))):
        return None
    made = [_roles_of_one(kind, by_part[number], slots) for number in (sorted(numbers) or by_part)]
    told = [roles for roles in made if roles is not None]
    if len(told) < len(made) or len({frozenset(roles) for roles in told}) > 1:
        return None
    return {role: tuple(roles[role] for roles in told) for role in told[0]}


def _roles_of_one(kind: OptimizerKind, names: Iterable[str], slots: Mapping[str, Slot]) -> dict[str, str] | None:
    """The variable of each role, of a weight or of one of its parts."""
    labels = {name: slots[name].label for name in names}
    known = {role.name for role in kind.roles}
    told = {kind.labels.get(label, label): name for name, label in labels.items()}
    if told.keys() <= known:
        return told if told.keys() == known or kind.name == "RMSProp" else None
    ordered = sorted(labels, key=lambda name: _place(labels[name]))
    places = [_place(labels[name]) for name in ordered]
    order = next((order for order in kind.orders if len(order) == len(ordered)), None)
    if order is None or places != list(range(len(ordered))):
        return None
    return {role.name: name for role, name in zip(order, ordered, strict=True)}


def _place(label: str) -> int:
    found = _NUMBER.search(label)
    return int(found[1]) if found else 0


def _wrong(
    kind: OptimizerKind,
    called: str,
    made: Mapping[str, Mapping[str, tuple[str, ...]] | None],
    owned: Mapping[str, list[str]],
) -> Iterator[Problem]:
    odd = [owner for owner, roles in made.items() if roles is None]
    if odd:
        several = " or ".join(plural(len(order), "slot") for order in kind.orders)
        held = ", ".join(owned[odd[0]])
        more = f"; {counted(len(odd) - 1, 'other weight', 'is', 'are')} like it" if len(odd) > 1 else ""
        message = f"{called} keeps {several} of a weight, but {odd[0]} has {held}{more}"
        hint = "slots of two optimizers of one name, or some of them were lost: nothing shows which is which"
        yield Problem(message, odd[0], hint)
    sizes = {frozenset(roles) for roles in made.values() if roles}
    if len(sizes) > 1:
        few = min(sizes, key=len)
        first = next(owner for owner, roles in made.items() if roles and frozenset(roles) == few)
        message = f"{called} keeps {plural(len(few), 'slot')} of {first}, and more of other weights"
        yield Problem(message, first, "the checkpoint lacks some of the slots")
