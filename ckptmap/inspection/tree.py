"""Variables as a tree of scopes in which everything that differs in its numbers only is one branch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ckptmap.checkpoint.inventory import Variable
from ckptmap.checkpoint.object_graph import VALUE_SUFFIX
from ckptmap.report.fold import fold

_INDENT = "  "
Branches = dict[str, "Branch"]


@dataclass(slots=True)
class Branch:
    """A scope, or several that were folded: its own variables, and the scopes below it."""

    variables: list[Variable] = field(default_factory=list)
    below: Branches = field(default_factory=dict)


def tree_lines(variables: Iterable[Variable]) -> Iterator[str]:
    """The tree, one line a scope or a group of variables, two blanks a level; keys without their common ending."""
    yield from _lines(_folded(_grown(variables)), 0)


def _grown(variables: Iterable[Variable]) -> Branch:
    root = Branch()
    for variable in variables:
        branch = root
        for part in variable.name.removesuffix(VALUE_SUFFIX).split("/"):
            found = branch.below.get(part)
            if found is None:
                found = branch.below[part] = Branch()
            branch = found
        branch.variables.append(variable)
    return root


def _folded(branch: Branch) -> Branch:
    """The branch with alike scopes below it merged, from the root down."""
    below: Branches = {}
    for group in fold(branch.below):
        merged = branch.below[group.names[0]]
        for name in group.names[1:]:
            _merge(merged, branch.below[name])
        below[group.label] = merged
    return Branch(branch.variables, {label: _folded(one) for label, one in below.items()})


def _merge(into: Branch, other: Branch) -> None:
    into.variables.extend(other.variables)
    for name, branch in other.below.items():
        if name in into.below:
            _merge(into.below[name], branch)
        else:
            into.below[name] = branch


def _lines(branch: Branch, depth: int) -> Iterator[str]:
    for leaf in _leaves(branch):
        yield _INDENT * depth + leaf
    for label, one in branch.below.items():
        if not one.below:
            continue
        if one.variables:
            yield f"{_INDENT * depth}{label}  {describe(one.variables)}"
        path, inner = _straight(label, one)
        leaves = _leaves(inner)
        if len(leaves) == 1 and not any(below.below for below in inner.below.values()):
            yield f"{_INDENT * depth}{path}/{leaves[0]}"
        else:
            yield f"{_INDENT * depth}{path}/"
            yield from _lines(inner, depth + 1)


def _leaves(branch: Branch) -> list[str]:
    """The variables right below, those of the same types on one line (``{beta,gamma}  float32 [32]``)."""
    together: dict[str, list[str]] = {}
    for label, one in branch.below.items():
        if one.variables and not one.below:
            together.setdefault(describe(one.variables), []).append(label)
    return [f"{_together(labels)}  {described}" for described, labels in together.items()]


def _together(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{{{','.join(labels)}}}"


def _straight(label: str, branch: Branch) -> tuple[str, Branch]:
    """A scope and those that follow it without a fork, as one path."""
    while len(branch.below) == 1:
        (name, inner), *_ = branch.below.items()
        if not inner.below or inner.variables:
            break
        label, branch = f"{label}/{name}", inner
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
