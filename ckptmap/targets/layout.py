"""A model's variables under chosen settings, waiting for the shapes of a source."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ckptmap.basics.errors import Problem, ProblemsError
from ckptmap.basics.text import plural
from ckptmap.targets.names import NameIndex, numbers_in
from ckptmap.targets.solve import Evidence, Solution, Unknown, solve
from ckptmap.targets.variables import SpecVariable, TargetVariable, name_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from ckptmap.targets.choose import Assumption, Settings


@dataclass(frozen=True)
class Layout:
    """The variables that a model has under ``settings``, their lengths written in unknowns.

    ``decided_by_names`` are the settings that the source's variables decide; ``assumed`` those that nothing decides;
    ``given`` are the unknowns' values that the user gave; ``root`` is the name that the model has in its checkpoint.
    """

    settings: Settings
    variables: tuple[SpecVariable, ...]
    unknowns: Mapping[str, Unknown] = field(default_factory=dict)
    decided_by_names: tuple[str, ...] = ()
    assumed: tuple[Assumption, ...] = ()
    given: Mapping[str, int] = field(default_factory=dict)
    root: str = ""

    @cached_property
    def _index(self) -> NameIndex:
        return NameIndex(self.variables, self.root)

    @cached_property
    def _looked_up(self) -> dict[str, SpecVariable | Problem]:
        """What ``find`` has found so far: a plan asks for each name more than once."""
        return {}

    @cached_property
    def _users(self) -> dict[str, list[str]]:
        """The variables that each unknown shapes."""
        users: dict[str, list[str]] = {}
        for variable in self.variables:
            for name in variable.unknowns:
                users.setdefault(name, []).append(variable.name)
        return users

    @cached_property
    def _fixed_shapes(self) -> dict[int, tuple[int, ...]]:
        """The shapes that no unknown changes, by the identity of what they are written in: many variables share it."""
        found: dict[int, tuple[int, ...]] = {}
        for variable in self.variables:
            dims = variable.dims
            if id(dims) not in found and not any(dim.factors for dim in dims):
                found[id(dims)] = tuple([dim.coefficient for dim in dims])
        return found

    def uses(self, unknown: str) -> bool:
        """Whether the unknown shapes any variable."""
        return unknown in self._users

    def find(self, name: str) -> SpecVariable | Problem:
        """The variable that a table's target string means; a Problem with the nearest names where there is not one."""
        found = self._looked_up.get(name)
        if found is None:
            found = self._looked_up[name] = self._index.find(name)
        return found

    def lacks(self, name: str) -> bool:
        """Whether the model has no variable that a target string can mean."""
        return not self._index.matches(name)

    def meant(self, names: Sequence[str]) -> str:
        """The first of several target strings for one variable that says one; the first of all where none does."""
        return next((name for name in names if not self.lacks(name)), names[0]) if len(names) > 1 else names[0]

    def _known(self, name: str) -> SpecVariable | None:
        """The same as ``find``, without the search for the nearest names where there is none."""
        if name not in self._looked_up:
            matches = self._index.matches(name)
            if len(matches) != 1:
                return None
            self._looked_up[name] = matches[0]
        found = self._looked_up[name]
        return None if isinstance(found, Problem) else found

    def solve(
        self,
        offers: Mapping[str, Sequence[int]],
        given: Mapping[str, int] | None = None,
        per_class: Collection[str] = (),
    ) -> Solution:
        """The unknowns' values that the offered shapes decide.

        ``offers`` holds for each target string the shape that the source has for it; the lengths in the string itself
        (``Conv2d_2_1x1_256``) count as well. Shapes of the strings in ``per_class`` are no evidence. ``problems`` of
        the solution tell each rank and each length that does not fit, and each unknown that stays open.
        Strings that ``find`` does not know are passed over.
        """
        found = [(text, shape, v) for text, shape in offers.items() if (v := self._known(text)) is not None]
        ranks = [
            _wrong_rank(text, shape, v)
            for text, shape, v in found
            if len(shape) != len(v.dims) and text not in per_class
        ]
        fixed = self._fixed_shapes
        evidence = [
            item
            for text, shape, v in found
            if fixed.get(id(v.dims)) != shape or "{" in v.name  # a fixed shape that fits shows nothing
            for item in _evidence(text, shape, v, text in per_class)
        ]
        defaults = {name: u.default for name, u in self.unknowns.items() if u.default is not None}
        solution = solve(evidence, {**self.given, **(given or {})}, defaults)
        problems = (*ranks, *solution.problems, *self._open_problems(solution.values))
        return Solution(solution.values, self._used(solution.assumed), problems)

    def variables_with(self, solution: Solution) -> tuple[TargetVariable, ...]:
        """The variables with concrete shapes and names; raises ProblemsError while an unknown stays open."""
        if still_open := self._open_problems(solution.values):
            raise ProblemsError("the target's shapes stay open", still_open)
        values, fixed = solution.values, self._fixed_shapes
        return tuple([variable.concrete(values, fixed.get(id(variable.dims))) for variable in self.variables])

    def _used(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name in self._users)

    def _open_problems(self, values: Mapping[str, int]) -> tuple[Problem, ...]:
        still_open = {name: variables for name, variables in self._users.items() if name not in values}
        return tuple(self._open_problem(name, variables) for name, variables in still_open.items())

    def _open_problem(self, name: str, users: Sequence[str]) -> Problem:
        unknown = self.unknowns.get(name, Unknown(name))
        meaning = f" ({unknown.meaning})" if unknown.meaning else ""
        message = f"nothing decides {name}{meaning}, which shapes {plural(len(users), 'variable')}"
        return Problem(message, users[0], f"give it with {unknown.how_to_give}")


def _wrong_rank(text: str, shape: Sequence[int], variable: SpecVariable) -> Problem:
    dims = ", ".join(str(dim) for dim in variable.dims)
    return Problem(
        f"shape {list(shape)} has {len(shape)} dimensions, the target's [{dims}] has {len(variable.dims)}", text
    )


def _evidence(text: str, shape: Sequence[int], variable: SpecVariable, name_only: bool) -> Iterator[Evidence]:
    if "{" in variable.name:
        for dim, number in zip(name_fields(variable.name), numbers_in(variable.name, text), strict=False):
            yield Evidence(text, dim, number, "its name")
    if not name_only and len(shape) == len(variable.dims):
        for at, (dim, length) in enumerate(zip(variable.dims, shape, strict=True)):
            if dim.factors or dim.coefficient != length:  # a fixed length that fits shows nothing
                yield Evidence(text, dim, length, f"dimension {at}")
