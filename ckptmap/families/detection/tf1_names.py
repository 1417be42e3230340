"""The TF1 names of a model's variables: a mapping table read backwards.

A table maps TF1 names to the TF2 model's. Names that the checkpoint has are mapped forwards; for variables that it
lacks, each rule's target is matched and its placeholders put into the rule's pattern.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import product

from ckptmap.basics.errors import Problem
from ckptmap.mapping import Table, apply_table
from ckptmap.mapping.patterns import Expression, Pattern, PatternError, Placeholder, Template, Type
from ckptmap.mapping.table import LayerRule, VariableRule
from ckptmap.targets import Layout

_NUMBER = re.compile(r"(?<![0-9])[0-9]{2,}(?![0-9])")


def tf1_names(table: Table, layout: Layout, names: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """The TF1 name of each variable, by its key; variables whose name no rule tells are left out.

    Args:
        table: the model's table.
        layout: its variables in TF2.
        names: the readable name of each variable by its key.
        known: names that a checkpoint has.
    """
    found = {key: source for source, key in _forwards(table, layout, known).items()}
    guesses = {key: _guesses(table, name) for key, name in names.items() if key not in found}
    # read forwards again, all together: a layer is known by its leaves, and a guess may lead elsewhere
    led = _forwards(table, layout, {guess for many in guesses.values() for guess in many})
    for key, many in guesses.items():
        if (right := next((guess for guess in many if led.get(guess) == key), None)) is not None:
            found[key] = right
    return found


def _guesses(table: Table, name: str) -> tuple[str, ...]:
    """The names that could become ``name``; first those whose numbers the table's own name has (``resnet_v1_50``)."""
    own = set(_NUMBER.findall(table.name))
    return tuple(sorted(_backwards(table, name), key=lambda guess: not own & set(_NUMBER.findall(guess))))


def _forwards(table: Table, layout: Layout, known: Collection[str]) -> dict[str, str]:
    """The key of the variable that each name becomes."""
    found = {}
    for assignment in apply_table(table, known).assignments:
        variable = layout.find(assignment.target)
        if not isinstance(variable, Problem) and len(assignment.sources) == 1:
            found[assignment.sources[0]] = variable.key
    return found


def _backwards(table: Table, name: str) -> Iterator[str]:
    """The names that a rule could make ``name`` of."""
    for rule in table.rules:
        if isinstance(rule, LayerRule):
            for case in rule.cases:
                for leaf in case.kind.leaves.values():
                    if name.endswith(f"/{leaf.target}"):
                        layer = name.removesuffix(f"/{leaf.target}")
                        yield from (f"{scope}/{leaf.source}" for scope in _sources(rule.pattern, case.target, layer))
        elif isinstance(rule, VariableRule) and len(rule.patterns) == len(rule.targets) == 1 and rule.group is None:
            yield from _sources(rule.patterns[0], rule.targets[0].template, name)


def _sources(pattern: Pattern, template: Template, name: str) -> Iterator[str]:
    """What ``pattern`` would have matched where ``template`` gave ``name``, or the end of it."""
    match = _regex(template).fullmatch(name)
    if match is None:
        return
    bindings: dict[str, str] = {}
    expressions = [part for part in template.parts if isinstance(part, Expression)]
    for expression, text in zip(expressions, match.groups(), strict=True):
        bound = _bind(expression, text)
        if bound is None or bindings.get(bound[0], bound[1]) != bound[1]:
            return
        bindings[bound[0]] = bound[1]
    try:
        rendered = template.render(bindings)
    except (PatternError, KeyError, ValueError):
        return
    if name.endswith(rendered):
        yield from (pattern.render({**bindings, **rest}) for rest in _unbound(pattern, bindings))


def _unbound(pattern: Pattern, bindings: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Every choice for the placeholders that the target does not show, such as the name of the network."""
    names = sorted(pattern.names - bindings.keys())
    if all(pattern.placeholder(name).type is Type.CHOICE for name in names):
        for texts in product(*(pattern.placeholder(name).choices for name in names)):
            yield dict(zip(names, texts, strict=True))


@lru_cache(maxsize=4096)
def _regex_of(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _regex(template: Template) -> re.Pattern[str]:
    """The names that end in what the template can render, an expression in each group."""
    parts = (re.escape(part) if isinstance(part, str) else f"({_texts(part)})" for part in template.parts)
    return _regex_of(f"(?:.*/)?{''.join(parts)}")


def _texts(expression: Expression) -> str:
    if expression.auto:
        return r"|_\d+"
    if not expression.plain:
        return r"\d+"
    placeholder = expression.terms[0][1]
    if placeholder.type is Type.CHOICE:
        return "|".join(map(re.escape, sorted(set(placeholder.choices.values()), key=len, reverse=True)))
    return placeholder.regex


def _bind(expression: Expression, text: str) -> tuple[str, str] | None:
    """The placeholder of the expression and its text in the source; None where it cannot be solved for."""
    if len(expression.terms) != 1:
        return None
    factor, placeholder = expression.terms[0]
    if expression.plain:
        source = _source_text(placeholder, text)
    else:
        number = int(text.lstrip("_") or 0) - expression.constant
        source = _number_text(placeholder, number // factor) if factor and number % factor == 0 else None
    return None if source is None else (placeholder.name, source)


def _source_text(placeholder: Placeholder, text: str) -> str | None:
    if placeholder.type is not Type.CHOICE:
        return text
    return _first(source for source, target in placeholder.choices.items() if target == text)


def _number_text(placeholder: Placeholder, number: int) -> str | None:
    if number < 0:
        return None
    if placeholder.type is Type.AUTO:
        return f"_{number}" if number else ""
    if placeholder.type is Type.CHOICE:
        return _first(source for source, target in placeholder.choices.items() if int(target) == number)
    return str(number)


def _first(texts: Iterable[str]) -> str | None:
    return next(iter(texts), None)
