"""The optimizer of a train_config: what the trainer makes of it, and the learning rate of any step.

Sources: the API's ``builders/optimizer_builder.py`` and ``utils/learning_schedules.py``; TF1 and TF2 read the same
schedule from the same fields.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

from ckptmap.basics.errors import ConfigError
from ckptmap.planning.choices import ConfiguredOptimizer

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.config import PipelineConfig
    from ckptmap.families.detection.pipeline.view import View

_OPTIMIZER = "train_config.optimizer"
_KINDS = {"rms_prop_optimizer": "rmsprop", "momentum_optimizer": "sgd", "adam_optimizer": "adam"}


def has_optimizer(config: PipelineConfig) -> bool:
    """Whether the config says which optimizer trains the model."""
    return bool(config.root.at(_OPTIMIZER).which("optimizer"))


def configured_optimizer(config: PipelineConfig, step: int | None) -> ConfiguredOptimizer:
    """The optimizer of ``config``, and what its learning rate does from ``step`` on.

    Raises:
        ConfigError: an optimizer that the API does not build.
    """
    block = config.root.at(_OPTIMIZER)
    which = block.which("optimizer")
    if which not in _KINDS:
        raise ConfigError(f"the trainer has no optimizer {which or 'here'}", where=block.where() or config.path)
    own, kind = block.child(which), _KINDS[which]
    numbers = {} if kind == "adam" else {"momentum": own.number("momentum_optimizer_value")}
    if kind == "rmsprop":
        numbers["rho"] = own.number("decay")
    averaged = block.flag("use_moving_average")
    changes = "" if step is None else _changes(own.child("learning_rate"), step)
    return ConfiguredOptimizer(kind, numbers, averaged, changes, block.where(which))


def learning_rate(config: PipelineConfig, step: int) -> float | None:
    """The learning rate that the schedule of ``config`` gives for ``step``; None where it has none.

    Raises:
        ConfigError: a schedule that the API refuses.
    """
    block = config.root.at(_OPTIMIZER)
    which = block.which("optimizer")
    rate = block.child(which).child("learning_rate") if which else None
    kind = rate.which("learning_rate") if rate is not None else ""
    if rate is None or kind not in _SCHEDULES:
        return None
    try:
        return _SCHEDULES[kind](rate.child(kind), step)
    except (ZeroDivisionError, OverflowError) as error:
        raise ConfigError(f"{kind} gives no learning rate at step {step}", where=rate.where(kind)) from error


def _constant(view: View, step: int) -> float:  # noqa: ARG001  (schedules have one signature)
    return view.number("learning_rate")


def _exponential(view: View, step: int) -> float:
    base, burnin = view.number("initial_learning_rate"), view.integer("burnin_steps")
    if step < burnin:
        return max(view.number("burnin_learning_rate") or base, view.number("min_learning_rate"))
    power = (step - burnin) / view.integer("decay_steps")
    if view.flag("staircase"):
        power = math.floor(power)
    factor: float = view.number("decay_factor") ** power
    return max(base * factor, view.number("min_learning_rate"))


def _manual(view: View, step: int) -> float:
    stages = view.children("schedule")
    bounds = [stage.integer("step") for stage in stages]
    rates = [view.number("initial_learning_rate"), *(stage.number("learning_rate") for stage in stages)]
    if view.flag("warmup") and bounds and step < bounds[0]:
        return rates[0] + (rates[1] - rates[0]) / bounds[0] * step
    return rates[bisect_right(bounds, step)]


def _cosine(view: View, step: int) -> float:
    base, total = view.number("learning_rate_base"), view.integer("total_steps")
    warmup, hold = view.integer("warmup_steps"), view.integer("hold_base_rate_steps")
    if step > total:
        return 0.0
    if step < warmup:
        first = view.number("warmup_learning_rate")
        return (base - first) / warmup * step + first
    if hold > 0 and step <= warmup + hold:
        return base
    return 0.5 * base * (1 + math.cos(math.pi * (step - warmup - hold) / (total - warmup - hold)))


_SCHEDULES = {
    "constant_learning_rate": _constant,
    "exponential_decay_learning_rate": _exponential,
    "manual_step_learning_rate": _manual,
    "cosine_decay_learning_rate": _cosine,
}


def _changes(rate: View, step: int) -> str:
    """What the learning rate does after ``step``, in words; empty where it stays."""
    kind = rate.which("learning_rate")
    if kind == "manual_step_learning_rate":
        bounds = [stage.integer("step") for stage in rate.child(kind).children("schedule")]
        following = next((bound for bound in bounds if bound > step), None)
        return "" if following is None else f"changes at step {following}"
    return "" if kind in ("", "constant_learning_rate") else "goes on changing by its schedule"
