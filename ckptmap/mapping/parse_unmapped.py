"""What has no counterpart on the other side: ``drop`` and ``init`` of one table file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.basics.nearest import did_you_mean
from ckptmap.mapping.parse_scope import parse_reason
from ckptmap.mapping.table import DropRule, InitRule, InitValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.mapping.parse_scope import Scope
    from ckptmap.mapping.patterns import Pattern
    from ckptmap.mapping.yamlnodes import Node, YamlDocument

_WORDS = ("zeros", "ones", "initializer")


def parse_drop(scope: Scope, node: Node) -> DropRule | None:
    """One item of ``drop``."""
    doc = scope.doc
    fields = doc.mapping(node, "a drop rule", ("match", "reason", "optional", "where"), ("match", "reason"))
    pattern, reason = _match(scope, fields)
    if fields is None or pattern is None or reason is None:
        return None
    return DropRule(pattern, reason, doc.flag(fields.get("optional"), "optional", False), doc.ref(node))


def parse_init(scope: Scope, node: Node) -> InitRule | None:
    """One item of ``init``."""
    doc = scope.doc
    needed = ("match", "value", "reason")
    fields = doc.mapping(node, "an init rule", (*needed, "where"), needed)
    pattern, reason = _match(scope, fields)
    value = _init_value(doc, fields["value"]) if fields and "value" in fields else None
    if fields is None or pattern is None or reason is None or value is None:
        return None
    return InitRule(pattern, value, reason, doc.ref(node))


def _match(scope: Scope, fields: Mapping[str, Node] | None) -> tuple[Pattern | None, str | None]:
    fields = fields or {}
    inner = scope.inner(fields.get("where"))
    pattern = inner.pattern(fields["match"], "`match`") if "match" in fields else None
    scope.close(fields.get("where"), inner)
    return pattern, parse_reason(scope.doc, fields["reason"], "reason") if "reason" in fields else None


def _init_value(doc: YamlDocument, node: Node) -> InitValue | None:
    if node.id == "scalar" and node.value in _WORDS:
        return str(node.value)
    if node.id == "sequence":
        numbers = [doc.number(item, "an item of value") for item in node.value]
        if not numbers:
            doc.error(node, "value is empty", "one number, or one for each of as many equal blocks of the last axis")
        return tuple(number for number in numbers if number is not None) if numbers and None not in numbers else None
    before = len(doc.problems)
    number = doc.number(node, "value")
    if number is None:
        del doc.problems[before:]
        hint = did_you_mean(str(node.value), _WORDS) if node.id == "scalar" else ""
        doc.error(node, "value must be zeros, ones, initializer or a number", hint)
    return number
