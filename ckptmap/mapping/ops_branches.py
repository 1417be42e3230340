"""Several chains of operations side by side: what a nested ``from`` of a table becomes."""

# ruff: noqa: ARG001, ARG002, RUF012  (operations have one signature; what a class says of itself is only read)

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.text import plural
from ckptmap.mapping.arguments import Argument
from ckptmap.mapping.op import Op, execute, infer, operation, slot_ops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ckptmap.mapping.op import Array, Fault, Pulled, Shape, Tensor

_DEEPEST = 20
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Branch:
    """One tensor: what ``ops`` make of the sources with these numbers."""

    sources: tuple[int, ...]
    ops: tuple[Op, ...]


def _to_json(branches: tuple[Branch, ...]) -> list[dict[str, Any]]:
    from ckptmap.mapping.ops_json import op_to_json

    return [{"sources": list(one.sources), "operations": [op_to_json(op) for op in one.ops]} for one in branches]


def _from_json(value: object) -> object:
    """Branches, or None where these are none."""
    if not isinstance(value, list) or _depth(value) > _DEEPEST or not all(map(_is_branch, value)):
        return None
    from ckptmap.mapping.ops_json import op_from_json

    return tuple(Branch(tuple(one["sources"]), tuple(map(op_from_json, one["operations"]))) for one in value)


def _is_branch(item: object) -> bool:
    if not isinstance(item, dict) or item.keys() != {"sources", "operations"}:
        return False
    sources, operations = item["sources"], item["operations"]
    lists = isinstance(sources, list) and isinstance(operations, list)
    return lists and all(type(at) is int for at in sources) and all(isinstance(op, dict) for op in operations)


def _depth(value: object) -> int:
    """How deep lists and objects are nested, counted no further than what is refused."""
    depth, level = 0, [value]
    while level and depth <= 4 * (_DEEPEST + 1):
        inner = [list(one.values()) if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list))]
        level = [item for one in inner for item in one]
        depth += 1
    return depth // 4  # a list of branches, a branch, its operations, an operation


def _hold(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(one, Branch) for one in value)


def _parse(doc: Any, node: Any, what: str) -> None:
    """No table writes it by name."""
    raise CkptmapError(f"{what} is written as a nested `from`")


BRANCHES = Argument(_parse, _hold, _to_json, _from_json)


@operation
@dataclass(frozen=True, slots=True)
class Branches(Op):
    """One tensor for each branch, in their order; it comes first, so that branches choose among the sources."""

    branches: tuple[Branch, ...]
    name = "branches"
    arguments = {"branches": BRANCHES}
    in_tables = False

    def __str__(self) -> str:
        shown = (f"{list(one.sources)}: {', '.join(map(str, one.ops)) or 'as it is'}" for one in self.branches)
        return f"branches {'; '.join(shown)}"

    def infer(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Shape and dtype of each branch; raises OperationError."""
        return [self._inferred(one, tensors) for one in self.branches]

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """The value of each branch."""
        return [execute(one.ops, [arrays[at] for at in one.sources]) for one in self.branches]

    def unsound(self) -> Fault | None:
        """Each branch has sources, and leaves nothing to the target."""
        if not 0 < len(self.branches) <= _MOST or not all(
            one.sources and min(one.sources) >= 0 for one in self.branches
        ):
            return "branches need sources", ""
        if any(op.leaves_open or op.asks_target for one in self.branches for op in one.ops):
            return "branches leave nothing to the target", ""
        return None

    def for_slots(self, power: int) -> tuple[Op, ...] | None:
        """The same branches, with their operations for slots."""
        made = [Branch(one.sources, ops) for one in self.branches if (ops := slot_ops(one.ops, power)) is not None]
        return (Branches(tuple(made)),) if len(made) == len(self.branches) else None

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """None: ``inverse`` goes through the operations of each branch."""
        return None

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """None: ``by_rows`` goes through the operations of each branch."""
        return None

    def _inferred(self, branch: Branch, tensors: Sequence[Tensor]) -> Tensor:
        if max(branch.sources) >= len(tensors):
            raise self._fail(f"there is no source {max(branch.sources)}, only {plural(len(tensors), 'source')}")
        chosen = [tensors[at] for at in branch.sources]
        return infer(branch.ops, [shape for shape, _ in chosen], [dtype for _, dtype in chosen])
