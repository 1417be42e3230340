"""Write a draft down as the ledger: one record, one fate and one reason for every variable of both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from ckptmap.basics.errors import Problem
from ckptmap.basics.globs import first_match
from ckptmap.basics.text import plural
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.naming import told_names
from ckptmap.checkpoint.object_graph import object_path, variable_key
from ckptmap.mapping import inits
from ckptmap.mapping.ops_classes import FRESH, Classes
from ckptmap.mapping.rule_ref import RuleRef
from ckptmap.mapping.slots import Slot
from ckptmap.mapping.table import Drop, Init
from ckptmap.planning.agreement import AGREEMENT
from ckptmap.planning.candidates import Offer, differs_in_classes_only
from ckptmap.planning.draft import Draft
from ckptmap.planning.global_step import step_target, with_step
from ckptmap.planning.ledger import Counterpart, Fill, Plan, SourceFate, SourceRecord, TargetFate, TargetRecord
from ckptmap.targets.layout import Layout
from ckptmap.targets.target import Target, Template
from ckptmap.targets.variables import TargetVariable

_MOST_SCOPES = 3
_CLASS_HEAD = "class head"


def record_plan(draft: Draft, target: Target, layout: Layout) -> Plan:
    """The ledger of ``draft``; what nobody accepted of its unused and missing variables are its findings."""
    root = draft.options.root or target.root
    kept = _kept(draft)
    by_key = dict(_target_records(draft, root, kept))
    targets = tuple(by_key.values())
    sources = tuple(_source_records(draft, by_key))
    if draft.step is not None:
        targets = (*targets, step_target(draft.inventory, draft.step))
        sources = tuple(with_step(sources, draft.step))
    return Plan(
        source=draft.inventory,
        target=target.name,
        model=target.table or draft.table.name,
        table=draft.table.name,
        root=root,
        targets=targets,
        sources=sources,
        settings=layout.settings,
        unknowns=draft.solved.values,
        assumptions=layout.assumed,
        classes=draft.transfer.changes,
        template=_template(target, root),
        notes=(*_notes(draft), *_optimizer_notes(draft, target)),
        findings=(
            *_unused_findings(draft, sources),
            *_missing_findings(draft, targets),
            *_class_findings(draft, by_key),
        ),
    )


def _notes(draft: Draft) -> Iterator[str]:
    told = Counter(made.note for made in draft.offers.values() if made.note)
    yield from (f"{note} ({plural(count, 'variable')})" for note, count in told.items())


def _optimizer_notes(draft: Draft, target: Target) -> Iterator[str]:
    """What becomes of the optimizers of a template, where nobody says that one goes on."""
    built = target.optimizers.built if target.optimizers is not None else ()
    if draft.options.training is not None or not built:
        return
    named = " and ".join(f"{one.kind} at {one.path.strip('/')}" for one in built)
    held = any(slot.kind == "slot" for slot in draft.slots.values())
    more = f"{argument('optimizer', 'found')} carries that of the source over" if held else "the source has none either"
    yield f"the template's optimizer ({named}) begins anew: its state is not in the new checkpoint; {more}"


def _template(target: Target, root: str) -> Template | None:
    """The template; below another root its objects are not reached by the ways that it knows."""
    kept = target.template
    return kept if kept is None or root == target.root else replace(kept, links={})


@lru_cache(maxsize=4096)
def _line(rule: RuleRef) -> str:
    """``file:line``, the same text for all variables of a rule."""
    return str(rule)


def _kept(draft: Draft) -> Mapping[str, TargetVariable]:
    """The target's variables below the chosen root, by their full object path; their keys start at that root."""
    solved, branch = draft.solved.variables, draft.options.branch
    if branch is None:
        return solved
    below = branch.below(tuple(solved))
    return {key: solved[key] if path == key else solved[key]._replace(key=path) for key, path in below.items()}


def _printed(root: str, key: str, variable: TargetVariable) -> tuple[str, ...]:
    """The names under which ``inspect`` prints a variable of the target: readable, object path, key."""
    path = object_path(root, key)
    return variable.name, path, variable_key(path)


def _target_records(draft: Draft, root: str, kept: Mapping[str, TargetVariable]) -> Iterator[tuple[str, TargetRecord]]:
    names = {key: _printed(root, key, variable) for key, variable in kept.items() if key not in draft.offers}
    ruled = inits(draft.table, [name for known in names.values() for name in known])
    for key, variable in kept.items():
        if key in draft.offers:
            yield key, _offered(draft, key, variable, draft.offers[key])
        else:
            yield key, _uncovered(draft, variable, next((ruled[name] for name in names[key] if name in ruled), None))


def _offered(draft: Draft, key: str, variable: TargetVariable, made: Offer) -> TargetRecord:
    rule = _line(made.assignment.rule)
    moved = draft.transfer.heads.get(key)
    if moved is not None:
        return _moved(draft, variable, made, moved)
    if differs_in_classes_only(made, variable.shape):
        record = TargetRecord(variable, TargetFate.REINITIALIZED, reason=_class_reason(draft), rule=rule)
        return _filled(record._replace(counterpart=_counterpart(variable, made)))
    ops, reason = made.ops_for(variable.dtype), _told(made)
    if ops and ops[-1].leaves_open:
        reason = "; ".join(filter(None, (reason, f"{ops[-1].kept} carried over")))
        return _filled(TargetRecord(variable, TargetFate.PARTLY, made.sources, ops, reason=reason, rule=rule))
    return TargetRecord(variable, TargetFate.RESTORED, made.sources, ops, reason, rule)


def _moved(draft: Draft, variable: TargetVariable, made: Offer, moved: Classes) -> TargetRecord:
    """A class head whose slices go to the places that another label map gives them."""
    rule, changes = _line(made.assignment.rule), draft.transfer.changes
    part = variable.part if variable.part.endswith("head") else _CLASS_HEAD
    if changes is None or not changes.pairs:
        reason = f"{part}: no class of the new label map is in the old one"
        record = TargetRecord(variable, TargetFate.REINITIALIZED, reason=reason, rule=rule)
        return _filled(record._replace(counterpart=_counterpart(variable, made)))
    kept = f"{part}: {len(changes.pairs)} of {len(changes.pairs) + len(changes.new)} classes carried over"
    reason = "; ".join(filter(None, (_told(made), kept)))
    ops = (*made.ops_for(variable.dtype), moved)
    record = TargetRecord(variable, TargetFate.RESTORED, made.sources, ops, reason=reason, rule=rule)
    return _filled(record._replace(fate=TargetFate.PARTLY)) if FRESH in moved.slots else record


def _counterpart(variable: TargetVariable, made: Offer) -> Counterpart:
    return Counterpart(made.sources, made.ops_for(variable.dtype))


def _told(made: Offer) -> str:
    if made.sources == made.assignment.sources:
        return made.note
    return f"moving average; {made.note}" if made.note else "moving average"


def _class_reason(draft: Draft) -> str:
    old, new = draft.solved.source_classes, draft.solved.values.get("num_classes")
    if old and new:
        return f"class head: the source has {old} classes, the target {new}"
    return "class head: the target has another class count"


def _uncovered(draft: Draft, variable: TargetVariable, ruled: Init | None) -> TargetRecord:
    if ruled is not None:
        record = TargetRecord(variable, TargetFate.REINITIALIZED, reason=ruled.reason, rule=_line(ruled.rule))
        own = ruled.value == "initializer"
        return _filled(record) if own else record._replace(init=ruled, fill=Fill.RULE)
    if not draft.options.init_missing:
        return TargetRecord(variable, TargetFate.MISSING)
    return _filled(TargetRecord(variable, TargetFate.MISSING, reason=f"accepted by {argument('init_missing')}"))


def _filled(record: TargetRecord) -> TargetRecord:
    """The record of a variable that the target itself fills, in whole or in part: from the template where it is one."""
    if record.variable.saved:
        return record._replace(fill=Fill.TEMPLATE)
    reason = f"{record.reason}: filled by its initializer" if record.fate is TargetFate.MISSING else record.reason
    return record._replace(fill=Fill.INITIALIZER, reason=reason)


def _source_records(draft: Draft, targets: Mapping[str, TargetRecord]) -> Iterator[SourceRecord]:
    offered: dict[str, SourceRecord] = {}
    outside = draft.options.branch.outside if draft.options.branch else ""
    for key, made in draft.offers.items():
        for record in _offered_sources(made, targets.get(key), outside):
            if record.name not in offered or offered[record.name].fate is SourceFate.DROPPED:
                offered[record.name] = record
    drops = {drop.source: drop for drop in draft.mapping.drops}
    for name in draft.inventory.variables:
        yield offered.get(name) or _not_offered(draft, drops.get(name), name)


def _offered_sources(made: Offer, target: TargetRecord | None, outside: str) -> Iterator[SourceRecord]:
    """The records of the variables that one target takes; ``target`` is None if the root leaves it out: ``outside``."""
    rule = _line(made.assignment.rule) if target is None else target.rule
    if target is not None and target.fate is TargetFate.RESTORED and made.sources == made.assignment.sources:
        for name in made.sources:
            yield SourceRecord(name, SourceFate.MAPPED, "", rule)
        return
    averaged = [name for name in made.assignment.sources if name not in made.sources]
    if target is not None and target.from_sources:
        for name in made.sources:
            yield SourceRecord(name, SourceFate.MAPPED, "", rule)
        for name in averaged:
            yield SourceRecord(name, SourceFate.SUPERSEDED, "its moving average is restored", rule)
    else:
        reason = outside if target is None else target.reason
        for name in (*made.sources, *averaged):
            yield SourceRecord(name, SourceFate.DROPPED, reason, rule)


def _not_offered(draft: Draft, dropped: Drop | None, name: str) -> SourceRecord:
    if dropped is not None:
        return SourceRecord(name, SourceFate.DROPPED, dropped.reason, _line(dropped.rule))
    if name in draft.slots:
        return SourceRecord(name, SourceFate.DROPPED, _slot_reason(draft.slots[name], draft))
    accepted = first_match(name, draft.options.allow_unused)
    return SourceRecord(
        name, SourceFate.UNUSED, f"accepted by {argument('allow_unused', accepted)}" if accepted else ""
    )


def _slot_reason(slot: Slot, draft: Draft) -> str:
    if slot.kind == "ema":
        ignored = draft.options.ema == "ignore"
        return (
            f"moving average, left aside by {argument('ema', 'ignore')}"
            if ignored
            else "moving average of a variable without a target"
        )
    if slot.kind == "slot":
        return f"optimizer slot ({slot.label})"
    return slot.label


def _unused_findings(draft: Draft, sources: Iterable[SourceRecord]) -> Iterator[Problem]:
    unused = [record.name for record in sources if record.fate is SourceFate.UNUSED and not record.reason]
    if unused:
        count = len(unused)
        agreeing = draft.table.name == AGREEMENT.name
        unmatched = "the target does not have by this name" if agreeing else f"no rule of {draft.table.name} matches"
        message = f"{plural(count, 'source variable')} that {unmatched}"
        accepting = argument("allow_unused", *_accepting(unused))
        table = "a table, which ckptmap suggest drafts," if agreeing else "a table,"
        advice = f"map or drop them in {table} or accept with {accepting}"
        near = draft.mapping.hints.get(unused[0])
        yield Problem(message, unused[0], f"{near}; {advice}" if near else advice)


def _missing_findings(draft: Draft, targets: Collection[TargetRecord]) -> Iterator[Problem]:
    told = told_names((record.variable.key, record.variable.name) for record in targets)
    missing = [told[record.variable.key] for record in targets if record.fate is TargetFate.MISSING]
    if missing and not draft.options.init_missing:
        count = len(missing)
        message = f"{plural(count, 'target variable')} that nothing in the source fills"
        own = any(record.variable.saved for record in targets)
        if count == 1:
            kept = "it keeps the template's value" if own else "its initializer fills it"
        else:
            kept = "they keep the template's values" if own else "their initializers fill them"
        yield Problem(message, missing[0], f"accept with {argument('init_missing')}: {kept}")


def _class_findings(draft: Draft, targets: Mapping[str, TargetRecord]) -> Iterator[Problem]:
    """Heads of another class count where nobody said that there are other classes."""
    if draft.options.num_classes is not None or draft.options.labels is not None:
        return
    heads = [key for key, record in targets.items() if key in draft.offers and not record.from_sources]
    if heads:
        made, record = draft.offers[heads[0]], targets[heads[0]]
        message = f"{made.label} has shape {list(made.shape)}, the target {list(record.variable.shape)}: other classes"
        others = f", and {plural(len(heads) - 1, 'variable')} like it" if len(heads) > 1 else ""
        count = f"accept with {argument('any num_classes')}, the new count"
        hint = f"{count}; {argument('label_maps')} carries classes over"
        told = told_names((key, one.variable.name) for key, one in targets.items())
        yield Problem(f"{message}{others}", told[heads[0]], hint)


def _accepting(names: list[str]) -> list[str]:
    """Globs that accept all of these names: the one name, the scopes they are in, or all where those are many."""
    scopes = names if len(names) == 1 else list(dict.fromkeys(name.partition("/")[0] for name in names))
    return scopes if len(scopes) <= _MOST_SCOPES else ["**"]
