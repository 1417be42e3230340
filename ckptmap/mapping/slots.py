"""Which variables of a TF1 checkpoint are no weights: moving averages, optimizer slots, bookkeeping, quantization.

A slot or a moving average is told by its owner: the variable that its name holds, perhaps below scopes of any name, of
its own shape. ``X/Momentum`` is a slot only where ``X`` is there and as large. Bookkeeping has no owner: it is told by
its name.

Where the names come from: ``tf.compat.v1.train`` optimizers and ``ExponentialMovingAverage`` (slot_creator.py: the name
of the variable, then that of the optimizer or slot, all of it in the scope where the optimizer was built),
``tf.keras.optimizers`` in TF1 (``training/Adam/<variable>/m``), canned Estimators (``<variable>/part_0/Adagrad``, the
variable being cut in parts that are saved as one), ``tf.contrib.layers.optimize_loss`` (``OptimizeLoss/<variable>/
Adam``), BERT's ``AdamWeightDecayOptimizer``, Adafactor of mesh-TensorFlow and Tensor2Tensor (``<variable>_slot_vr``),
``tf.contrib.quantize`` (``act_quant``, ``weights_quant``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SlotKind = Literal["ema", "slot", "bookkeeping", "quantization"]
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """What a variable is that is no weight.

    ``owner`` is the weight it belongs to, None for bookkeeping. ``label`` is the slot's own name (``RMSProp_1``) or,
    for bookkeeping and quantization, what the variable is, in words. ``scope`` is what stands before the owner in the
    name of a slot or a moving average, such as ``training/Adam``; empty where nothing does. ``part`` is the number of
    the part of its owner that it belongs to, where it is as large as one and not as the whole.
    """

    kind: SlotKind
    owner: str | None
    optimizer: str | None
    label: str
    scope: str = ""
    part: int | None = None


class Shaped(Protocol):
    """A variable, as far as it matters here."""

    @property
    def shape(self) -> Shape:
        """Its lengths."""


if TYPE_CHECKING:
    Variables = Mapping[str, Shaped]
    Fits = Callable[[Shape, Shape], bool]

_OPTIMIZERS = {
    "adamweightdecay": "AdamWeightDecay",
    "adafactor": "Adafactor",
    "adagradda": "AdagradDA",
    "proximaladagrad": "ProximalAdagrad",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adamax": "AdaMax",
    "nadam": "Nadam",
    "adamw": "AdamW",
    "adam": "Adam",
    "momentum": "Momentum",
    "rmsprop": "RMSProp",
    "ftrl": "Ftrl",
    "gradientdescent": "GradientDescent",
}
"""Optimizers by what their names hold in lower case, the more special first."""
_SHORT = {
    "lamb": "LAMB",
    "lars": "LARS",
    "larsoptimizer": "LARS",
    "sgd": "SGD",
    "opt": "",
    "optim": "",
    "optimizer": "",
}
"""Words too short to be looked for inside of others; those without an optimizer are called what they are."""
_WORD = re.compile("[A-Za-z]+")
_AVERAGES = frozenset(("ExponentialMovingAverage", "exponential_moving_average", "ema", "EMA"))
_KERAS_SLOTS = frozenset(
    ["m", "v", "vhat", "momentum", "rms", "mg", "accumulator", "accum_grad", "accum_var", "linear"]
)
"""What Keras and Ftrl call slots below a scope with the optimizer's name."""
_FACTORED = re.compile(r"(?P<owner>.+)_slot_(?P<slot>v|m|vr|vc)", re.DOTALL)
_PART = re.compile(r"(?P<owner>.+)/(?:part|t)_(?P<number>[0-9]{1,9})", re.DOTALL)
_NUMBER = re.compile(r"_[0-9]{1,9}$")
_MOST_SCOPES = 32
"""Scopes around an owner; more are no scopes of a person, and each is looked up."""
_STEPS = {
    "global_step": "bookkeeping: the training step",
    "eval_step": "bookkeeping: the evaluation step",
    "save_counter": "bookkeeping: how often the checkpoint was saved",
    "current_loss_scale": "bookkeeping: the loss scale of mixed precision",
    "good_steps": "bookkeeping: the loss scale of mixed precision",
    "loss_scale": "bookkeeping: the loss scale of mixed precision",
}
_COUNTERS = ("iter", "iterations")
_HYPERPARAMETERS = frozenset(
    [
        *_COUNTERS,
        *("decay", "lr", "learning_rate", "rho", "momentum", "beta", "beta_1", "beta_2", "beta1", "beta2", "epsilon"),
        *("l1_regularization_strength", "l2_regularization_strength", "l2_shrinkage_regularization_strength"),
        *("learning_rate_power", "initial_accumulator_value"),
    ]
)
_QUANTIZED = re.compile(r"[a-z0-9_]*_quant(?:_[0-9]+)?")
_RANGE = re.compile(r"min|max|(?:min|max)/(?:biased|local_step)")


def classify(variables: Variables) -> Mapping[str, Slot]:
    """What each variable is that is no weight, by its name; weights are left out. Takes time linear in the names."""
    found = {name: _told(name, variables) for name in variables}
    return {name: slot for name, slot in found.items() if slot is not None}


def averages_of(slots: Mapping[str, Slot]) -> dict[str, str]:
    """The moving average of each weight that has one; of several the one with the plainest name."""
    found = {name: slot.owner for name, slot in slots.items() if slot.kind == "ema" and slot.owner}
    return {
        owner: name for name, owner in sorted(found.items(), key=lambda item: (len(item[0]), item[0]), reverse=True)
    }


def misshapen(variables: Variables, slots: Mapping[str, Slot]) -> dict[str, str]:
    """The variables that are called as an optimizer's slots and have another shape than their weights, with these."""
    owners = {name: name.rpartition("/")[0] for name in variables if name not in slots}
    return {
        name: owner for name, owner in owners.items() if owner in variables and _leaf(name[len(owner) + 1 :]).optimizer
    }


def _told(name: str, variables: Variables) -> Slot | None:
    if "quant" in name and (slot := _quantization(name, variables)):
        return slot
    scope, _, last = name.rpartition("/")
    leaf = _leaf(last)
    return (
        (_below_optimizer(name, scope, variables) if leaf.keras else None)
        or (_suffixed(name, scope, leaf, variables) if leaf.average or leaf.optimizer else None)
        or (_numbered(name, scope, last, variables) if scope in variables else None)
        or (_factored(name, variables) if leaf.factored else None)
        or (_bookkeeping(name, variables) if leaf.bookkeeping else None)
    )


class _Leaf(NamedTuple):
    """What the last component of a name can say; ``optimizer`` is None where it names none."""

    text: str
    average: bool
    optimizer: str | None
    keras: bool
    factored: bool
    bookkeeping: bool


@lru_cache(maxsize=4096)
def _leaf(last: str) -> _Leaf:
    """Many variables share their last components."""
    plain = _unnumbered(last)
    known = plain in _STEPS or plain in _HYPERPARAMETERS or plain in ("beta1_power", "beta2_power")
    return _Leaf(
        last,
        plain in _AVERAGES,
        _optimizer(plain),
        plain in _KERAS_SLOTS,
        _FACTORED.fullmatch(last) is not None,
        known or plain == "Variable",
    )


@lru_cache(maxsize=4096)
def _optimizer(name: str) -> str | None:
    """The optimizer that a component names, also among other words (``Adam_G``); None where it names none."""
    lower = name.lower()
    if lower in ("adam_m", "adam_v"):
        return "AdamWeightDecay"
    found = next((optimizer for word, optimizer in _OPTIMIZERS.items() if word in lower), None)
    if found is None:
        short = next((_SHORT[word] for word in _WORD.findall(lower) if word in _SHORT), None)
        return short if short != "" else name
    return found


def _suffixed(name: str, above: str, leaf: _Leaf, variables: Variables) -> Slot | None:
    """``X/ExponentialMovingAverage``, ``X/RMSProp_1``, ``any/scope/X/part_0/Adam_G``."""
    fits = _factors if leaf.optimizer == "Adafactor" else _same
    found = _owner(above, variables[name].shape, variables, fits)
    if found is None:
        return None
    if leaf.average:
        return Slot("ema", found.name, None, leaf.text, found.scope, found.part)
    return Slot("slot", found.name, leaf.optimizer, leaf.text, found.scope, found.part)


def _numbered(name: str, owner: str, last: str, variables: Variables) -> Slot | None:
    """``X/mine`` and ``X/mine_1``: the two slots of an optimizer whose name says nothing, both as large as ``X``."""
    plain = _unnumbered(last)
    pair = [f"{owner}/{plain}", f"{owner}/{plain}_1"]
    shape = variables[owner].shape
    alike = all(one in variables and variables[one].shape == shape for one in pair)
    return Slot("slot", owner, plain, last) if alike and variables[name].shape == shape else None


class _Owner(NamedTuple):
    """A weight, the scope that a slot's name has before the weight's, and the number of the part that it is for."""

    name: str
    scope: str
    part: int | None


def _owner(text: str, shape: Shape, variables: Variables, fits: Fits, first: int = 0) -> _Owner | None:
    """The weight whose name ``text`` ends with, at least ``first`` scopes in, that ``shape`` fits: the longest name."""
    rest = text
    for count in range(_MOST_SCOPES):
        if count >= first and (fitting := _fitting(rest, shape, variables, fits)):
            name, part = fitting
            return _Owner(name, text[: len(text) - len(rest)].rstrip("/"), part)
        _, slash, rest = rest.partition("/")
        if not slash:
            break
    return None


def _fitting(text: str, shape: Shape, variables: Variables, fits: Fits) -> tuple[str, int | None] | None:
    """The variable that ``text`` names, or names a part of, where the shape fits it; with the part where it is one."""
    if text in variables and fits(shape, variables[text].shape):
        return text, None
    part = _PART.fullmatch(text) if text[-1:].isdigit() else None
    whole = variables.get(part["owner"]) if part else None
    if part is None or whole is None or not _part_of(shape, whole.shape):
        return None
    return part["owner"], int(part["number"]) if shape != whole.shape else None


def _same(shape: Shape, owner: Shape) -> bool:
    return shape == owner


def _factors(shape: Shape, owner: Shape) -> bool:
    """Whether it is as large as its owner, or as one that lacks one dimension: Adafactor keeps rows and columns."""
    return shape == owner or _factor(shape, owner)


def _factor(shape: Shape, owner: Shape) -> bool:
    return len(owner) > 1 and any(shape == owner[:axis] + owner[axis + 1 :] for axis in range(len(owner)))


def _part_of(shape: Shape, whole: Shape) -> bool:
    """Whether it is as large as ``whole``, or as a part of it cut along one dimension."""
    if len(shape) != len(whole):
        return False
    differing = [(length, most) for length, most in zip(shape, whole, strict=True) if length != most]
    return not differing or (len(differing) == 1 and 0 < differing[0][0] < differing[0][1])


def _below_optimizer(name: str, above: str, variables: Variables) -> Slot | None:
    """``training/Ftrl/X/accumulator``, ``Adam/X/m``: optimizer, owner, slot."""
    found = _owner(above, variables[name].shape, variables, _same, first=1)
    if found is None:
        return None
    optimizer = _named_in(found.scope) or _with_counter(found.scope, variables)
    if optimizer is None:
        return None
    return Slot("slot", found.name, optimizer, name.rpartition("/")[2], found.scope, found.part)


def _named_in(scope: str) -> str | None:
    """The optimizer that the innermost component of a scope names, of those that name one."""
    return next((found for part in reversed(scope.split("/")) if (found := _keras_name(_unnumbered(part)))), None)


def _keras_name(name: str) -> str | None:
    """The optimizer that a component names; one that is its whole name as Keras spells it (``RMSprop``)."""
    return name if _is_optimizer(name) else _optimizer(name)


def _is_optimizer(name: str) -> bool:
    return name.lower() in _OPTIMIZERS or name == "SGD"


def _with_counter(scope: str, variables: Variables) -> str | None:
    """The name of an optimizer of Keras at ``scope``, whatever it is called: it counts its steps there."""
    counted = any((found := variables.get(f"{scope}/{counter}")) and not found.shape for counter in _COUNTERS)
    return _unnumbered(scope.rpartition("/")[2]) if counted else None


def _factored(name: str, variables: Variables) -> Slot | None:
    """``X_slot_vr``: Adafactor of mesh-TensorFlow; its ``vr`` and ``vc`` lack one dimension of ``X``."""
    found = _FACTORED.fullmatch(name)
    if found is None:
        return None
    fits = _factor if found["slot"] in ("vr", "vc") else _same
    owner = _owner(found["owner"], variables[name].shape, variables, fits)
    return Slot("slot", owner.name, "Adafactor", f"slot_{found['slot']}", owner.scope) if owner else None


def _bookkeeping(name: str, variables: Variables) -> Slot | None:
    scope, _, last = name.rpartition("/")
    plain = _unnumbered(last)
    if plain in _STEPS:
        return Slot("bookkeeping", None, None, _STEPS[plain])
    if plain in ("beta1_power", "beta2_power"):
        return Slot("bookkeeping", None, "Adam", "bookkeeping: a running power of the Adam optimizer")
    if plain == "Variable":
        return _without_owner(scope, last, variables)
    parent = _unnumbered(scope.rpartition("/")[2])
    optimizer = parent if _is_optimizer(parent) else _with_counter(scope, variables)
    if optimizer is None or variables[name].shape:
        return None
    return Slot("bookkeeping", None, optimizer, f"bookkeeping: {plain} of the {optimizer} optimizer")


def _without_owner(scope: str, last: str, variables: Variables) -> Slot | None:
    """``training/Adam/Variable_3``: before TF 1.14 Keras named slots by their number, beside ``Adam/iterations``."""
    parent = scope.rpartition("/")[2]
    counted = _with_counter(scope, variables) or _with_counter(parent, variables)
    return Slot("slot", None, counted, last, scope) if counted and _is_optimizer(counted) else None


def _quantization(name: str, variables: Variables) -> Slot | None:
    """``X/weights_quant/min``, ``X/act_quant/X/act_quant/min/biased``, ``fake_quantization_step``."""
    pieces = name.split("/")
    if pieces[-1] == "fake_quantization_step":
        return Slot("quantization", None, None, "step counter of quantization-aware training")
    at = next((i for i, piece in enumerate(pieces) if _QUANTIZED.fullmatch(piece)), None)
    if at is None or not any(_RANGE.fullmatch("/".join(pieces[-count:])) for count in (1, 2)):
        return None
    return Slot(
        "quantization", _quantized(pieces[:at], pieces[at], variables), None, "range of quantization-aware training"
    )


def _quantized(scope: list[str], quantizer: str, variables: Variables) -> str | None:
    """The weight whose range it is; activations have none."""
    weight = "/".join((*scope, quantizer.removesuffix("_quant")))
    return weight if weight in variables else None


def _unnumbered(text: str) -> str:
    """A name without the number that TensorFlow adds to make it unique."""
    return _NUMBER.sub("", text) if text[-1:].isdigit() else text
