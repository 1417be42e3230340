"""Operations that take a length from the target, with that length put in: ``reshape: target``, ``pad``, ``split``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ckptmap.basics.errors import Problem
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.checkpoint.naming import told_names
from ckptmap.mapping.op import Op, OperationError, Shape, infer
from ckptmap.mapping.ops_sized import SplitForTargets
from ckptmap.mapping.table import Assignment
from ckptmap.targets.variables import TargetVariable


def asks_target(assignment: Assignment) -> bool:
    """Whether an operation of the rule takes a length from the target."""
    return any(op.asks_target for op in assignment.ops)


def fitted(
    asking: Mapping[str, Assignment], variables: Mapping[str, TargetVariable], inventory: Inventory
) -> Iterator[tuple[str, Assignment | Problem]]:
    """The assignments by the key of their target variable, with what the ``variables`` say of them put in.

    A Problem stands for one that does not fit: the source's values are more or fewer, or the length cannot be told.
    """
    rules: dict[tuple[object, tuple[str, ...]], list[str]] = {}
    for key, one in asking.items():
        rules.setdefault((one.rule, one.sources), []).append(key)
    told = told_names((key, variable.name) for key, variable in variables.items()) if asking else {}
    for key, one in asking.items():
        alike = rules[one.rule, one.sources]
        try:
            yield key, one._replace(ops=_fitted(one, _in_order(alike, asking, key), asking, variables, inventory))
        except OperationError as error:
            message = f"{', '.join(one.sources)} for {told[key]}: {error.problem.message}"
            yield key, Problem(message, str(one.rule), error.problem.hint)


def _in_order(keys: Sequence[str], asking: Mapping[str, Assignment], own: str) -> list[str]:
    """The targets whose lengths an operation asks for: its own, or all that a split has a part for, in their order."""
    takes = {key: op.take for key in keys for op in asking[key].ops if isinstance(op, SplitForTargets)}
    return sorted(takes, key=takes.__getitem__) if own in takes else [own]


def _fitted(
    one: Assignment,
    targets: Sequence[str],
    asking: Mapping[str, Assignment],
    variables: Mapping[str, TargetVariable],
    inventory: Inventory,
) -> tuple[Op, ...]:
    at = _place(one.ops)
    sources = [inventory.variables[name] for name in one.sources]
    before, _ = infer(one.ops[:at], [each.shape for each in sources], [each.dtype for each in sources])
    op = one.ops[at].fitted(before, [_wanted(asking[key].ops, variables[key].shape) for key in targets])
    return (*one.ops[:at], *([] if op is None else [op]), *one.ops[at + 1 :])


def _wanted(ops: Sequence[Op], shape: Shape) -> Shape:
    """The shape behind the operation that asks, for the target to have its own in the end."""
    for op in reversed(ops[_place(ops) + 1 :]):
        found = op.wanted(shape)
        if found is None:
            raise OperationError(f"{op} behind {ops[_place(ops)]} does not show which shape it needs")
        shape = found
    return shape


def _place(ops: Sequence[Op]) -> int:
    return next(at for at, op in enumerate(ops) if op.asks_target)
