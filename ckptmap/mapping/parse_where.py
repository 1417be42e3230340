"""Declarations of placeholders: ``where: {i: int, part: "expand|project", stage: {0: 1a, 1: 2a}}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.basics.nearest import did_you_mean
from ckptmap.mapping.patterns import MAX_CHOICES, Placeholder, Type, Where, is_placeholder_name

if TYPE_CHECKING:
    from ckptmap.mapping.yamlnodes import Node, YamlDocument

_TYPES = {kind.value: kind for kind in Type if kind is not Type.CHOICE}


def parse_where(doc: YamlDocument, node: Node | None) -> dict[str, Placeholder]:
    """The placeholders of a ``where`` mapping by name; mistakes are noted in ``doc`` and left out."""
    if node is None:
        return {}
    where = {}
    for name, (key, value) in (doc.pairs(node, "`where`") or {}).items():
        if not is_placeholder_name(name):
            doc.error(key, f'"{name}" cannot be the name of a placeholder', "letters, digits and _, a letter first")
            continue
        placeholder = _parse(doc, name, value)
        if placeholder is not None:
            where[name] = placeholder
    return where


def check_used(doc: YamlDocument, node: Node | None, declared: Where, used: set[str]) -> None:
    """Note placeholders that no rule uses."""
    for name, (key, _) in (doc.pairs(node, "`where`") or {}).items() if node is not None else ():
        if name in declared and name not in used:
            doc.error(key, f"the placeholder {{{name}}} is declared, but no rule uses it", did_you_mean(name, used))


def _parse(doc: YamlDocument, name: str, node: Node) -> Placeholder | None:
    if node.id == "mapping":
        choices = _order(doc, node) if any(key.value == "order" for key, _ in node.value) else _value_map(doc, node)
    else:
        text = doc.text(node, f"{{{name}}}")
        if text is None:
            return None
        if text in _TYPES:
            return Placeholder(name, _TYPES[text])
        if "|" not in text:
            known = f"{', '.join(_TYPES)}, alternatives as in a|b, or a map"
            doc.error(node, f'{{{name}}}: there is no type "{text}"', did_you_mean(text, _TYPES) or f"known: {known}")
            return None
        choices = _unique(doc, node, [(item.strip(), item.strip()) for item in text.split("|")])
    if choices is None:
        return None
    if not 1 <= len(choices) <= MAX_CHOICES:
        doc.error(node, f"{{{name}}} has {len(choices)} alternatives", f"1 to {MAX_CHOICES} are possible")
        return None
    return Placeholder(name, Type.CHOICE, choices)


def _value_map(doc: YamlDocument, node: Node) -> dict[str, str] | None:
    """Source text to target text."""
    choices = {}
    for key, (_, value) in (doc.pairs(node, "a value map") or {}).items():
        text = doc.text(value, f'the value of "{key}"')
        if text is not None:
            choices[key] = text
    return choices


def _order(doc: YamlDocument, node: Node) -> dict[str, str] | None:
    """Layers in the order in which they were made, to their number."""
    fields = doc.mapping(node, "an ordered list", ("order", "start"))
    if fields is None or "order" not in fields:
        return None
    start = doc.integer(fields["start"], "start") if "start" in fields else 0
    names = _order_items(doc, fields["order"])
    if start is None or start < 0 or names is None:
        return None
    return _unique(doc, node, [(name, str(start + i)) for i, name in enumerate(names)])


def _order_items(doc: YamlDocument, node: Node) -> list[str] | None:
    names: list[str] = []
    for item in doc.items(node, "`order`"):
        if item.id == "mapping":
            names += _scoped(doc, item)
        else:
            text = doc.text(item, "an item of `order`")
            names += [] if text is None else [text]
        if len(names) > MAX_CHOICES:
            doc.error(item, f"`order` has more than {MAX_CHOICES} names")
            return None
    return names


def _scoped(doc: YamlDocument, node: Node) -> list[str]:
    """``{scope: "block_{n}", n: [1, 10], of: [a, b]}``: block_1/a, block_1/b, block_2/a, …; ``n`` only with ``{n}``."""
    fields = doc.mapping(node, "a scope of `order`", ("scope", "n", "of"), ("scope", "of"))
    if fields is None or not {"scope", "of"} <= fields.keys():
        return []
    scope = doc.text(fields["scope"], "scope")
    limits = doc.integers(fields["n"], "n") if "n" in fields else (0, 0)
    inner = [doc.text(item, "an item of `of`") for item in doc.items(fields["of"], "`of`")]
    if scope is None or limits is None or None in inner:
        return []
    if ("{n}" in scope) != ("n" in fields):
        doc.error(node, "a scope with {n} needs `n`, the first and the last number", "for example n: [1, 10]")
        return []
    if len(limits) != 2 or not 0 <= limits[0] <= limits[1] or (limits[1] - limits[0] + 1) * len(inner) > MAX_CHOICES:
        doc.error(node, "n is [first, last], with 0 <= first <= last", f"and gives up to {MAX_CHOICES} names")
        return []
    numbers = range(limits[0], limits[1] + 1)
    return [f"{scope.replace('{n}', str(n))}/{name}" for n in numbers for name in inner]


def _unique(doc: YamlDocument, node: Node, pairs: list[tuple[str, str]]) -> dict[str, str] | None:
    choices: dict[str, str] = {}
    for text, value in pairs:
        if text in choices:
            doc.error(node, f'"{text}" is listed twice')
            return None
        choices[text] = value
    return choices
