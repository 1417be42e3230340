"""Freezing variables of a live TF2 model by TF1's patterns: what the TF2 train loop does not do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ckptmap.basics.errors import CkptmapError, Problem, ProblemsError
from ckptmap.checkpoint.dtypes import dtype_from_label
from ckptmap.families.detection.freezing.frozen_weights import Pattern, Weight
from ckptmap.families.detection.freezing.parts import tf1_part
from ckptmap.families.detection.freezing.pattern_matching import find_hits
from ckptmap.families.detection.freezing.remarks import no_match
from ckptmap.families.detection.freezing.rule import Trainer, match_all
from ckptmap.families.detection.tf1_names import tf1_names
from ckptmap.mapping import Table, list_tables, load_table
from ckptmap.targets import recognize_target
from ckptmap.targets.dims import Dim
from ckptmap.targets.target import Target
from ckptmap.targets.variables import SpecVariable
from ckptmap.tf.models import VARIABLE_VALUE, keyed_variables

_COUNTER = "_training_step"
"""Where a training step leaves its counter on the model (``DetectionModel.provide_groundtruth``)."""


@dataclass(frozen=True, slots=True)
class AppliedFreeze:
    """The TF1 names of the model's variables that are frozen now, and of those that train."""

    frozen: tuple[str, ...]
    trainable: tuple[str, ...]


def apply_freeze(
    model: Any, patterns: Sequence[str], *, table: str | None = None, trainer: Trainer = "train"
) -> AppliedFreeze:
    """Let exactly the variables of ``model`` train that TF1 would not freeze by ``patterns``.

    Args:
        model: a ``DetectionModel`` that was built (``predict`` has run once). An earlier call is undone.
        patterns: regular expressions on TF1 names, as in ``freeze_variables``.
        table: the mapping table that gives the TF1 names; None: the shipped one that knows every variable.
        trainer: whose rule, as in :func:`ckptmap.verbs.freeze.freeze`.

    It sets ``trainable`` of Keras layers, so that ``model.trainable_variables`` holds what still trains. A frozen batch
    norm is an inference layer then, by Keras' rule: it normalizes with its moving statistics and leaves them as they
    are. TF1's patterns did not reach those.

    Where it raises, the model is as it was.

    Raises:
        CkptmapError: no table names the variables, or a pattern is not a regular expression.
        ProblemsError: a pattern matches no variable, or freezes a part of a layer only, which Keras layers cannot do.
    """
    layers = tuple(_layers(model))
    before = [layer.trainable for layer in layers]
    for layer in layers:
        layer.trainable = True
    try:
        return _applied(model, layers, patterns, table, trainer)
    except CkptmapError:
        for layer, trainable in zip(layers, before, strict=True):
            layer.trainable = trainable
        raise


def _applied(
    model: Any, layers: Sequence[Any], patterns: Sequence[str], table: str | None, trainer: Trainer
) -> AppliedFreeze:
    """Freeze layers that all train."""
    names = _tf1_names(model, table)
    matched = _matched(tuple(Pattern(text, "pattern") for text in patterns), names.values(), trainer)
    frozen = {key for key, name in names.items() if name in matched}
    held = [(layer, _own_names(layer, names, frozen)) for layer in layers]
    if problems := [_partial(layer, *sides) for layer, sides in held if all(sides)]:
        raise ProblemsError("patterns that freeze a part of a layer only", problems)
    for layer, (ice, _) in held:
        layer.trainable = not ice
    return AppliedFreeze(
        tuple(sorted(names[key] for key in frozen)), tuple(sorted(names[key] for key in names.keys() - frozen))
    )


def _matched(patterns: Sequence[Pattern], names: Collection[str], trainer: Trainer) -> set[str]:
    """The names that a pattern matches; each must match one."""
    weights = tuple(Weight(name, (), tf1_part(name)) for name in names)
    found = tuple(match_all(patterns, find_hits(patterns, list(names)), weights, trainer))
    if problems := [no_match(one) for one in found if not one.names]:
        raise ProblemsError("patterns that freeze nothing", problems)
    return {name for one in found for name in one.names}


def _layers(model: Any) -> Iterator[Any]:
    """The innermost layers: those with trainable variables of their own."""
    return (layer for layer in model._flatten_layers() if layer._trainable_weights)


def _own_names(layer: Any, names: dict[Any, str], frozen: Collection[Any]) -> tuple[list[str], list[str]]:
    own = [variable.ref() for variable in layer._trainable_weights]
    return [names[key] for key in own if key in frozen], [names[key] for key in own if key not in frozen]


def _partial(layer: Any, frozen: Sequence[str], trainable: Sequence[str]) -> Problem:
    return Problem(f"{frozen[0]} is frozen and {trainable[0]} is not", layer.name, "let the pattern match both")


def _tf1_names(model: Any, table: str | None) -> dict[Any, str]:
    """The TF1 name of each trainable variable, by its reference.

    Object paths tell which shipped model it is; readable names count on when a process builds a second model.
    """
    wanted = {variable.ref() for variable in model.trainable_variables}
    target, variables = _target(model)
    best: dict[Any, str] = {}
    for name in _tables(target, table):
        found = {variables[key].ref(): tf1 for key, tf1 in _named(target, load_table(name)).items()}
        found = {key: tf1 for key, tf1 in found.items() if key in wanted}
        best = max(best, found, key=len)
        if len(best) == len(wanted):
            return best
    lacking = next((variable.name for variable in model.trainable_variables if variable.ref() not in best), "")
    raise CkptmapError(
        "no shipped table knows the TF1 name of every variable" if table is None else "the table lacks TF1 names",
        where=lacking or type(model).__name__,
        hint="build the model first (predict once), or give the model's own table",
    )


def _tables(target: Target, table: str | None) -> tuple[str, ...]:
    if table is not None:
        return (table,)
    return (target.table,) if target.table is not None else list_tables()


def _target(model: Any) -> tuple[Target, dict[str, Any]]:
    """The model as a target, and its variables by their keys there."""
    paths = {key.removesuffix(f"/{VARIABLE_VALUE}"): variable for key, variable, _ in keyed_variables(model)}
    variables = {path.partition("/")[2]: variable for path, variable in paths.items()}
    variables.pop(_COUNTER, None)
    specs = tuple(_spec(key, variable) for key, variable in variables.items())
    return recognize_target(Target("live model", specs)), variables


def _named(target: Target, table: Table) -> dict[str, str]:
    """The TF1 names that ``table`` tells, by key."""
    return tf1_names(table, target.layout(), {spec.key: spec.name for spec in target.variables}, ())


def _spec(key: str, variable: Any) -> SpecVariable:
    dtype = dtype_from_label(variable.dtype.name)
    if dtype is None:
        raise CkptmapError(f"{variable.dtype.name} is not a dtype of a checkpoint", where=variable.name)
    # the readable name as a checkpoint stores it, without the number of the output
    return SpecVariable(key, variable._shared_name, dtype, tuple(Dim(length) for length in variable.shape))
