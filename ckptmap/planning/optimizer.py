"""Carry an optimizer's state over: a slot goes where its weight goes, by the same operations.

TF1's momentum is ``accum = m·accum + g; w -= lr·accum``, Keras' ``v = m·v - lr·g; w += v`` (``ApplyMomentum`` in
training_ops.cc, tf_keras/src/optimizers/legacy/gradient_descent.py): the slot becomes ``-lr·accum``, with the learning
rate of the step that comes next, so that this step does in TF2 what it would do in TF1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

from ckptmap.basics.errors import PlanError, Problem
from ckptmap.basics.text import plural
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.mapping.op import Op, OperationError, infer, slot_ops
from ckptmap.mapping.ops_branches import Branch, Branches
from ckptmap.mapping.ops_join import Concat
from ckptmap.mapping.ops_numeric import Cast, Scale
from ckptmap.mapping.optimizer_state import ASKED, OptimizerState, optimizer_states, unknown_optimizers
from ckptmap.mapping.rule_ref import RuleRef
from ckptmap.mapping.slots import averages_of, misshapen
from ckptmap.mapping.table import Init
from ckptmap.planning.choices import Training
from ckptmap.planning.draft import Draft
from ckptmap.planning.global_step import find_step
from ckptmap.planning.ledger import (
    Fill,
    OptimizerOutcome,
    Plan,
    SourceFate,
    SourceRecord,
    TargetFate,
    TargetRecord,
)
from ckptmap.planning.optimizer_remarks import remarks
from ckptmap.targets.optimizer import API_SLOTS, AVERAGE, BUILD, SlotVariable, TargetOptimizer, api_optimizer
from ckptmap.targets.target import Target
from ckptmap.targets.variables import TargetVariable

_GIVEN = RuleRef("what was given", 0)
_INITIAL = "starts at the optimizer's initial value"


def with_optimizer(plan: Plan, draft: Draft, target: Target) -> Plan:
    """The plan with the optimizer's state, where the user wants it; else as it is.

    Raises:
        PlanError: the source keeps no state, or that of several optimizers and nothing says which; the target has no
            optimizer of this kind, or none that was built; the step or the learning rate is not known.
    """
    training = draft.options.training
    if training is None:
        return plan
    return _Carrying.begin(plan, draft, target, training).end()


@dataclass(frozen=True)
class _Carrying:
    plan: Plan
    draft: Draft
    training: Training
    state: OptimizerState
    optimizer: TargetOptimizer
    step: str | None
    """The variable that holds the step; None where the user gives it."""
    iterations: int
    averages: Mapping[str, str]

    @classmethod
    def begin(cls, plan: Plan, draft: Draft, target: Target, training: Training) -> _Carrying:
        """What is carried and where to; raises PlanError as :func:`with_optimizer`."""
        if draft.options.branch is not None:
            hint = f"leave {argument('root')} or {argument('no optimizer')} out"
            raise _refused(plan, Problem("a part of a model has no optimizer of its own", plan.root, hint))
        state = _chosen(plan, draft, training)
        weights = {record.variable.key: record for record in plan.targets}
        optimizer = _target_optimizer(plan, target, training, state, weights)
        step, iterations = _step(plan, draft, training)
        if any(role.by_rate for role in state.kind.roles) and training.learning_rate is None:
            raise _refused(plan, _no_rate(state))
        averaged = any(slot.role == AVERAGE for slot in optimizer.slots)
        averages = averages_of(draft.slots) if averaged else {}
        return cls(plan, draft, training, state, optimizer, step, iterations, averages)

    def end(self) -> Plan:
        """The plan with a record for each variable of the optimizer."""
        slots = [self._slot(slot) for slot in self.optimizer.slots]
        records = [*slots, self._counter(self.optimizer.iterations), *self._numbers()]
        stepped = self.optimizer.step
        if stepped is not None and self.draft.step is None:
            records.append(self._counter(stepped))
        targets = (*self.plan.targets, *records)
        carried = sum(record.from_sources for record in slots)
        return replace(
            self.plan,
            targets=targets,
            sources=tuple(self._sources(records)),
            findings=(*self.plan.findings, *self._findings(slots)),
            notes=(*self.plan.notes, *self._notes()),
            optimizer=OptimizerOutcome(
                self.state.name,
                self.optimizer.kind,
                self.optimizer.layout,
                self.optimizer.path,
                self.iterations,
                self._rate,
                carried,
                len(slots) - carried,
                self.optimizer.links,
                (*remarks(self.state, self.optimizer, self.training, self.iterations), *self._multiplied()),
            ),
        )

    @property
    def _rate(self) -> float | None:
        return self.training.learning_rate if any(role.by_rate for role in self.state.kind.roles) else None

    def _slot(self, slot: SlotVariable) -> TargetRecord:
        """The record of one slot."""
        weight = self.by_key.get(slot.owner)
        if weight is None or not weight.from_sources:
            why = f"its weight is {weight.fate.value}" if weight is not None else "its weight is not converted"
            return _fresh(slot.variable, why)
        if slot.role == AVERAGE:
            return self._average(slot, weight)
        found = self._found(slot, weight)
        if isinstance(found, str):
            return _fresh(slot.variable, found)
        names, ops = found
        self._check(slot, names, ops)
        reason = f"{self.state.name} of {', '.join(weight.sources)}"
        record = TargetRecord(slot.variable, weight.fate, names, ops, reason, weight.rule)
        return record if weight.fate is TargetFate.RESTORED else _filled(record)

    @cached_property
    def by_key(self) -> Mapping[str, TargetRecord]:
        """The records of the weights."""
        return {record.variable.key: record for record in self.plan.targets}

    def _found(self, slot: SlotVariable, weight: TargetRecord) -> tuple[tuple[str, ...], tuple[Op, ...]] | str:
        """The source's slots for one of the target's, and what is done to them; or why there are none."""
        kept = [self.state.slots.get(name) for name in weight.sources]
        lacking = [name for name, roles in zip(weight.sources, kept, strict=True) if roles is None]
        if lacking:
            return f"the source keeps no slot of {', '.join(lacking)}"
        held = [roles[slot.role] for roles in kept if roles is not None and slot.role in roles]
        if len(held) < len(kept):
            return f"{self.state.name} keeps no {slot.role}"
        role = self.state.role(slot.role)
        ops = slot_ops(weight.ops, role.power)
        if ops is None:
            return f"what is kept of {', '.join(weight.sources)} does not show it: {'; '.join(map(str, weight.ops))}"
        rate = self.training.learning_rate
        scaled = (Scale((-rate,)),) if role.by_rate and rate is not None else ()
        names = tuple(name for parts in held for name in parts)
        return names, (*scaled, *self._joined(weight.sources, held), *ops)

    def _joined(self, weights: Iterable[str], slots: Sequence[tuple[str, ...]]) -> tuple[Op, ...]:
        """What makes one slot for each of the weights where their parts have their own."""
        known = self.draft.inventory.variables
        joins = [
            _join(known[weight].shape, [known[name].shape for name in parts])
            for weight, parts in zip(weights, slots, strict=True)
        ]
        if not any(joins):
            return ()
        starts = accumulate(map(len, slots), initial=0)
        branches = [
            Branch(tuple(range(at, at + len(parts))), ops) for at, parts, ops in zip(starts, slots, joins, strict=False)
        ]
        return branches[0].ops if len(branches) == 1 else (Branches(tuple(branches)),)

    def _average(self, slot: SlotVariable, weight: TargetRecord) -> TargetRecord:
        names = tuple(self.averages.get(name, name) for name in weight.sources)
        lacking = [name for name in weight.sources if name not in self.averages]
        reason = f"no moving average of {', '.join(lacking)}: the weight itself" if lacking else "moving average"
        record = TargetRecord(slot.variable, weight.fate, names, weight.ops, reason, weight.rule)
        return record if weight.fate is TargetFate.RESTORED else _filled(record)

    def _check(self, slot: SlotVariable, names: Iterable[str], ops: Iterable[Op]) -> None:
        """Raises PlanError where the slot that comes out has another shape or dtype than the target's."""
        held = [self.draft.inventory.variables[name] for name in names]
        try:
            shape, dtype = infer(tuple(ops), [one.shape for one in held], [one.dtype for one in held])
        except OperationError as error:
            raise _refused(self.plan, Problem(f"{held[0].name}: {error}", slot.variable.name)) from error
        if (tuple(shape), dtype) != (slot.variable.shape, slot.variable.dtype):
            now = f"{dtype} {list(shape)}"
            message = f"{held[0].name} becomes {now}, and the slot is {slot.variable.dtype} {list(slot.variable.shape)}"
            raise _refused(self.plan, Problem(message, slot.variable.name))

    def _counter(self, variable: TargetVariable) -> TargetRecord:
        reason = "the training step"
        if self.step is None:
            init = Init(float(self.iterations), f"{reason}, as given", _GIVEN)
            return TargetRecord(variable, TargetFate.REINITIALIZED, reason=init.reason, init=init, fill=Fill.RULE)
        held = self.draft.inventory.variables[self.step].dtype
        ops = () if held is variable.dtype else (Cast(variable.dtype),)
        return TargetRecord(variable, TargetFate.RESTORED, (self.step,), ops, reason=reason)

    def _numbers(self) -> Iterator[TargetRecord]:
        """The numbers of the optimizer that are saved with it."""
        configured = self.training.configured
        for variable, value in self.optimizer.settings:
            if value is None:
                yield _filled(TargetRecord(variable, TargetFate.REINITIALIZED, reason="a number of the optimizer"))
                continue
            name = variable.name.rpartition("/")[2]
            said = configured is not None and name in configured.settings
            reason = f"{name} {value:g}, {'as the config says' if said else 'the default of the trainer'}"
            init = Init(value, reason, _GIVEN)
            yield TargetRecord(variable, TargetFate.REINITIALIZED, reason=reason, init=init, fill=Fill.RULE)

    def _sources(self, records: Iterable[TargetRecord]) -> Iterator[SourceRecord]:
        used = {name for record in records for name in record.sources}
        slots, averages = self.state.variables, frozenset(self.averages.values())
        for record in self.plan.sources:
            if record.name in used and record.fate is not SourceFate.MAPPED:
                yield SourceRecord(record.name, SourceFate.MAPPED, self._becomes(record.name, averages))
            elif record.name in slots:
                slot = self.draft.slots[record.name]
                why = "of a weight that starts anew, or not kept by the new optimizer"
                yield record._replace(reason=f"optimizer slot ({slot.label}) {why}")
            else:
                yield record

    def _becomes(self, name: str, averages: frozenset[str]) -> str:
        if name == self.step:
            return "the training step"
        return "moving average" if name in averages else f"optimizer slot ({self.draft.slots[name].label})"

    def _findings(self, slots: Iterable[TargetRecord]) -> Iterator[Problem]:
        """Weights that are carried over and trained, and of which the source keeps no slot while it does of others."""
        if self.draft.options.init_missing:
            return
        pairs = zip(self.optimizer.slots, slots, strict=True)
        lacking = dict.fromkeys(
            name
            for slot, record in pairs
            if not record.from_sources and (weight := self.by_key.get(slot.owner)) is not None and weight.from_sources
            for name in weight.sources
            if name not in self.state.slots
        )
        if lacking:
            first = ", ".join(list(lacking)[:3])
            more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
            message = f"{plural(len(lacking), 'weight')} of which {self.state.name} keeps no slot: {first}{more}"
            hint = f"if TF1 did not train them, accept with {argument('init_missing')}: their slots start anew"
            yield Problem(message, next(iter(lacking)), hint)
            odd = misshapen(self.draft.inventory.variables, self.draft.slots)
            yield from (
                _misshapen(self.draft.inventory, name, owner) for name, owner in odd.items() if owner in lacking
            )

    def _multiplied(self) -> Iterator[str]:
        """What a factor of a weight does to the steps that follow."""
        owners = dict.fromkeys(slot.owner for slot in self.optimizer.slots)
        weights = [self.by_key[owner] for owner in owners if owner in self.by_key]
        found = [one for one in weights if one.from_sources and slot_ops(one.ops, 1) != slot_ops(one.ops, 0)]
        if found:
            yield (
                f"{plural(len(found), 'weight')} multiplied by numbers, {found[0].variable.name} first: gradients are "
                "divided by them, so that the same learning rate moves such a weight in another proportion than in TF1"
            )

    def _notes(self) -> Iterator[str]:
        if self.draft.options.ema == "ignore" and not self.averages and averages_of(self.draft.slots):
            yield "the moving averages stay behind: the optimizer's slots belong to the raw weights"


def _join(weight: tuple[int, ...], parts: Sequence[tuple[int, ...]]) -> tuple[Op, ...]:
    """What joins the slots of a weight's parts along the axis that it is cut along; nothing for a slot of the whole."""
    cut = next((axis for axis, length in enumerate(parts[0]) if length != weight[axis]), None)
    return () if cut is None else (Concat(cut),)


def _chosen(plan: Plan, draft: Draft, training: Training) -> OptimizerState:
    """The optimizer that is meant. Raises PlanError."""
    states, problems = optimizer_states(draft.slots)
    fitting = [one for one in states if _is_meant(one, training)]
    if not fitting:
        raise _refused(plan, _none_kept(draft, states, training))
    if len(fitting) > 1:
        names = [f"{one.kind.counterpart}:{one.name}" for one in fitting]
        first = ", ".join(f"{one.name} (of {min(one.slots)} …)" for one in fitting if one.slots)
        hint = " or ".join(argument("optimizer", name) for name in names)
        raise _refused(plan, Problem(f"keeps the state of {plural(len(fitting), 'optimizer')}: {first}", "", hint))
    if problems:
        raise _refused(plan, *problems)
    return fitting[0]


def _is_meant(state: OptimizerState, training: Training) -> bool:
    kinds = ASKED[training.asked] if training.asked else (state.kind.name,)
    return state.kind.name in kinds and training.name in ("", state.name)


def _none_kept(draft: Draft, states: Iterable[OptimizerState], training: Training) -> Problem:
    held = [f"{one.name} ({one.kind.name})" for one in states]
    unknown = unknown_optimizers(draft.slots.values())
    asked = ":".join(filter(None, (training.asked, training.name))) or "an optimizer"
    if held:
        return Problem(f"keeps no state of {asked}, but of {', '.join(held)}", draft.inventory.path)
    if unknown:
        return Problem(
            f"keeps the state of {', '.join(unknown)}, and Keras has no such optimizer", draft.inventory.path
        )
    for name, owner in misshapen(draft.inventory.variables, draft.slots).items():
        return _misshapen(draft.inventory, name, owner)
    hint = "it was saved without the slots: training cannot continue from the same state"
    return Problem("keeps no state of an optimizer", draft.inventory.path, hint)


def _misshapen(inventory: Inventory, name: str, owner: str) -> Problem:
    slot, weight = (list(inventory.variables[one].shape) for one in (name, owner))
    hint = "a slot is as large as its weight: one of them is of another model"
    return Problem(f"{name} is {slot}, and {owner} is {weight}: it is not a slot of this weight", name, hint)


def _target_optimizer(
    plan: Plan, target: Target, training: Training, state: OptimizerState, weights: Mapping[str, TargetRecord]
) -> TargetOptimizer:
    """The optimizer of the target. Raises PlanError where there is none of this kind."""
    kind, configured = state.kind.counterpart, training.configured
    if configured is not None and configured.kind != kind and target.template is None:
        message = f"the config trains with {configured.kind}, and the checkpoint keeps the state of {state.name}"
        raise _refused(plan, Problem(message, configured.where))
    if target.template is None:
        if kind not in API_SLOTS:
            message = f"the trainer of {target.name} has no {kind}, only {', '.join(API_SLOTS)}"
            raise _refused(plan, Problem(message, target.name, _SAVE_ONE))
        trained = [record.variable for record in weights.values() if record.variable.trainable]
        numbers = configured.settings if configured is not None else {}
        averaged = configured is not None and configured.averaged
        return api_optimizer(kind, plan.root, trained, numbers, averaged=averaged)
    found = target.optimizers
    built = found.built if found is not None else ()
    fitting = [one for one in built if one.kind == kind]
    if fitting:
        return max(fitting, key=lambda one: sum(_is_trained(slot, weights, state) for slot in one.slots))
    if built:
        held = ", ".join(f"{one.kind} ({one.layout})" for one in built)
        message = f"the optimizer of the template is {held}, and the source keeps the state of {state.name}"
        raise _refused(plan, Problem(message, target.template.path, f"save one that is {kind}"))
    problems = found.problems if found is not None else ()
    raise _refused(
        plan, *(problems or [Problem("the template has no optimizer that was built", target.template.path, _SAVE_ONE)])
    )


_SAVE_ONE = f"save tf.train.Checkpoint(model=model, optimizer=optimizer) and name it as target; {BUILD}"


def _is_trained(slot: SlotVariable, weights: Mapping[str, TargetRecord], state: OptimizerState) -> bool:
    weight = weights.get(slot.owner)
    return weight is not None and any(name in state.slots for name in weight.sources)


def _step(plan: Plan, draft: Draft, training: Training) -> tuple[str | None, int]:
    """The variable that holds the step, and its value. Raises PlanError where nothing says it."""
    if training.given_step is not None:
        return None, training.given_step
    found = find_step(draft.inventory, draft.slots)
    if isinstance(found, Problem) or training.step is None:
        message = found.message if isinstance(found, Problem) else "its global_step was not read"
        where = found.where if isinstance(found, Problem) else draft.inventory.path
        raise _refused(plan, Problem(message, where, f"say how many steps were done: {argument('at_step')}"))
    return found, training.step


def _no_rate(state: OptimizerState) -> Problem:
    first = next(iter(sorted(state.variables)), state.name)
    message = f"{state.name} is kept without the learning rate, Keras keeps it with it, and no config gives the rate"
    return Problem(message, first, f"give that of the next step: {argument('learning_rate')}")


def _refused(plan: Plan, *problems: Problem) -> PlanError:
    return PlanError(f"the optimizer's state of {plan.source.path} cannot be carried over", list(problems))


def _fresh(variable: TargetVariable, why: str) -> TargetRecord:
    return _filled(TargetRecord(variable, TargetFate.REINITIALIZED, reason=f"{_INITIAL}: {why}"))


def _filled(record: TargetRecord) -> TargetRecord:
    """The record of what the target fills, in whole or in part."""
    return record._replace(fill=Fill.TEMPLATE if record.variable.saved else Fill.INITIALIZER)


def read_step(inventory: Inventory) -> str | None:
    """The variable whose value a :class:`Training` needs as its step; None where there is none."""
    from ckptmap.mapping.roles import roles

    found = find_step(inventory, roles(inventory))
    return None if isinstance(found, Problem) else found
