"""The tensor operations that a table can ask for, and what makes the source again of what they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.mapping.op import Op, all_operations
from ckptmap.mapping.ops_branches import Branches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ckptmap.mapping.op import Tensor


def by_table_name() -> dict[str, list[type[Op]]]:
    """The operations that a table can ask for, by what it calls them."""
    named: dict[str, list[type[Op]]] = {}
    for kind in all_operations().values():
        if kind.in_tables:
            named.setdefault(kind.name, []).append(kind)
    return named


def inverse(ops: Sequence[Op], sources: Sequence[Tensor]) -> list[tuple[Op, ...] | None]:
    """For each source the operations that make it of the result of ``ops``; None where the result does not tell it.

    Shapes and dtypes come back as they were. Values do to the last bit, but for what was added or multiplied.

    Raises:
        OperationError: the operations do not fit the sources.
    """
    stages = [list(sources)]
    for op in ops:
        stages.append(op.infer(stages[-1]))
    chains: list[tuple[Op, ...] | None] = [() for _ in stages[-1]]
    for op, before in zip(reversed(ops), reversed(stages[:-1]), strict=True):
        chains = _into_branches(op, before, chains) if isinstance(op, Branches) else _before(op, before, chains)
    return chains


def _before(op: Op, before: Sequence[Tensor], chains: Sequence[tuple[Op, ...] | None]) -> list[tuple[Op, ...] | None]:
    """The chains to what the operation was run on."""
    found: list[tuple[Op, ...] | None] = []
    for at in range(len(before)):
        chain, back = chains[0 if op.joins else at], op.undo(before, at)
        found.append(None if chain is None or back is None else (*chain, *back))
    return found


def _into_branches(
    op: Branches, before: Sequence[Tensor], chains: Sequence[tuple[Op, ...] | None]
) -> list[tuple[Op, ...] | None]:
    """The chains to the sources of the branches; the first that leads to one counts."""
    found: list[tuple[Op, ...] | None] = [None] * len(before)
    for branch, chain in zip(op.branches, chains, strict=True):
        inner = inverse(branch.ops, [before[at] for at in branch.sources])
        for at, back in zip(branch.sources, inner, strict=True):
            if chain is not None and back is not None and found[at] is None:
                found[at] = (*chain, *back)
    return found
