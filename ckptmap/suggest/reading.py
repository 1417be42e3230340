"""Both sides as a draft needs them: the old checkpoint's weights in their order, the new model's variables."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CheckpointError, CkptmapError, TargetError
from ckptmap.checkpoint.files import LocalFiles, damage, read_message
from ckptmap.checkpoint.inventory import Kind
from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint
from ckptmap.checkpoint.remote import is_remote
from ckptmap.mapping.slots import classify
from ckptmap.planning.name_matching import match
from ckptmap.planning.plan import make_plan
from ckptmap.request.destination import table_for
from ckptmap.suggest.fresh import with_values
from ckptmap.suggest.graphs import graph_nodes, meta_nodes
from ckptmap.suggest.layer_values import Item, Shape
from ckptmap.suggest.nodes import Node
from ckptmap.targets import load_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ckptmap.checkpoint.inventory import Inventory
    from ckptmap.targets import Target

MAX_VARIABLES = 12_000
"""Of one side: the time for all pairs of layers grows with the square."""


@dataclass(frozen=True, slots=True)
class OldSide:
    """The weights of a TF1 checkpoint, and what is beside them."""

    inventory: Inventory
    items: tuple[Item, ...]
    bookkeeping: dict[str, str]
    """Counters and the like, which a table has to drop, and what each is."""
    ordered: bool
    """Whether something says the order in which the variables were made."""
    notes: tuple[str, ...]
    nodes: tuple[Node, ...] = ()
    """The graph, where there is one."""


def read_old(path: str | os.PathLike[str]) -> OldSide:
    """The weights of the checkpoint at ``path``, in the order of the ``.meta`` beside it where there is one.

    Raises:
        CheckpointError: it cannot be read, is a TF2 checkpoint, holds no weight, or too many.
    """
    with open_checkpoint(os.fspath(path)) as checkpoint:
        inventory = checkpoint.inventory
        if inventory.object_based:
            hint = "`ckptmap suggest OLD --to NEW`: OLD is the TF1 checkpoint, NEW the TF2 model"
            raise CheckpointError("is a TF2 checkpoint already", where=inventory.path, hint=hint)
        nodes, notes = _graph(inventory)
        order = _order(checkpoint, nodes)
    slots = classify(inventory.variables)
    weights = [variable for name, variable in inventory.variables.items() if name not in slots]
    if not weights:
        raise CheckpointError("holds no weight", where=inventory.path, hint="`ckptmap inspect` shows what is in it")
    _refuse_too_many(len(weights), inventory.path)
    items = tuple(Item(one.name, one.name, one.shape, order.get(one.name)) for one in weights)
    bookkeeping = {name: slot.label for name, slot in slots.items() if slot.kind == "bookkeeping"}
    known = all(item.place is not None for item in items)
    return OldSide(inventory, items, bookkeeping, known, notes, nodes)


def _order(checkpoint: Checkpoint, nodes: Sequence[Node]) -> dict[str, int]:
    """The place of each variable in the order in which they were made; nothing where no graph says it."""
    if not nodes:
        return {}
    meta = checkpoint.meta()
    names = meta.variables if meta is not None else ()
    return {name: at for at, name in enumerate(names or (node.name for node in nodes))}


def _graph(inventory: Inventory) -> tuple[tuple[Node, ...], tuple[str, ...]]:
    """The graph of the checkpoint, or that beside it, and a note where that cannot be read."""
    path = inventory.path if inventory.kind is Kind.FROZEN_GRAPH else f"{inventory.path}.meta"
    files = LocalFiles()
    try:
        if inventory.kind is Kind.SAVED_MODEL or is_remote(path) or files.size(path) is None:
            return (), ()
        with damage(path):
            data = read_message(files, path)
            return (graph_nodes(data) if inventory.kind is Kind.FROZEN_GRAPH else meta_nodes(data)), ()
    except CkptmapError as error:
        return (), (f"The graph is not used: {error}",)
    finally:
        files.close()


def read_new(to: str | os.PathLike[str], old: Inventory) -> tuple[Target, tuple[Item, ...]]:
    """The target, and its variables by the names that a table can call them.

    The lengths that a shipped target leaves open are those of ``old`` where its own table fits that, else None.

    Raises:
        CkptmapError: the target cannot be used, or has too many variables.
    """
    target = load_target(to)
    variables = _concrete(target, old) or _open(target)
    _refuse_too_many(len(variables), target.name)
    if not variables:
        raise TargetError("has no variables", where=target.name)
    named = _tellable([name for _, name, _ in variables])
    items = tuple(Item(name if named and "{" not in name else key, key, shape) for key, name, shape in variables)
    return target, _with_values(items, to)


def _with_values(items: tuple[Item, ...], template: str | os.PathLike[str]) -> tuple[Item, ...]:
    """The variables with what they hold, where they are those of a file."""
    if is_remote(os.fspath(template)):
        return items
    try:
        with open_checkpoint(os.fspath(template)) as checkpoint:
            return with_values(items, checkpoint)
    except CkptmapError:
        return items


def _concrete(target: Target, old: Inventory) -> list[tuple[str, str, Shape]]:
    """The variables of a shipped target in the layout that its own table gives this checkpoint; none where it fails."""
    if not target.unknowns and not target.settings:
        return []
    try:
        plan = make_plan(match(old, table_for(target, None)), target)
    except CkptmapError:
        return []
    return [(record.variable.key, record.variable.name, record.variable.shape) for record in plan.targets]


def _open(target: Target) -> list[tuple[str, str, Shape]]:
    """The variables under the default settings."""
    layout = target.layout((), {setting.name: setting.default for setting in target.settings})
    return [
        (one.key, one.name, tuple(None if dim.factors else dim.coefficient for dim in one.dims))
        for one in layout.variables
    ]


def _tellable(names: list[str]) -> bool:
    """Whether each name means one variable: no two are equal, and none is the end of another."""
    counts = Counter(names)
    return all(count == 1 for count in counts.values())


def _refuse_too_many(count: int, where: str) -> None:
    if count > MAX_VARIABLES:
        hint = f"a draft can be made for up to {MAX_VARIABLES:,}"
        raise CkptmapError(f"{count:,} variables are too many", where=where, hint=hint)
