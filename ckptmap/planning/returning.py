"""The way back: what a TF1 checkpoint became, trained on, under its TF1 names again. No I/O.

Every operation of the conversion is undone. What the new model has more of (other classes, a grown vocabulary) returns
as long as it is now. A value goes to its variable and to the moving average of it, since either may be what a graph
reads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ckptmap.basics.errors import PlanError, Problem
from ckptmap.basics.globs import first_match
from ckptmap.basics.nearest import Names, did_you_mean
from ckptmap.basics.text import counted, plural
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.inventory import Inventory, Variable
from ckptmap.checkpoint.object_graph import VALUE_SUFFIX, variable_key
from ckptmap.mapping.op import Op, OperationError, Shape, Tensor, infer
from ckptmap.mapping.operations import inverse
from ckptmap.mapping.ops import Split
from ckptmap.mapping.ops_branches import Branch, Branches
from ckptmap.mapping.ops_join import Concat
from ckptmap.mapping.roles import roles
from ckptmap.mapping.slots import Slot, classify
from ckptmap.planning.editing import NAMES_TARGET
from ckptmap.planning.ledger import Fill, Form, Plan, SourceFate, SourceRecord, TargetFate, TargetRecord
from ckptmap.targets.target import Template
from ckptmap.targets.variables import TargetVariable

_OF_THE_OLD = "of the old checkpoint"


class Was(NamedTuple):
    """A variable of the TF2 model, by object path and readable name, and what the conversion made it of.

    ``resized``: its length may be another than the sources give.
    """

    path: str
    name: str
    sources: tuple[str, ...]
    ops: tuple[Op, ...]
    resized: bool = False


@dataclass(frozen=True, slots=True)
class Forward:
    """The conversion that is undone: what it made, and the TF1 variables that there were."""

    path: str
    """What it is known from: the report's path, or the table's."""
    made: tuple[Was, ...]
    old: Mapping[str, Variable]


@dataclass(frozen=True, slots=True)
class Filling:
    """The old checkpoint, for what no TF2 variable tells: the path to open it by, and what it holds."""

    path: str
    inventory: Inventory


class _Way(NamedTuple):
    """How a TF1 variable is made of TF2 variables, by their keys."""

    keys: tuple[str, ...]
    ops: tuple[Op, ...]
    resized: bool
    reason: str = ""


def plan_return(
    inventory: Inventory,
    forward: Forward,
    readable: Mapping[str, str],
    fill: Filling | None = None,
    accepted: Sequence[str] = (),
) -> Plan:
    """The ledger of writing the TF2 checkpoint ``inventory`` under the TF1 names that ``forward`` knows.

    Variables of the old checkpoint that no TF2 variable tells come from ``fill``, or are a finding; so are TF2
    variables from which no TF1 variable is made. Globs in ``accepted`` accept both. Optimizer slots stay behind on both
    sides.

    Args:
        inventory: the TF2 checkpoint.
        forward: the conversion.
        readable: the readable names of ``inventory``'s variables, for object paths that have changed.
        fill: the old checkpoint.
        accepted: globs of TF1 or TF2 names.

    Raises:
        PlanError: the checkpoint is of another model, or an operation has no inverse.
    """
    found, problems = _was(inventory, forward, readable)
    ways, lost = _ways(found, inventory, forward.old)
    problems += [problem for name, problem in lost.items() if first_match(name, accepted) is None]
    old_slots = classify(forward.old)
    ways = {**ways, **dict(_averages(ways, old_slots))}
    targets, unfit = _restored(ways, inventory, forward.old)
    problems += unfit
    if problems:
        raise PlanError(f"{inventory.path} cannot go back by {forward.path}", problems)
    left = [name for name in forward.old if name not in ways and name not in lost]
    slots = {name for name in left if name in old_slots and old_slots[name].kind == "slot"}
    targets += [_left(name, forward.old[name], fill, accepted) for name in left if name not in slots]
    sources = tuple(_sources(inventory, ways.values(), readable, accepted))
    written = [one for one in targets if one.fate is not TargetFate.MISSING or not one.reason]
    return Plan(
        source=inventory,
        target=NAMES_TARGET,
        model="",
        table="",
        root="",
        targets=tuple(sorted(written, key=lambda record: record.variable.name)),
        sources=sources,
        template=Template(fill.path) if fill is not None else None,
        findings=(
            *_missing_findings(written, fill),
            *_unused_findings(sources),
            *_idle_globs(accepted, (*forward.old, *inventory.variables, *readable.values())),
        ),
        notes=tuple(_notes(slots, lost, targets, accepted)),
        form=Form.NAMES,
    )


def _was(inventory: Inventory, forward: Forward, readable: Mapping[str, str]) -> tuple[dict[str, Was], list[Problem]]:
    """What the conversion made, by the keys that it has in the checkpoint now."""
    by_name: dict[str, list[str]] = {}
    for key, name in readable.items():
        by_name.setdefault(name, []).append(key)
    found: dict[str, Was] = {}
    missing: list[Was] = []
    for was in (one for one in forward.made if one.sources):
        keys = [variable_key(was.path)] if variable_key(was.path) in inventory.variables else by_name.get(was.name, [])
        if len(keys) == 1 and keys[0] not in found:
            found[keys[0]] = was
        else:
            missing.append(was)
    if missing and not found:
        return {}, [Problem(f"holds no variable of the model that {forward.path} describes", inventory.path)]
    names = Names(key.removesuffix(VALUE_SUFFIX) for key in inventory.variables)
    return found, [Problem(f"holds no {was.path}", inventory.path, did_you_mean(was.path, names)) for was in missing]


def _ways(
    found: Mapping[str, Was], inventory: Inventory, old: Mapping[str, Variable]
) -> tuple[dict[str, _Way], dict[str, Problem]]:
    """How each TF1 variable is told; and why those are not that only operations without an inverse speak of."""
    ways: dict[str, _Way] = {}
    lost: dict[str, Problem] = {}
    for key, was in found.items():
        for name, chain in zip(was.sources, _chains(was, inventory.variables[key], old), strict=True):
            if chain is not None:
                ways.setdefault(name, _Way((key,), chain, was.resized))
            elif name not in lost:
                shown = "; ".join(map(str, was.ops))
                hint = "fill cannot help: its value has changed; accept it to leave the variable out"
                lost[name] = Problem(f"cannot be computed from {was.path}: nothing undoes {shown}", name, hint)
    for name, way in _joined(found, old):
        ways.setdefault(name, way)
    return ways, {name: problem for name, problem in lost.items() if name not in ways}


def _chains(was: Was, now: Variable, old: Mapping[str, Variable]) -> list[tuple[Op, ...] | None]:
    """For each source the operations that make it of the variable as it is ``now``; None where there are none."""
    tensors = _tensors(was.sources, old)
    if tensors is None:
        return [None] * len(was.sources)
    if was.resized:
        tensors = _stretched(was.ops, tensors, now.shape)
    try:
        return inverse(was.ops, tensors)
    except OperationError:
        return [None] * len(was.sources)


def _tensors(names: Iterable[str], old: Mapping[str, Variable]) -> list[Tensor] | None:
    variables = [old.get(name) for name in names]
    return [(one.shape, one.dtype) for one in variables if one is not None] if all(variables) else None


def _stretched(ops: Sequence[Op], tensors: list[Tensor], wanted: Shape) -> list[Tensor]:
    """The one source with the length that makes the result ``wanted``, where another length of one axis does."""
    if len(tensors) != 1 or _shape(ops, tensors) == wanted:
        return tensors
    shape, dtype = tensors[0]
    for axis in range(len(shape)):
        for length in dict.fromkeys(wanted):
            other: list[Tensor] = [((*shape[:axis], length, *shape[axis + 1 :]), dtype)]
            if _shape(ops, other) == wanted:
                return other
    return tensors


def _shape(ops: Sequence[Op], tensors: Sequence[Tensor]) -> Shape | None:
    try:
        return tuple(infer(ops, [shape for shape, _ in tensors], [dtype for _, dtype in tensors])[0])
    except OperationError:
        return None


class _Cut(NamedTuple):
    """What the parts of one split have in common: what was cut, and how."""

    sources: tuple[str, ...]
    before: tuple[Op, ...]
    axis: int
    parts: int
    sizes: tuple[int, ...]


def _joined(found: Mapping[str, Was], old: Mapping[str, Variable]) -> Iterator[tuple[str, _Way]]:
    """What was split, joined again: where every part of it is there."""
    cuts: dict[_Cut, dict[int, tuple[str, tuple[Op, ...]]]] = {}
    for key, was in found.items():
        at = next((at for at, op in enumerate(was.ops) if isinstance(op, Split)), None)
        if at is not None and isinstance(split := was.ops[at], Split):
            cut = _Cut(was.sources, was.ops[:at], split.axis, split.parts, split.sizes)
            cuts.setdefault(cut, {})[split.take] = (key, was.ops[at + 1 :])
    for cut, parts in cuts.items():
        tensors = _tensors(cut.sources, old)
        if tensors is not None and parts.keys() == set(range(cut.parts)):
            yield from _uncut(cut, [parts[take] for take in range(cut.parts)], tensors)


def _uncut(
    cut: _Cut, parts: Sequence[tuple[str, tuple[Op, ...]]], tensors: Sequence[Tensor]
) -> Iterator[tuple[str, _Way]]:
    try:
        stage = list(tensors)
        for op in cut.before:
            stage = op.infer(stage)
        splits = [Split(cut.axis, cut.parts, cut.sizes, take) for take in range(cut.parts)]
        behind = [inverse(ops, split.infer(stage))[0] for split, (_, ops) in zip(splits, parts, strict=True)]
        first = inverse(cut.before, tensors)
    except OperationError:
        return
    if len(stage) != 1 or any(chain is None for chain in behind):
        return
    branches = tuple(Branch((at,), chain) for at, chain in enumerate(behind) if chain is not None)
    joining: tuple[Op, ...] = (Concat(cut.axis % len(stage[0][0])),)
    if any(branch.ops for branch in branches):
        joining = (Branches(branches), *joining)
    for name, chain in zip(cut.sources, first, strict=True):
        if chain is not None:
            yield name, _Way(tuple(key for key, _ in parts), (*joining, *chain), resized=False)


def _averages(ways: Mapping[str, _Way], slots: Mapping[str, Slot]) -> Iterator[tuple[str, _Way]]:
    """A variable and its moving average where only one of them is told: both have the one value."""
    for name, slot in slots.items():
        if slot.kind != "ema" or slot.owner is None:
            continue
        if name in ways and slot.owner not in ways:
            yield slot.owner, ways[name]._replace(reason="the conversion took its moving average")
        elif slot.owner in ways and name not in ways:
            yield name, ways[slot.owner]._replace(reason="moving average: the value of its variable")


def _restored(
    ways: Mapping[str, _Way], inventory: Inventory, old: Mapping[str, Variable]
) -> tuple[list[TargetRecord], list[Problem]]:
    records, problems = [], []
    for name, way in ways.items():
        held, was = [inventory.variables[key] for key in way.keys], old[name]
        try:
            shape, dtype = infer(way.ops, [one.shape for one in held], [one.dtype for one in held])
        except OperationError as error:
            problems.append(Problem(f"{way.keys[0]}: {error}", name))
            continue
        if dtype is not was.dtype or (tuple(shape) != was.shape and not way.resized):
            now = f"{dtype} {list(shape)}"
            problems.append(Problem(f"was {was.dtype} {list(was.shape)}, and {way.keys[0]} makes it {now}", name))
            continue
        other = "" if tuple(shape) == was.shape else f"as the TF2 model has it; the old one has {list(was.shape)}"
        reason = "; ".join(filter(None, (way.reason, other)))
        variable = TargetVariable(name, name, dtype, tuple(shape))
        records.append(TargetRecord(variable, TargetFate.RESTORED, way.keys, way.ops, reason))
    return records, problems


def _left(name: str, was: Variable, fill: Filling | None, accepted: Sequence[str]) -> TargetRecord:
    """A variable that no TF2 variable tells: the old checkpoint's, or missing; with a reason where that is accepted."""
    variable = TargetVariable(name, name, was.dtype, was.shape, saved=name)
    held = fill.inventory.variables.get(name) if fill is not None else None
    if held is not None and (held.shape, held.dtype) == (was.shape, was.dtype):
        return TargetRecord(variable, TargetFate.REINITIALIZED, reason=_OF_THE_OLD, fill=Fill.TEMPLATE)
    accepted_by = first_match(name, accepted)
    return TargetRecord(variable, TargetFate.MISSING, reason=f"accepted by {accepted_by}" if accepted_by else "")


def _sources(
    inventory: Inventory, ways: Iterable[_Way], readable: Mapping[str, str], accepted: Sequence[str]
) -> Iterator[SourceRecord]:
    used = {key for way in ways for key in way.keys}
    slots = roles(inventory)
    for key in inventory.variables:
        if key in used:
            yield SourceRecord(key, SourceFate.MAPPED)
        elif key in slots:
            slot = slots[key]
            label = f"optimizer slot ({slot.label})" if slot.kind == "slot" else slot.label
            yield SourceRecord(key, SourceFate.DROPPED, label)
        else:
            by = first_match(key, accepted) or first_match(readable.get(key, ""), accepted)
            yield SourceRecord(key, SourceFate.UNUSED, f"accepted by {by}" if by else "")


def _missing_findings(records: Iterable[TargetRecord], fill: Filling | None) -> Iterator[Problem]:
    missing = [record.variable.name for record in records if record.fate is TargetFate.MISSING]
    if missing:
        where = "that neither checkpoint has" if fill is not None else "that only the old checkpoint has"
        left_out = argument("allow_unused", missing[0])
        hint = f"take them from the old checkpoint with {argument('fill')}, or leave them out with {left_out}"
        yield Problem(f"{plural(len(missing), 'TF1 variable')} {where}", missing[0], hint)


def _unused_findings(sources: Iterable[SourceRecord]) -> Iterator[Problem]:
    unused = [record.name for record in sources if record.fate is SourceFate.UNUSED and not record.reason]
    if unused:
        message = f"{plural(len(unused), 'TF2 variable')} from which no TF1 variable is made"
        accept = argument("allow_unused", unused[0])
        yield Problem(message, unused[0], f"the TF1 model computes without it; accept that with {accept}")


def _idle_globs(accepted: Iterable[str], names: Sequence[str]) -> Iterator[Problem]:
    for glob in accepted:
        if not any(first_match(name, (glob,)) for name in names):
            yield Problem("chooses no variable to accept", glob, did_you_mean(glob.rstrip("/*"), names))


def _notes(
    slots: Collection[str], lost: Iterable[str], targets: Iterable[TargetRecord], accepted: Sequence[str]
) -> Iterator[str]:
    if slots:
        yield f"{counted(len(slots), 'optimizer slot', 'stays', 'stay')} behind, from the old training"
    out = [record.variable.name for record in targets if record.fate is TargetFate.MISSING and record.reason]
    out += [name for name in lost if first_match(name, accepted) is not None]
    if out:
        yield f"left out, as accepted: {', '.join(sorted(out))}"
