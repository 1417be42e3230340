"""Variables as a tree of scopes in which everything that differs in its numbers only is one branch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ckptmap.basics.fold import fold
from ckptmap.checkpoint.inventory import Variable
from ckptmap.checkpoint.object_graph import VALUE_SUFFIX

_INDENT = "  "
_MOST_NAMES = 4
_DEEPEST = 100
"""Scopes within scopes; what lies deeper in a hostile name is one scope, so that no recursion runs away."""


@dataclass(slots=True)
class Branch:
    """A scope, or several that were folded: the variables right in it by their names there, and the scopes in it."""

    variables: dict[str, list[Variable]] = field(default_factory=dict)
    below: dict[str, Branch] = field(default_factory=dict)


def tree_lines(variables: Iterable[Variable], names: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """The tree, one line a scope or a group of variables, two blanks a level; keys without their common ending.

    Behind a ``=`` stand the readable names of a group, of those in ``names`` that are not the same as the keys.
    """
    yield from _lines(_folded(_grown(variables)), 0, names)


def _grown(variables: Iterable[Variable]) -> Branch:
    known = {"": Branch()}
    for variable in variables:
        scope, slash, name = variable.name.removesuffix(VALUE_SUFFIX).rpartition("/")
        branch = known.get(scope + slash) or _branch(known, scope)
        branch.variables.setdefault(name, []).append(variable)
    return known[""]


def _branch(known: dict[str, Branch], scope: str) -> Branch:
    """The branch of ``scope``, made where it is new; ``known`` holds those that were made, by scope and slash."""
    branch, parts = known[""], scope.split("/", _DEEPEST)
    for count, part in enumerate(parts, 1):
        if part not in branch.below:
            known["/".join(parts[:count]) + "/"] = branch.below[part] = Branch()
        branch = branch.below[part]
    return branch


def _folded(branch: Branch) -> Branch:
    """The branch with everything below it that is alike merged, from the root down."""
    folded = Branch()
    for group in fold(branch.variables):
        folded.variables[group.label] = [one for name in group.names for one in branch.variables[name]]
    for group in fold(branch.below):
        merged = branch.below[group.names[0]]
        for name in group.names[1:]:
            _merge(merged, branch.below[name])
        folded.below[group.label] = _folded(merged)
    return folded


def _merge(into: Branch, other: Branch) -> None:
    for name, variables in other.variables.items():
        into.variables.setdefault(name, []).extend(variables)
    for name, branch in other.below.items():
        if name in into.below:
            _merge(into.below[name], branch)
        else:
            into.below[name] = branch


def _lines(branch: Branch, depth: int, names: Mapping[str, str]) -> Iterator[str]:
    indent = _INDENT * depth
    for line in _together(branch.variables, names):
        yield indent + line
    for label, one in branch.below.items():
        path, inner = _straight(label, one)
        lines = _together(inner.variables, names)
        if len(lines) == 1 and not inner.below:
            yield f"{indent}{path}/{lines[0]}"
        else:
            yield f"{indent}{path}/"
            yield from _lines(inner, depth + 1, names)


def _together(variables: dict[str, list[Variable]], names: Mapping[str, str]) -> list[str]:
    """The variables of a scope, those of the same types on one line (``{beta,gamma}  float32 [32]``)."""
    labels: dict[str, list[str]] = {}
    for label, alike in variables.items():
        labels.setdefault(describe(alike), []).append(label)
    return [
        f"{_braced(together)}  {described}{_readable([v for label in together for v in variables[label]], names)}"
        for described, together in labels.items()
    ]


def _readable(variables: list[Variable], names: Mapping[str, str]) -> str:
    """The readable names of the variables of a line, folded as their keys are; the first few."""
    known = {v.name.removesuffix(VALUE_SUFFIX): names[v.name] for v in variables if v.name in names}
    if all(name == key for key, name in known.items()):
        return ""
    labels = list(dict.fromkeys(group.label for group in fold(known.values())))
    more = f", … ({len(labels) - _MOST_NAMES} more)" if len(labels) > _MOST_NAMES else ""
    return f"  = {', '.join(labels[:_MOST_NAMES])}{more}"


def _braced(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{{{','.join(labels)}}}"


def _straight(label: str, branch: Branch) -> tuple[str, Branch]:
    """A scope and those that follow it without a fork, as one path."""
    while len(branch.below) == 1 and not branch.variables:
        ((name, branch),) = branch.below.items()
        label = f"{label}/{name}"
    return label, branch


def describe(variables: list[Variable]) -> str:
    """Dtype, shape, partitioning and number of several variables: ``float32 [3, 3, 8..64, 1]  x13``."""
    dtypes = "/".join(dict.fromkeys(variable.dtype.label for variable in variables))
    shapes = list(dict.fromkeys(variable.shape for variable in variables))
    parts = {len(variable.slices) for variable in variables} - {0}
    cut = f", {_span(sorted(parts))} slices" if parts else ""
    count = f"  x{len(variables)}" if len(variables) > 1 else ""
    return f"{dtypes} {_shape(shapes)}{cut}{count}"


def _shape(shapes: list[tuple[int, ...]]) -> str:
    if len({len(shape) for shape in shapes}) > 1:
        return f"({len(shapes)} shapes)"
    return f"[{', '.join(_span(sorted(set(lengths))) for lengths in zip(*shapes, strict=True))}]"


def _span(numbers: list[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}..{numbers[-1]}"
