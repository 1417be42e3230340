"""The part that each variable plays beside the weights: slots, moving averages, bookkeeping, quantization.

TF1 names are told by ``ckptmap.mapping.slots``. In a TF2 checkpoint the key says it: a slot's key is its variable's
path, ``.OPTIMIZER_SLOT``, the optimizer's attribute and the slot's name (trackable_utils.py); an optimizer of Keras
2.11 and later keeps its variables below ``<optimizer>/_variables``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory
from ckptmap.mapping.slots import Slot, classify

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_SLOT = re.compile(
    rf"(?P<owner>.+)/\.OPTIMIZER_SLOT/(?P<optimizer>[^/]+)/(?P<slot>[^/]+){re.escape(_VALUE)}", re.DOTALL
)
_OPTIMIZER = r"(?:.*/)?_?(?:optimizer|optimizers/\d+|base_optimizer|inner_optimizer)/"
_KERAS_VARIABLE = re.compile(rf"{_OPTIMIZER}_variables/\d+{re.escape(_VALUE)}")
_BOOKKEEPING = re.compile(
    rf"(?:(?P<counter>save_counter|step|global_step|epoch)|{_OPTIMIZER}_?(?P<setting>\w+)){re.escape(_VALUE)}"
)
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
    """What each variable is that is no weight; weights are left out."""
    names = inventory.variables
    return dict(_by_key(names)) if inventory.object_based else classify(names)


def _by_key(keys: Iterable[str]) -> Iterator[tuple[str, Slot]]:
    found = {key: match for key in keys if ".OPTIMIZER_SLOT/" in key and (match := _SLOT.fullmatch(key))}
    optimizers = _optimizers(found.values())
    for key in keys:
        if key in found:
            yield key, _slot(found[key], optimizers)
        elif key == OBJECT_GRAPH_KEY:
            yield key, Slot("bookkeeping", None, None, "bookkeeping: the object graph")
        elif _KERAS_VARIABLE.fullmatch(key):
            yield key, Slot("slot", None, None, "variable of a Keras optimizer")
        elif match := _BOOKKEEPING.fullmatch(key):
            yield key, Slot("bookkeeping", None, None, _bookkeeping(match))


def _slot(match: re.Match[str], optimizers: Mapping[str, str]) -> Slot:
    owner = match["owner"] + _VALUE
    if match["slot"] == "average":
        return Slot("ema", owner, None, "average")
    return Slot("slot", owner, optimizers[match["optimizer"]], match["slot"])


def _optimizers(slots: Iterable[re.Match[str]]) -> dict[str, str]:
    """The name of each optimizer, by the attribute that holds it."""
    kept: dict[str, set[str]] = {}
    for slot in slots:
        kept.setdefault(slot["optimizer"], set()).add(slot["slot"])
    return {attribute: _optimizer(names) for attribute, names in kept.items()}


def _optimizer(slots: set[str]) -> str:
    return next((name for needed, name in _BY_SLOTS if needed <= slots), "an optimizer")


def _bookkeeping(match: re.Match[str]) -> str:
    if match["counter"]:
        return f"bookkeeping: {match['counter'].replace('_', ' ')}"
    return f"bookkeeping: {match['setting']} of the optimizer"
