"""What a mapping table says and what applying it gives, as plain values.

Values of which a plan makes one for each variable are named tuples, here and elsewhere: frozen dataclasses take three
times as long to make, a tenth of the time of a large plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ckptmap.mapping.rule_ref import RuleRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.basics.errors import Problem
    from ckptmap.mapping.ops import Op
    from ckptmap.mapping.patterns import Pattern, Template

InitValue = str | float | tuple[float, ...]
"""``zeros``, ``ones``, ``initializer`` (the target variable's own), a number that fills the variable, or several, one
for each of as many equal blocks of its last axis."""


@dataclass(frozen=True, slots=True)
class PerClass:
    """A variable that holds something for each class.

    Along ``axis`` the classes follow each other, ``block`` values for each; the whole run repeats as often as it fits
    (once for each anchor). With ``background`` the run starts with one more class, the background.
    The length of the axis is repeats x (classes + background) x block. With ``sheds`` a target may lack the background
    that the source has: its slice is left out.
    """

    axis: int = -1
    background: bool = True
    block: int = 1
    sheds: bool = False

    def run(self, classes: int) -> int:
        """The length of one run of so many classes."""
        return (classes + self.background) * self.block

    def fits(self, length: int, classes: int) -> bool:
        """Whether an axis of this length can hold runs of so many classes in the target."""
        bare = self.sheds and not length % (classes * self.block)
        return bare or not length % self.run(classes)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One variable of a layer: its name in the source layer, in the target layer, and what happens on the way."""

    source: str
    target: str
    required: bool
    ops: tuple[Op, ...]
    ref: RuleRef
    others: tuple[str, ...] = ()
    """What the target layer may call it instead, tried in this order: Keras 2 and 3 name some leaves differently."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of layer: its leaves by their source name; or rules, where leaves are split or joined on the way."""

    name: str
    leaves: Mapping[str, Leaf]
    ref: RuleRef
    rules: tuple[VariableRule, ...] = ()
    """Of names below the layer, in the source and in the target."""

    @property
    def demanded(self) -> frozenset[str]:
        """The leaves that a layer of this kind always has."""
        return frozenset(leaf.source for leaf in self.leaves.values() if leaf.required)


@dataclass(frozen=True, slots=True)
class Case:
    """What a layer becomes when it is of this kind: when it has the leaves that the kind demands."""

    kind: Kind
    target: Template
    others: tuple[Template, ...] = ()
    """What the target may call the layer instead, tried in this order."""


@dataclass(frozen=True, slots=True)
class Last:
    """Other targets for the last layers of a numbered run, such as the output layer after hidden ones.

    Of all layers that a rule matches with the same other placeholders, those with the highest numbers of the
    placeholder ``of`` become ``targets``, the very last the last of them, and only that one is ``per_class``.
    """

    of: str
    targets: tuple[Template, ...]
    per_class: PerClass | None


@dataclass(frozen=True, slots=True)
class LayerRule:
    """Maps a layer, all leaves of its kind; with several cases, the kind shows which."""

    pattern: Pattern
    cases: tuple[Case, ...]
    last: Last | None
    per_class: PerClass | None
    optional: bool
    ref: RuleRef
    shared: bool = False
    """Other rules that say so too may take the same variables."""
    or_drop: str = ""
    """Why its variables are dropped where the target has no such layer; empty where that is a mistake."""

    @property
    def leaves(self) -> frozenset[str]:
        """The leaves that any of its kinds knows."""
        return frozenset(leaf for case in self.cases for leaf in case.kind.leaves)


@dataclass(frozen=True, slots=True)
class TargetPart:
    """One target of a variable rule, with all operations that lead to it."""

    template: Template
    ops: tuple[Op, ...]


@dataclass(frozen=True, slots=True)
class VariableRule:
    """Maps single variables: one to one, many to one, or one to many.

    With ``group``, all variables that ``patterns[0]`` matches with the same other placeholders are taken together, in
    the order of that placeholder's number.
    """

    patterns: tuple[Pattern, ...]
    targets: tuple[TargetPart, ...]
    group: str | None
    per_class: PerClass | None
    optional: bool
    ref: RuleRef
    shared: bool = False
    """Other rules that say so too may take the same variables."""
    or_drop: str = ""
    """Why its variables are dropped where the target has no such variable; empty where that is a mistake."""


@dataclass(frozen=True, slots=True)
class DropRule:
    """Source variables that no target needs, and why."""

    pattern: Pattern
    reason: str
    optional: bool
    ref: RuleRef


@dataclass(frozen=True, slots=True)
class InitRule:
    """Target variables that no source has, what they start as, and why."""

    pattern: Pattern
    value: InitValue
    reason: str
    ref: RuleRef


Rule = LayerRule | VariableRule | DropRule


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping table, checked, with everything it includes."""

    name: str
    path: str
    description: str
    rules: tuple[Rule, ...]
    inits: tuple[InitRule, ...]
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    """The SHA-256 of its file and of those that it includes."""


class Assignment(NamedTuple):
    """One target variable and what it is made from."""

    sources: tuple[str, ...]
    """Source variables, in the order the operations take them."""
    target: str
    """Readable name of the target variable, such as ``block_3_expand/kernel``."""
    ops: tuple[Op, ...]
    """Empty: the bytes are moved unchanged."""
    rule: RuleRef
    per_class: PerClass | None = None
    others: tuple[str, ...] = ()
    """What the target variable may be called instead, tried in this order."""
    or_drop: str = ""
    """Why the sources are dropped where the target has no such variable; empty where that is a mistake."""


@dataclass(frozen=True, slots=True)
class Drop:
    """A source variable that is left behind on purpose."""

    source: str
    reason: str
    rule: RuleRef


@dataclass(frozen=True, slots=True)
class Init:
    """What a target-only variable starts as, and why."""

    value: InitValue
    reason: str
    rule: RuleRef


@dataclass(frozen=True, slots=True)
class MappingResult:
    """What a table makes of a checkpoint's variables: each is assigned, dropped or unmatched."""

    assignments: tuple[Assignment, ...]
    drops: tuple[Drop, ...]
    unmatched: tuple[str, ...]
    problems: tuple[Problem, ...]
    unused: tuple[Rule, ...] = ()
    """Rules that match nothing and must; ``unused_rules`` makes problems of them."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """For unmatched variables of a known layer: which rule is near, and what its kind lacks."""


def has_class_head(table: Table) -> bool:
    """Whether a rule of ``table`` marks a class head with ``per_class``."""
    return any(_marks_head(rule) for rule in table.rules)


def _marks_head(rule: Rule) -> bool:
    if isinstance(rule, VariableRule):
        return rule.per_class is not None
    if isinstance(rule, DropRule):
        return False
    last = rule.last is not None and rule.last.per_class is not None
    return last or rule.per_class is not None or any(_marks_head(one) for case in rule.cases for one in case.kind.rules)
