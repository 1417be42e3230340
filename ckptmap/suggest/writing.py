"""A drafted table as YAML, with a comment for everything that is doubtful."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

from ckptmap.basics.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ckptmap.suggest.drafting import DraftedRule, DraftTable, Left
    from ckptmap.suggest.including import Part
    from ckptmap.suggest.layer_values import Matched, Pair

    Where = Mapping[str, str | Mapping[str, str]]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*")
_RESERVED = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_WIDTH = 118


def yaml_lines(table: DraftTable, matched: Matched, head: Sequence[str]) -> Iterator[str]:
    """The lines of the table; ``head`` are comments that it begins with."""
    yield from (f"# {line}".rstrip() for line in head)
    if table.includes or table.parts:
        yield from ("", "include:")
        yield from (f"  - {{table: {name}}}" for name in table.includes)
        yield from (line for part in table.parts for line in _part(part))
    if table.kinds:
        yield from ("", "kinds:")
        for name, leaves in table.kinds.items():
            yield f"  {name}:"
            yield from (f"    {quoted(old)}: {_leaf(new, ops)}" for old, new, ops in leaves)
    shared = _shared(table)
    if shared:
        yield from ("", "where:")
        yield from (line for name, declared in shared.items() for line in _declared(name, declared, "  "))
    for title, rules in (
        ("layers", [rule for rule in table.rules if rule.kind]),
        ("variables", [rule for rule in table.rules if not rule.kind]),
    ):
        if rules:
            yield from ("", f"{title}:")
            for rule in rules:
                yield from _rule(rule, matched, shared)
    yield from _left("drop", table.drops, shared)
    yield from _left("init", table.inits, shared)


def _part(part: Part) -> Iterator[str]:
    """An include of a shipped table that makes a part of the model, with a comment that says which part."""
    yield f"  # {plural(len(part.members), 'layer')}: {part.description}".replace("\n", " ")
    scopes = {"from": part.scope, "to": part.target}
    fields = {"table": part.table, **{name: quoted(scope) for name, scope in scopes.items() if scope}}
    yield from _item({**fields, "optional": "true"} if part.optional else fields, {}, {})


def _shared(table: DraftTable) -> dict[str, str | Mapping[str, str]]:
    """Placeholders with what most rules mean by them: declared once; the other rules declare their own."""
    meanings: dict[str, Counter[str]] = {}
    known: dict[str, str | Mapping[str, str]] = {}
    every = [*(one.rule for one in table.rules), *(one.rule for one in (*table.drops, *table.inits))]
    for rule in every:
        for name, declared in rule.where.items():
            text = json.dumps(declared)
            known[text] = declared
            meanings.setdefault(name, Counter())[text] += 1
    return {name: known[counts.most_common(1)[0][0]] for name, counts in sorted(meanings.items())}


def _declared(name: str, declared: str | Mapping[str, str], indent: str) -> Iterator[str]:
    if isinstance(declared, str):
        yield f"{indent}{name}: {declared}"
        return
    inline = f"{indent}{name}: {_inline(declared)}"
    if len(inline) <= _WIDTH:
        yield inline
    elif _consecutive(list(declared.values())):
        yield f"{indent}{name}:"
        yield f"{indent}  order:"
        yield from (f"{indent}    - {quoted(text)}" for text in declared)
        if next(iter(declared.values())) != "0":
            yield f"{indent}  start: {next(iter(declared.values()))}"
    else:
        yield f"{indent}{name}:"
        yield from (f"{indent}  {quoted(text)}: {quoted(value)}" for text, value in declared.items())


def _consecutive(values: Sequence[str]) -> bool:
    if not all(value.isdecimal() for value in values):
        return False
    first = int(values[0])
    return [int(value) for value in values] == list(range(first, first + len(values)))


def _inline(declared: Mapping[str, str]) -> str:
    if len(declared) > 1 and all(text == value and "|" not in text for text, value in declared.items()):
        return quoted("|".join(declared))
    return "{" + ", ".join(f"{quoted(text)}: {quoted(value)}" for text, value in declared.items()) + "}"


def _leaf(new: str, ops: str) -> str:
    return f"{{to: {quoted(new)}, ops: {ops}}}" if ops else quoted(new)


def _rule(rule: DraftedRule, matched: Matched, shared: Where) -> Iterator[str]:
    yield from (f"  # {line}" for line in doubts(rule, matched))
    fields = {"from": _listed(rule.olds) or quoted(rule.rule.old), "to": _listed(rule.news) or quoted(rule.rule.new)}
    if rule.kind:
        fields["as"] = quoted(rule.kind)
    elif rule.ops:
        fields |= {"group": "copy"} if "copy" in rule.rule.where else {}
        fields["ops"] = rule.ops
    yield from _item(fields, rule.rule.where, shared)


def _listed(names: Sequence[str]) -> str:
    return f"[{', '.join(map(quoted, names))}]" if names else ""


def _item(fields: Mapping[str, str], where: Where, shared: Where) -> Iterator[str]:
    """One rule, on one line where it is short enough; with the placeholders that mean something else elsewhere."""
    own = {name: declared for name, declared in where.items() if declared != shared.get(name)}
    inner = ", ".join(f"{name}: {_inline(d) if not isinstance(d, str) else d}" for name, d in own.items())
    line = "  - {" + ", ".join(f"{name}: {text}" for name, text in fields.items())
    line += f", where: {{{inner}}}}}" if own else "}"
    if len(line) <= _WIDTH:
        yield line
        return
    for at, (name, text) in enumerate(fields.items()):
        yield f"  {'- ' if at == 0 else '  '}{name}: {text}"
    if own:
        yield "    where:"
        for name, declared in own.items():
            yield from _declared(name, declared, "      ")


def doubts(rule: DraftedRule, matched: Matched) -> Iterator[str]:
    """What is settled or proven and what is doubtful in a rule: a line a reason, the first runner-up with it."""
    if rule.answered:
        which = f"{rule.answered} of {rule.count} layers are" if rule.count > 1 else "this layer is"
        yield f"{which} as you answered"
    for proof, count in rule.proofs.items():
        word, _, rest = proof.partition(": ")
        which = f"{count} of {rule.count} layers" if rule.count > 1 else "this layer"
        yield f"{word}: {which}: {rest}"
    reasons = Counter(pair.why for pair in rule.doubts)
    for reason, count in reasons.most_common():
        first = next(pair for pair in rule.doubts if pair.why == reason)
        which = f"{count} of {rule.count} layers" if rule.count > 1 else "this layer"
        line = f"doubtful: {which}: {reason}"
        choice = alternatives(first, matched)
        line += f"; {choice}?" if choice else ""
        yield line.replace("\n", " ")


def alternatives(pair: Pair, matched: Matched) -> str:
    """A pair and its runner-up: ``a -> x or y``; where only another old layer is one, ``a or b -> x``."""
    one, other = matched.old[pair.old].scope, matched.new[pair.new].scope
    if pair.rival_new >= 0:
        return f"{one} -> {other} or {matched.new[pair.rival_new].scope}"
    return f"{one} or {matched.old[pair.rival_old].scope} -> {other}" if pair.rival_old >= 0 else ""


def _left(title: str, found: Sequence[Left], shared: Where) -> Iterator[str]:
    """The section ``drop`` or ``init``."""
    if found:
        yield from ("", f"{title}:")
    for one in found:
        if one.doubtful:
            yield "  # doubtful"
        fields = {"match": quoted(one.rule.old), **({"value": one.value} if one.value else {})}
        yield from _item({**fields, "reason": json.dumps(one.reason)}, one.rule.where, shared)


def quoted(text: str) -> str:
    """A text as YAML, in quotes where it needs them."""
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return json.dumps(text)
