"""What only the checkpoint says of a destination: the table of the model that it shows; its variables as a target's."""

from __future__ import annotations

from dataclasses import replace

from ckptmap.basics.errors import Problem, TargetError
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.mapping import Table, load_table
from ckptmap.mapping.table import has_class_head
from ckptmap.planning.agreement import AGREEMENT, agreement
from ckptmap.planning.name_matching import match, resolved
from ckptmap.request.destination import Destination, has_no_tf1_names
from ckptmap.targets import Target
from ckptmap.targets.following import following


def for_source(inventory: Inventory, destination: Destination) -> Destination:
    """The destination for this very checkpoint.

    A target that follows its source gets the source's variables. For a template that nobody named a table for, it is
    the table of the model that the checkpoint shows: of several the one that places the most variables, and none where
    the names of both sides agree on more.

    Raises:
        TargetError: names of TF1 are needed, and there are none; or a class count is asked for that nothing can have.
    """
    if destination.target.follows_source:
        return _following(inventory, destination)
    found = _by_known_table(inventory, destination)
    _refuse_lost_count(found)
    return found


def _by_known_table(inventory: Inventory, destination: Destination) -> Destination:
    if destination.table is not AGREEMENT or has_no_tf1_names(inventory):
        return destination
    target, known = destination.target, {name: load_table(name) for name in _known_tables(inventory)}
    placed = {name: _placed(inventory, table, target) for name, table in known.items()}
    best = max(placed, key=lambda name: placed[name], default="")
    if best and placed[best] and placed[best] >= len(agreement(inventory, target).rules):
        return replace(destination, table=known[best], target=replace(target, table=best))
    return destination


def _refuse_lost_count(destination: Destination) -> None:
    """Raises TargetError for a class count, said by the user, where the table marks no class head of the template."""
    options = destination.options
    said = options.num_classes is not None and options.labels is None and destination.config is None
    if said and destination.target.template is not None and not has_class_head(destination.table):
        raise TargetError(
            f"{argument('num_classes')} has no effect: no rule marks a class head",
            hint="leave it out, or mark the head with per_class in a table of your own",
        )


def _following(inventory: Inventory, destination: Destination) -> Destination:
    name = destination.target.name
    if destination.own_table:
        raise TargetError(
            f"{name} keeps all names: there is nothing to map",
            hint=f"leave {argument('table')} out, or give a TF2 checkpoint of your model with {argument('any to')}",
        )
    if destination.options.num_classes is not None or destination.options.labels is not None:
        hint = "a Keras model of your own can have others: give its checkpoint as the target"
        raise TargetError(f"{name} keeps all classes: its code makes what the checkpoint holds", hint=hint)
    if has_no_tf1_names(inventory):
        hint = "restore it with tf.train.Checkpoint"
        raise TargetError(f"{name} is for checkpoints of TF1, by their names", where=inventory.path, hint=hint)
    target = following(destination.target, inventory)
    return replace(destination, target=target, table=agreement(inventory, target))


def _known_tables(inventory: Inventory) -> tuple[str, ...]:
    from ckptmap.families.registry import recognize
    from ckptmap.mapping.roles import roles

    model = recognize(inventory, roles(inventory))
    return model.tables if model else ()


def _placed(inventory: Inventory, table: Table, target: Target) -> int:
    """How many of the target's variables the table fills."""
    mapping, layout = resolved(match(inventory, table).mapping, target)
    return sum(not isinstance(layout.find(one.target), Problem) for one in mapping.assignments)
