"""The part that each variable of any checkpoint plays beside the weights: slots, moving averages, bookkeeping.

TF1 names are told by ``ckptmap.mapping.slots``. In a TF2 checkpoint the key says it: a slot's key is its variable's
path, ``.OPTIMIZER_SLOT``, the optimizer's attribute and the slot's name (trackable_utils.py); an optimizer of Keras
2.11 and later keeps its variables below ``<optimizer>/_variables``, beside ``<optimizer>/_iterations``.

``<optimizer>/_trainable_variables/<n>`` of Keras 3 is no slot: it is a weight of the model. TensorFlow saves a variable
once, by the shortest path that leads to it, and through the optimizer it often is the shortest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory, Kind, Variable
from ckptmap.checkpoint.keras import OPTIMIZER_GROUPS
from ckptmap.checkpoint.naming import part_name
from ckptmap.mapping.slots import Slot, classify

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_SLOT = re.compile(rf"(?P<owner>.+)/\.OPTIMIZER_SLOT/(?P<optimizer>.+)/(?P<slot>[^/]+){re.escape(_VALUE)}", re.DOTALL)
_BELOW_OPTIMIZER = re.compile(
    rf"(?P<optimizer>.+)/(?:_variables/(?P<number>\d{{1,9}})|(?P<setting>[^\W\d]\w*)){re.escape(_VALUE)}", re.DOTALL
)
_OPTIMIZER_NAME = re.compile(
    r"(?:.*/)?_?(?:optimizer|optimizers/\d+|base_optimizer|inner_optimizer|ema_base_optimizer)", re.DOTALL
)
_COUNTER = re.compile(rf"(?P<counter>save_counter|step|global_step|epoch){re.escape(_VALUE)}")
_ITERATIONS = "/_iterations"
_BY_SLOTS = (
    (frozenset(("m", "v")), "Adam"),
    (frozenset(("rms",)), "RMSprop"),
    (frozenset(("accum_grad", "accum_var")), "Adadelta"),
    (frozenset(("accumulator", "linear")), "Ftrl"),
    (frozenset(("accumulator",)), "Adagrad"),
    (frozenset(("momentum",)), "SGD"),
)
"""The Keras optimizer by the slots that it keeps, the first that fits (tf_keras/optimizers/legacy)."""


def roles(inventory: Inventory) -> Mapping[str, Slot]:
    """What each variable is that is no weight; weights are left out. Takes time linear in the names."""
    if inventory.parts:
        return {name: slot for label, part in inventory.parts.items() for name, slot in _of_part(label, part)}
    variables = inventory.variables
    if inventory.kind is Kind.KERAS:
        return dict(_of_keras_file(variables))
    return dict(_by_key(variables, _listed(inventory))) if inventory.object_based else classify(variables)


def _of_part(label: str, part: Inventory) -> Iterator[tuple[str, Slot]]:
    """The roles in one of several checkpoints, under the names that it has among the others."""
    for name, slot in roles(part).items():
        owner = part_name(label, slot.owner) if slot.owner is not None else None
        yield part_name(label, name), replace(slot, owner=owner)


def _listed(inventory: Inventory) -> Mapping[str, str]:
    """The name that a variable goes by, by its key, where that is another."""
    return {key: name for name, others in inventory.names.items() for key in others if key.endswith(_VALUE)}


def _of_keras_file(variables: Iterable[str]) -> Iterator[tuple[str, Slot]]:
    """Files of Keras have the variables of an optimizer in a group of their own."""
    for name in variables:
        if name.startswith(OPTIMIZER_GROUPS):
            yield name, Slot("slot", None, None, "variable of a Keras optimizer", name.partition("/")[0])


def _by_key(variables: Mapping[str, Variable], listed: Mapping[str, str]) -> Iterator[tuple[str, Slot]]:
    found = {key: match for key in variables if ".OPTIMIZER_SLOT/" in key and (match := _SLOT.fullmatch(key))}
    optimizers = _optimizers(found.values())
    for key, variable in variables.items():
        if key in found:
            yield key, _slot(found[key], optimizers, listed)
        elif key == OBJECT_GRAPH_KEY:
            yield key, Slot("bookkeeping", None, None, "bookkeeping: the object graph")
        elif match := _COUNTER.fullmatch(key):
            yield key, Slot("bookkeeping", None, None, f"bookkeeping: {match['counter'].replace('_', ' ')}")
        elif (match := _BELOW_OPTIMIZER.fullmatch(key)) and (slot := _of_keras(match, variable, variables)):
            yield key, slot


def _is_optimizer(path: str, variables: Mapping[str, Variable]) -> bool:
    """Whether an optimizer is at this path: it is called so, or counts its steps as those of Keras do."""
    counter = variables.get(path + _ITERATIONS + _VALUE)
    return _OPTIMIZER_NAME.fullmatch(path) is not None or (counter is not None and not counter.shape)


def _of_keras(match: re.Match[str], variable: Variable, variables: Mapping[str, Variable]) -> Slot | None:
    """A variable right below an optimizer: a slot, or a setting, which is a scalar and may be numbered too."""
    optimizer, setting = match["optimizer"], match["setting"]
    if (setting and variable.shape) or not _is_optimizer(optimizer, variables):
        return None
    if setting:
        label = f"bookkeeping: {setting.removeprefix('_')} of the optimizer"
        return Slot("bookkeeping", None, None, label, optimizer)
    if not variable.shape and variable.dtype in (DType.INT32, DType.INT64):
        return Slot("bookkeeping", None, None, "bookkeeping: a counter of the optimizer", optimizer)
    return Slot("slot", None, None, "variable of a Keras optimizer", optimizer)


def _slot(match: re.Match[str], optimizers: Mapping[str, str], listed: Mapping[str, str]) -> Slot:
    owner = listed.get(match["owner"] + _VALUE, match["owner"] + _VALUE)
    if match["slot"] == "average":
        return Slot("ema", owner, None, "average", match["optimizer"])
    return Slot("slot", owner, optimizers[match["optimizer"]], match["slot"], match["optimizer"])


def _optimizers(slots: Iterable[re.Match[str]]) -> dict[str, str]:
    """The name of each optimizer, by the attribute that holds it."""
    kept: dict[str, set[str]] = {}
    for slot in slots:
        kept.setdefault(slot["optimizer"], set()).add(slot["slot"])
    return {attribute: _optimizer(names) for attribute, names in kept.items()}


def _optimizer(slots: set[str]) -> str:
    return next((name for needed, name in _BY_SLOTS if needed <= slots), "an optimizer")
