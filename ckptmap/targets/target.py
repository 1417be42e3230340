"""A Target: every variable that a TF2 model can have, and the settings and unknowns that decide which and how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ckptmap.basics.bounds import bound_of
from ckptmap.basics.errors import TargetError
from ckptmap.basics.nearest import nearest
from ckptmap.checkpoint.inventory import Kind
from ckptmap.targets.choose import Assumption, Choice, Setting, When, choose, show
from ckptmap.targets.layout import Layout
from ckptmap.targets.names import NameIndex
from ckptmap.targets.solve import Solution, Unknown
from ckptmap.targets.variables import Initializer, SpecVariable, TargetVariable, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ckptmap.basics.errors import Problem
    from ckptmap.targets.optimizer import OptimizersFound

_MOST_DIGITS = 20

__all__ = [
    "Assumption",
    "Initializer",
    "Layout",
    "Setting",
    "Solution",
    "SpecVariable",
    "Target",
    "TargetVariable",
    "Template",
    "Unknown",
]


@dataclass(frozen=True, slots=True)
class Template:
    """The TF2 checkpoint, or the file of weights, that a target was made of: it has a value for each of its variables.

    ``obstacle`` says what hides them, such as a data file that is missing: names and shapes are in the index. ``links``
    are further ways of the model to its objects, each with the one that the variables' paths go by; both start at the
    checkpoint itself.
    """

    path: str
    obstacle: Problem | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    kind: Kind = Kind.V2
    """The format that it is in, and what is made of it too."""
    optimized: tuple[str, ...] = ()
    """The objects that had an optimizer: ``model`` where that was compiled, empty for the checkpoint itself."""


@dataclass(frozen=True)
class Target:
    """A TF2 model as a conversion sees it.

    ``settings`` change which variables there are, ``unknowns`` how long they are; ``excluded`` are combinations of
    settings that no model can be built with. A template, which is a TF2 checkpoint, has neither: all is fixed.
    """

    name: str
    variables: tuple[SpecVariable, ...]
    settings: tuple[Setting, ...] = ()
    unknowns: Mapping[str, Unknown] = field(default_factory=dict)
    fixed: Mapping[str, Value] = field(default_factory=dict)
    """Settings that would change the variables, and the one value that these variables are for."""
    excluded: tuple[When, ...] = ()
    table: str | None = None
    """The shipped mapping table that leads here; None: the user gives one."""
    root: str = "model"
    """The name that the model has in the tf.train.Checkpoint; empty where variables lie below several names."""
    origin: str = ""
    """What it was made from, for reports: the shipped spec's generator, the template's path."""
    counterpart_of: str = ""
    """The TF1 model that it is for, where that is called otherwise."""
    template: Template | None = None
    """Where its variables have values of their own; None for a shipped target."""
    follows_source: bool = False
    """Whether it has the variables of whatever is converted, by the same names: ``following`` gives it those."""
    optimizers: OptimizersFound | None = None
    """The optimizers of a template; None for a shipped target, and where the graph cannot be read."""

    @cached_property
    def _index(self) -> NameIndex:
        return NameIndex(self.variables, self.root)

    def layout(self, names: Iterable[str] = (), given: Mapping[str, object] | None = None) -> Layout:
        """The variables under the settings that fit ``names`` best: the target strings that a source maps to.

        ``given`` holds settings and unknowns by name, as values or as the command line writes them (``"true"``,
        ``"3"``). Raises TargetError for a name that is neither, and for a value that a setting cannot have.
        """
        settings, unknowns = self.split(given or {})
        if not self.settings:
            return self._layout(Choice({}, self.variables), unknowns)
        matched = [variable for name in names for variable in self._index.matches(name)]
        choice = choose(self.settings, self.variables, matched, settings, self.excluded)
        return self._layout(choice, unknowns)

    def covers(self, setting: str) -> tuple[Value, ...]:
        """The values of a setting that the variables are for; empty where the target knows no setting of this name."""
        if setting in self.fixed:
            return (self.fixed[setting],)
        return next((one.values for one in self.settings if one.name == setting), ())

    def split(self, given: Mapping[str, object]) -> tuple[dict[str, Value], dict[str, int]]:
        """Given settings and given unknowns, each checked; raises TargetError as ``layout`` does."""
        by_name = {setting.name: setting for setting in self.settings}
        settings = {name: self._setting(by_name[name], value) for name, value in given.items() if name in by_name}
        unknowns = {name: self._unknown(name, value) for name, value in given.items() if name not in by_name}
        return settings, unknowns

    def _layout(self, choice: Choice, given: Mapping[str, int]) -> Layout:
        return Layout(
            choice.settings,
            choice.variables,
            self.unknowns,
            choice.decided_by_names,
            choice.assumed,
            given,
            self.root,
        )

    def _setting(self, setting: Setting, given: object) -> Value:
        for value in setting.values:
            if given == value and isinstance(given, bool) == isinstance(value, bool):
                return value
            if str(given).lower() == show(value):
                return value
        allowed = ", ".join(show(value) for value in setting.values)
        raise TargetError(f"{setting.name} cannot be {given!r}", where=self.name, hint=f"one of: {allowed}")

    def _unknown(self, name: str, given: object) -> int:
        if name not in self.unknowns:
            raise self._no_such(name)
        if isinstance(given, str) and given.isdecimal() and len(given) <= _MOST_DIGITS:
            given = int(given)
        if not isinstance(given, int) or isinstance(given, bool) or given <= 0:
            raise TargetError(f"{name} cannot be {given!r}", where=self.name, hint="a whole number above 0")
        if problem := bound_of(name).problem(name, given):
            raise TargetError(problem, where=self.name)
        return given

    def _no_such(self, name: str) -> TargetError:
        known = [setting.name for setting in self.settings] + list(self.unknowns)
        if not known:
            return TargetError(f"every shape is fixed; {name} cannot be given", where=self.name)
        close = nearest(name, known, 3) or sorted(known)
        return TargetError(f"no setting is called {name}", where=self.name, hint=f"known: {', '.join(close)}")
