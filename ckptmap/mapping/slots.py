"""Which variables of a TF1 checkpoint are no weights: moving averages, optimizer slots, bookkeeping, quantization.

They are told from their names, and a slot from its owner too: ``X/Momentum`` is one only where ``X`` is there.

Where the names come from: ``tf.compat.v1.train`` optimizers and ``ExponentialMovingAverage`` (slot_creator.py: the name
of the variable, then that of the optimizer or slot), ``tf.keras.optimizers`` in TF1 (``training/Adam/<variable>/m``),
``tf.contrib.layers.optimize_loss`` (``OptimizeLoss/<variable>/Adam``), BERT's ``AdamWeightDecayOptimizer``,
``tf.contrib.quantize`` (``act_quant``, ``weights_quant``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

SlotKind = Literal["ema", "slot", "bookkeeping", "quantization"]


@dataclass(frozen=True, slots=True)
class Slot:
    """What a variable is that is no weight.

    ``owner`` is the weight it belongs to, None for bookkeeping. ``label`` is the slot's own name (``RMSProp_1``) or,
    for bookkeeping and quantization, what the variable is, in words.
    """

    kind: SlotKind
    owner: str | None
    optimizer: str | None
    label: str


_EMA = "ExponentialMovingAverage"
_BY_SUFFIX = {
    "Momentum": "Momentum",
    "RMSProp": "RMSProp",
    "Adam": "Adam",
    "AdamW": "AdamW",
    "AdaMax": "AdaMax",
    "Adamax": "AdaMax",
    "Adagrad": "Adagrad",
    "AdagradDA": "AdagradDA",
    "Adadelta": "Adadelta",
    "Ftrl": "Ftrl",
    "ProximalAdagrad": "ProximalAdagrad",
    "LARSOptimizer": "LARS",
    "LAMB": "LAMB",
    "Lamb": "LAMB",
    "adam_m": "AdamWeightDecay",
    "adam_v": "AdamWeightDecay",
}
"""The last component of a slot's name, its ``_1``, ``_2`` aside, to the optimizer."""
_OPTIMIZERS = frozenset(
    [
        "Adam",
        "AdamW",
        "Adamax",
        "Nadam",
        "SGD",
        "RMSprop",
        "RMSProp",
        "Adagrad",
        "Adadelta",
        "Ftrl",
        "Momentum",
        "GradientDescent",
    ]
)
_KERAS_SLOTS = frozenset(
    ["m", "v", "vhat", "momentum", "rms", "mg", "accumulator", "accum_grad", "accum_var", "linear"]
)
"""What Keras and Ftrl call slots below a prefix with the optimizer's name."""
_PREFIXES = frozenset(("training", "train", "optimizer", "OptimizeLoss"))
_NUMBER = re.compile(r"_[0-9]{1,9}$")
_STEPS = {
    "global_step": "bookkeeping: the training step",
    "eval_step": "bookkeeping: the evaluation step",
    "save_counter": "bookkeeping: how often the checkpoint was saved",
    "current_loss_scale": "bookkeeping: the loss scale of mixed precision",
    "good_steps": "bookkeeping: the loss scale of mixed precision",
    "loss_scale": "bookkeeping: the loss scale of mixed precision",
}
_HYPERPARAMETERS = frozenset(
    ["iter", "iterations", "decay", "lr", "learning_rate", "rho", "momentum", "beta_1", "beta_2", "beta1", "beta2"]
)
_TELLING = frozenset((*_BY_SUFFIX, _EMA, *_KERAS_SLOTS, *_STEPS, *_HYPERPARAMETERS, "beta1_power", "beta2_power"))
"""Last components of names, their numbers aside, that are worth a look; names of quantization have quant in them."""
_QUANTIZED = re.compile(r"[a-z0-9_]*_quant(?:_[0-9]+)?")
_RANGE = re.compile(r"min|max|(?:min|max)/(?:biased|local_step)")


def classify(names: Collection[str]) -> Mapping[str, Slot]:
    """What each variable is that is no weight; weights are left out. Takes time linear in the names."""
    known = names if isinstance(names, (set, frozenset, dict)) else frozenset(names)
    found = {}
    for name in names:
        if "quant" not in name and _unnumbered(name.rpartition("/")[2]) not in _TELLING:
            continue
        slot = (
            _quantization(name, known) or _suffixed(name, known) or _below_optimizer(name, known) or _bookkeeping(name)
        )
        if slot is not None:
            found[name] = slot
    return found


def _suffixed(name: str, names: Collection[str]) -> Slot | None:
    """``X/ExponentialMovingAverage``, ``X/RMSProp_1``, ``training/X/Adam``."""
    scope, _, last = name.rpartition("/")
    label = _unnumbered(last)
    if label not in _BY_SUFFIX and last != _EMA:
        return None
    owner = _owner(scope, names)
    if owner is None:
        return None
    return Slot("ema", owner, None, last) if last == _EMA else Slot("slot", owner, _BY_SUFFIX[label], last)


def _owner(scope: str, names: Collection[str]) -> str | None:
    """The weight that a slot belongs to: its name without the last component, perhaps below a known prefix."""
    if scope in names:
        return scope
    first, _, rest = scope.partition("/")
    return rest if _unnumbered(first) in _PREFIXES and rest in names else None


def _below_optimizer(name: str, names: Collection[str]) -> Slot | None:
    """``training/Ftrl/X/accumulator``, ``Adam/X/m``: optimizer, owner, slot."""
    pieces = name.split("/")
    if _unnumbered(pieces[-1]) not in _KERAS_SLOTS:
        return None
    start = 1 if _unnumbered(pieces[0]) in _PREFIXES else 0
    if len(pieces) < start + 3:
        return None
    optimizer, owner = _unnumbered(pieces[start]), "/".join(pieces[start + 1 : -1])
    if optimizer not in _OPTIMIZERS or owner not in names:
        return None
    return Slot("slot", owner, optimizer, pieces[-1])


def _bookkeeping(name: str) -> Slot | None:
    pieces = name.split("/")
    last = _unnumbered(pieces[-1])
    if last in _STEPS:
        return Slot("bookkeeping", None, None, _STEPS[last])
    if last in ("beta1_power", "beta2_power"):
        return Slot("bookkeeping", None, "Adam", "bookkeeping: a running power of the Adam optimizer")
    if last not in _HYPERPARAMETERS:
        return None
    parent = _unnumbered(pieces[-2]) if len(pieces) > 1 else ""
    if parent in _OPTIMIZERS:
        return Slot("bookkeeping", None, parent, f"bookkeeping: {last} of the {parent} optimizer")
    return None


def _quantization(name: str, names: Collection[str]) -> Slot | None:
    """``X/weights_quant/min``, ``X/act_quant/X/act_quant/min/biased``, ``fake_quantization_step``."""
    if "quant" not in name:
        return None
    pieces = name.split("/")
    if pieces[-1] == "fake_quantization_step":
        return Slot("quantization", None, None, "step counter of quantization-aware training")
    at = next((i for i, piece in enumerate(pieces) if _QUANTIZED.fullmatch(piece)), None)
    if at is None or not any(_RANGE.fullmatch("/".join(pieces[-count:])) for count in (1, 2)):
        return None
    return Slot(
        "quantization", _quantized(pieces[:at], pieces[at], names), None, "range of quantization-aware training"
    )


def _quantized(scope: list[str], quantizer: str, names: Collection[str]) -> str | None:
    """The weight whose range it is; activations have none."""
    weight = "/".join((*scope, quantizer.removesuffix("_quant")))
    return weight if weight in names else None


def _unnumbered(text: str) -> str:
    """A name without the number that TensorFlow adds to make it unique."""
    return _NUMBER.sub("", text) if text[-1:].isdigit() else text
