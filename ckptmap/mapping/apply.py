"""Apply a table to the names of a checkpoint's variables, or to those of a target."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ckptmap.basics.errors import Problem
from ckptmap.basics.nearest import Names, did_you_mean
from ckptmap.mapping.index import PatternIndex
from ckptmap.mapping.patterns import Bindings, Pattern, PatternError
from ckptmap.mapping.table import (
    Assignment,
    Case,
    Drop,
    DropRule,
    Init,
    Kind,
    LayerRule,
    MappingResult,
    Rule,
    Table,
    TargetPart,
    VariableRule,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

_MAX_FITTING = 3
_MAX_NEAREST = 20
"""For how many unused rules the nearest name is looked up: more help nobody."""


_Bound: TypeAlias = "frozenset[tuple[str, str]]"
"""Bindings that claims have in common."""


class _Claim(NamedTuple):
    """A source variable and the rule that takes it; ``number`` is the rule's place in the table."""

    name: str
    number: int
    bindings: Bindings
    leaf: str = ""
    """Which leaf of the layer it is, for a layer rule."""
    position: int = 0
    """Which of the rule's ``from`` patterns it matches, for a variable rule."""


def apply_table(table: Table, names: Collection[str]) -> MappingResult:
    """Match every name against every rule of the table.

    Each name is assigned, dropped or unmatched; conflicts are collected as problems, never raised. The result does
    not depend on the order of names or rules. Reads nothing.
    """
    names = sorted(set(names))
    claims, hints = _claims(table.rules, names)
    assigned, problems = _assignments(table.rules, claims)
    problems += _one_source_a_target(assigned)
    used = {claim.number for claim in claims}
    taken = {claim.name for claim in claims}
    return MappingResult(
        assignments=tuple(assigned),
        drops=tuple(_drops(table.rules, claims)),
        unmatched=tuple(name for name in names if name not in taken),
        problems=tuple(problems),
        unused=tuple(rule for number, rule in enumerate(table.rules) if number not in used and not rule.optional),
        hints={name: hint for name, hint in hints.items() if name not in taken},
    )


def inits(table: Table, target_names: Collection[str]) -> Mapping[str, Init]:
    """What target variables without a source start as, by name.

    A pattern matches a target name whole or from the start of one of its components on, as the targets of rules do.
    """
    index = PatternIndex((rule.pattern, rule) for rule in table.inits)
    found = {}
    for name in target_names:
        rule = next((rule for ending in _endings(name) for rule, _ in index.find(ending)), None)
        if rule:
            found[name] = Init(rule.value, rule.reason, rule.ref)
    return found


def _endings(name: str) -> Iterator[str]:
    """The name, then the name without its first component, and so on."""
    while name:
        yield name
        name = name.partition("/")[2]


def _claims(rules: Sequence[Rule], names: Sequence[str]) -> tuple[list[_Claim], dict[str, str]]:
    """Who takes which name; and hints for variables of a known layer that its kind does not know."""
    singles, layers = PatternIndex(_single_patterns(rules)), PatternIndex(_layer_patterns(rules))
    known = {number: rule.leaves for number, rule in enumerate(rules) if isinstance(rule, LayerRule)}
    depths = sorted({leaf.count("/") + 1 for rule in rules if isinstance(rule, LayerRule) for leaf in rule.leaves})
    scopes: dict[str, list[tuple[tuple[int, LayerRule], Bindings]]] = {}
    claims, hints = [], {}
    for name in names:
        claims += [_Claim(name, number, found, position=at) for (number, at), found in singles.find(name)]
        for depth in depths:
            scope, leaf = _cut(name, depth)
            if scope not in scopes:
                scopes[scope] = layers.find(scope)
            for (number, rule), bindings in scopes[scope]:
                if leaf in known[number]:
                    claims.append(_Claim(name, number, bindings, leaf))
                else:
                    hints[name] = _unknown_leaf(rule, leaf)
    return claims, hints


def _single_patterns(rules: Iterable[Rule]) -> Iterator[tuple[Pattern, tuple[int, int]]]:
    for number, rule in enumerate(rules):
        if isinstance(rule, VariableRule):
            yield from ((pattern, (number, position)) for position, pattern in enumerate(rule.patterns))
        elif isinstance(rule, DropRule):
            yield rule.pattern, (number, 0)


def _layer_patterns(rules: Iterable[Rule]) -> Iterator[tuple[Pattern, tuple[int, LayerRule]]]:
    for number, rule in enumerate(rules):
        if isinstance(rule, LayerRule):
            yield rule.pattern, (number, rule)


def _cut(name: str, depth: int) -> tuple[str, str]:
    """Scope and leaf, where the leaf has ``depth`` components; no scope when the name is too short."""
    pieces = name.rsplit("/", depth)
    return (pieces[0], name[len(pieces[0]) + 1 :]) if len(pieces) > depth else ("", name)


def _unknown_leaf(rule: LayerRule, leaf: str) -> str:
    nearest = did_you_mean(leaf, rule.leaves)
    kinds = " or ".join(f"{case.kind.name} ({case.kind.ref})" for case in rule.cases)
    found = f'{rule.ref} maps this layer as {kinds}, which has no leaf "{leaf}"'
    return f"{found}; {nearest}" if nearest else found


def _assignments(rules: Sequence[Rule], claims: Sequence[_Claim]) -> tuple[list[Assignment], list[Problem]]:
    assigned: list[Assignment] = []
    problems: list[Problem] = []
    layers: dict[tuple[int, str], list[_Claim]] = {}
    bundles: dict[tuple[int, _Bound], list[_Claim]] = {}
    for claim in claims:
        rule = rules[claim.number]
        if isinstance(rule, LayerRule):
            scope = claim.name[: -len(claim.leaf) - 1]
            layers.setdefault((claim.number, scope), []).append(claim)
        elif isinstance(rule, VariableRule):
            if rule.group is None and len(rule.patterns) == 1:
                _assign_targets(rule, (claim.name,), claim, assigned, problems)
            else:
                bundles.setdefault((claim.number, _without(claim.bindings, rule.group)), []).append(claim)
    final = _last_layers(rules, layers, problems)
    for place, found in layers.items():
        rule = rules[place[0]]
        if isinstance(rule, LayerRule):
            _assign_layer(final.get(place, rule), place[1], found, assigned, problems)
    for (number, _), found in bundles.items():
        rule = rules[number]
        if isinstance(rule, VariableRule):
            _assign_bundle(rule, found, assigned, problems)
    assigned.sort(key=lambda item: (item.sources, item.target))
    return assigned, problems


def _last_layers(
    rules: Sequence[Rule], layers: Mapping[tuple[int, str], Sequence[_Claim]], problems: list[Problem]
) -> dict[tuple[int, str], LayerRule]:
    """The layers that are the last of their run, each with its rule changed to the target of the last."""
    runs: dict[tuple[int, _Bound], list[tuple[int, tuple[int, str]]]] = {}
    for place, found in layers.items():
        rule = rules[place[0]]
        if isinstance(rule, LayerRule) and rule.last:
            bindings = found[0].bindings
            number = rule.pattern.placeholder(rule.last.of).number(bindings[rule.last.of])
            runs.setdefault((place[0], _without(bindings, rule.last.of)), []).append((number, place))
    final = {}
    for (number, _), run in runs.items():
        rule = rules[number]
        if isinstance(rule, LayerRule) and rule.last:
            problems += _twice_in_a_run(rule, sorted(run))
            places = [place for _, place in sorted(run)][-len(rule.last.targets) :]
            for place, target in zip(reversed(places), reversed(rule.last.targets), strict=False):
                cases = tuple(Case(case.kind, target) for case in rule.cases)
                per_class = rule.last.per_class if place == places[-1] else rule.per_class
                final[place] = replace(rule, cases=cases, per_class=per_class)
    return final


def _twice_in_a_run(rule: LayerRule, run: Sequence[tuple[int, tuple[int, str]]]) -> list[Problem]:
    """Layers of one number, such as ``conv1`` and ``conv01``: which of them is the last, nobody can tell."""
    return [
        Problem(f"{one} and {other} have one number", str(rule.ref), "`last` needs a number for each layer")
        for (number, (_, one)), (following, (_, other)) in pairwise(run)
        if number == following
    ]


def _without(bindings: Bindings, counter: str | None) -> _Bound:
    """What is the same for all members of a group, whatever the number of each."""
    return frozenset(item for item in bindings.items() if item[0] != counter)


def _assign_layer(
    rule: LayerRule, scope: str, found: Sequence[_Claim], assigned: list[Assignment], problems: list[Problem]
) -> None:
    present = {claim.leaf for claim in found}
    case = rule.cases[0] if len(rule.cases) == 1 else min(rule.cases, key=lambda case: _distance(case.kind, present))
    if not case.kind.demanded <= present:
        problems += _missing_leaves(rule, case.kind, scope, present)
    targets = [_target(rule, TargetPart(template, ()), found[0], problems) for template in (case.target, *case.others)]
    for claim in found if None not in targets else ():
        leaf = case.kind.leaves.get(claim.leaf)
        if leaf is None:
            problems.append(Problem(f"{claim.name}: the kind {case.kind.name} has no {claim.leaf}", str(rule.ref)))
        else:
            name, *others = [f"{target}/{each}" for target in targets for each in (leaf.target, *leaf.others)]
            sources, told = (claim.name,), (rule.per_class, tuple(others), rule.or_drop)
            assigned.append(Assignment(sources, name, leaf.ops, rule.ref, *told))


def _distance(kind: Kind, present: set[str]) -> tuple[int, int]:
    """How badly a layer with the leaves ``present`` fits the kind: how many lack, how many are too many."""
    return len(kind.demanded - present), len(present - kind.leaves.keys())


def _missing_leaves(rule: LayerRule, kind: Kind, scope: str, present: Collection[str]) -> list[Problem]:
    return [
        Problem(
            f"the layer {scope} has no {leaf.source}, which the kind {kind.name} demands",
            str(rule.ref),
            f'{leaf.ref} says so; "{leaf.source}?" there would let it be absent',
        )
        for leaf in kind.leaves.values()
        if leaf.required and leaf.source not in present
    ]


def _assign_bundle(
    rule: VariableRule, found: Sequence[_Claim], assigned: list[Assignment], problems: list[Problem]
) -> None:
    if sources := _sources(rule, found, problems):
        _assign_targets(rule, sources, found[0], assigned, problems)


def _assign_targets(
    rule: VariableRule, sources: tuple[str, ...], claim: _Claim, assigned: list[Assignment], problems: list[Problem]
) -> None:
    """What ``rule`` makes of all its sources, of which ``claim`` is one."""
    for part in rule.targets:
        target = _target(rule, part, claim, problems)
        if target is not None:
            assigned.append(Assignment(sources, target, part.ops, rule.ref, rule.per_class, (), rule.or_drop))


def _target(rule: LayerRule | VariableRule, part: TargetPart, claim: _Claim, problems: list[Problem]) -> str | None:
    try:
        return part.template.render(claim.bindings)
    except PatternError as error:
        problems.append(Problem(f"{claim.name}: {error}", str(rule.ref), f"`to` is {part.template}"))
        return None


def _sources(rule: VariableRule, found: Sequence[_Claim], problems: list[Problem]) -> tuple[str, ...]:
    """The sources in the order the operations take them; empty, with the problem noted, when one is missing."""
    if rule.group is not None:
        return _numbered(rule, rule.group, found, problems)
    by_position = {claim.position: claim.name for claim in found}
    for position, pattern in enumerate(rule.patterns):
        if position not in by_position:
            message = f"{found[0].name} needs {pattern.render(found[0].bindings)} too, which is not there"
            problems.append(Problem(message, str(rule.ref)))
    return tuple(by_position[i] for i in sorted(by_position)) if len(by_position) == len(rule.patterns) else ()


def _numbered(rule: VariableRule, group: str, found: Sequence[_Claim], problems: list[Problem]) -> tuple[str, ...]:
    """The members of a numbered group in order; it starts at 0 or 1 and has no gap."""
    counter = rule.patterns[0].placeholder(group)
    by_number = {counter.number(claim.bindings[group]): claim.name for claim in found}
    first, last = min(by_number), max(by_number)
    missing = [number for number in range(min(first, 1), last) if number not in by_number][:5] if last < 10**6 else [0]
    if len(by_number) < len(found):
        problems.append(Problem(f"{found[0].name}: two members of the group have one number", str(rule.ref)))
    elif missing or len(by_number) != last - min(first, 1) + 1:
        numbers = ", ".join(map(str, missing))
        message = f"the group {rule.patterns[0]} has a gap: number {numbers} is not there ({by_number[last]} is)"
        problems.append(Problem(message, str(rule.ref), f"found: {', '.join(list(by_number.values())[:5])}"))
    else:
        return tuple(by_number[number] for number in sorted(by_number))
    return ()


def _drops(rules: Sequence[Rule], claims: Iterable[_Claim]) -> Iterator[Drop]:
    for claim in claims:
        rule = rules[claim.number]
        if isinstance(rule, DropRule):
            yield Drop(claim.name, rule.reason, rule.ref)


def _one_source_a_target(assigned: Iterable[Assignment]) -> list[Problem]:
    first: dict[str, Assignment] = {}
    problems: list[Problem] = []
    for item in assigned:
        other = first.setdefault(item.target, item)
        if other is not item:
            message = f"{item.sources[0]} and {other.sources[0]} ({other.rule}) both become {item.target}"
            problems.append(Problem(message, str(item.rule), "each target variable takes one"))
    return problems


def unused_rules(
    rules: Iterable[Rule], names: Collection[str], kinds: Mapping[str, Kind] = MappingProxyType({})
) -> Iterator[Problem]:
    """A problem for each rule that matches none of ``names``, with the nearest one: slow, for where they are shown.

    A layer that is there, with other leaves than its kind knows, is named with those of ``kinds`` that fit it.
    """
    known = Names(names)
    for number, rule in enumerate(rules):
        misfit = _misfit(rule, names, kinds) if isinstance(rule, LayerRule) and number < _MAX_NEAREST else None
        if misfit is not None:
            yield misfit
            continue
        nearest = _nearest_to(rule, known) if number < _MAX_NEAREST else ""
        hint = "; ".join(filter(None, (nearest, "`optional: true` if only some layouts have it")))
        yield Problem(f"no variable matches {_wanted(rule)}", str(rule.ref), hint)


def _misfit(rule: LayerRule, names: Iterable[str], kinds: Mapping[str, Kind]) -> Problem | None:
    """A layer that the rule matches and none of whose leaves its kinds know; None where there is no such layer."""
    layers: dict[str, list[str]] = {}
    for name in names:
        scope, leaf = _cut(name, 1)
        if scope and (scope in layers or rule.pattern.match(scope) is not None):
            layers.setdefault(scope, []).append(leaf)
    if not layers:
        return None
    scope, leaves = next(iter(layers.items()))
    wants = "; ".join(f"the kind {case.kind.name} wants {_listed(_telling(case.kind))}" for case in rule.cases)
    fitting = [name for name, kind in kinds.items() if kind.demanded <= set(leaves) <= kind.leaves.keys()]
    hint = f"{_listed(fitting[:_MAX_FITTING], 'or')} fits" if fitting else "define a kind with these leaves"
    return Problem(f"the layer {scope} has {_listed(leaves)}, {wants}", str(rule.ref), hint)


def _telling(kind: Kind) -> list[str]:
    return [leaf for leaf in kind.leaves if leaf in kind.demanded] or list(kind.leaves)


def _listed(names: Sequence[str], word: str = "and") -> str:
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _wanted(rule: Rule) -> str:
    if isinstance(rule, LayerRule):
        return f"{rule.pattern} as {' or '.join(case.kind.name for case in rule.cases)}"
    return " or ".join(map(str, rule.patterns)) if isinstance(rule, VariableRule) else str(rule.pattern)


def _nearest_to(rule: Rule, names: Names) -> str:
    if isinstance(rule, LayerRule):
        return did_you_mean(f"{rule.pattern}/{next(iter(rule.cases[0].kind.leaves))}", names)
    return did_you_mean(str(rule.patterns[0] if isinstance(rule, VariableRule) else rule.pattern), names)
