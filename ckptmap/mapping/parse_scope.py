"""What the rules of a table share: the placeholders that they may use, and fields that several kinds of rules have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ckptmap.mapping.parse_where import check_used, parse_where
from ckptmap.mapping.patterns import Pattern, PatternError, Placeholder, Template, parse_pattern, parse_template
from ckptmap.mapping.table import PerClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.mapping.yamlnodes import Node, YamlDocument

_MAY_LACK = "optional"
"""``background: optional``: a target may lack the background."""


@dataclass(slots=True)
class Scope:
    """The placeholders a table declares, and which of them its rules have used so far."""

    doc: YamlDocument
    declared: Mapping[str, Placeholder]
    used: set[str] = field(default_factory=set)
    patterns: set[Node] = field(default_factory=set)
    """What was read as a pattern: where it is the target too, no `to` is written."""

    def pattern(self, node: Node, what: str) -> Pattern | None:
        """The pattern a node holds."""
        text = self.doc.text(node, what)
        if text is None:
            return None
        try:
            pattern = parse_pattern(text, self.declared)
        except PatternError as error:
            self.doc.error(node, str(error), error.hint)
            return None
        self.used |= pattern.names
        self.patterns.add(node)
        return pattern

    def template(self, node: Node, what: str, bound: frozenset[str]) -> Template | None:
        """The target name a node holds, over the placeholders that the source pattern binds."""
        text = self.doc.text(node, what)
        if text is None:
            return None
        try:
            template = parse_template(text, self.declared, same=node in self.patterns)
        except PatternError as error:
            self.doc.error(node, str(error), error.hint)
            return None
        self.used |= template.names
        for name in sorted(template.names - bound):
            self.doc.error(node, f"{{{name}}} is in {what}, but not in `from`", "only what is matched can be used")
        return template if template.names <= bound else None

    def inner(self, node: Node | None) -> Scope:
        """The scope of a rule with a ``where`` of its own."""
        return Scope(self.doc, {**self.declared, **parse_where(self.doc, node)}) if node is not None else self

    def close(self, node: Node | None, inner: Scope) -> None:
        """Take over what a rule used; note what it declared in vain."""
        if inner is not self:
            check_used(self.doc, node, inner.declared, inner.used)
            self.used |= inner.used


def parse_counter(scope: Scope, node: Node, patterns: tuple[Pattern, ...]) -> str | None:
    """The name of the placeholder that counts the members of a group."""
    doc, name = scope.doc, scope.doc.text(node, "the counting placeholder")
    if name is None or not patterns:
        return None
    if len(patterns) > 1 or name not in patterns[0].names:
        doc.error(node, f"`from` must be one pattern with {{{name}}}", "name the placeholder that counts")
    elif not scope.declared[name].numeric:
        doc.error(node, f"{{{name}}} does not stand for a number", "declare it `int` or map it to numbers")
    else:
        return name
    return None


def parse_per_class(doc: YamlDocument, node: Node | None) -> PerClass | None:
    """How a variable is divided by classes; None where the rule does not say, or for a mistake."""
    if node is None:
        return None
    fields = doc.mapping(node, "per_class", ("axis", "background", "block"), ("axis",))
    if fields is None or "axis" not in fields:
        return None
    axis = doc.integer(fields["axis"], "axis")
    block = doc.integer(fields["block"], "block") if "block" in fields else 1
    said = fields.get("background")
    sheds = said is not None and said.id == "scalar" and said.value == _MAY_LACK
    background = sheds or doc.flag(said, "background", True)
    if axis is None or block is None:
        return None
    if block < 1:
        doc.error(fields["block"], "block must be 1 or more")
        return None
    return PerClass(axis, background, block, sheds)


def parse_or_drop(doc: YamlDocument, fields: Mapping[str, Node]) -> str:
    """Why a source may be dropped where the target lacks its variable; empty where the rule does not say."""
    return parse_reason(doc, fields["or_drop"], "or_drop") or "" if "or_drop" in fields else ""


def parse_reason(doc: YamlDocument, node: Node, what: str) -> str | None:
    """A text that is not empty."""
    reason = doc.text(node, what)
    if reason is not None and not reason.strip():
        doc.error(node, "the reason is empty", "say why, the report repeats it")
        return None
    return reason
