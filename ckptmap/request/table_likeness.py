"""Which shipped model a checkpoint's names belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ckptmap.basics.errors import TargetError
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.families.detection.operations import EFFICIENTDET
from ckptmap.mapping import list_tables, load_table
from ckptmap.mapping.locate import table_file
from ckptmap.planning.name_matching import Matching, match
from ckptmap.targets import list_targets
from ckptmap.targets.target import Target

_ENOUGH = 0.5
"""Below this share of known weights a table is not the checkpoint's own with a few layers off: it is another's."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How many of a checkpoint's weights a table maps or drops: ``share`` between 0 and 1."""

    table: str
    share: float


def likely_tables(inventory: Inventory) -> tuple[Likeness, ...]:
    """The shipped tables that know at least half of the weights, the best first."""
    found = (Likeness(name, match(inventory, load_table(name)).likeness) for name in list_tables())
    return tuple(sorted((one for one in found if one.share >= _ENOUGH), key=lambda one: (-one.share, one.table)))


def refuse_other_architecture(matching: Matching, target: Target) -> None:
    """Raise TargetError where the target's own table knows less than half of the weights, with what they look like.

    A table that the user names may know as few as it does: what is left is in the ledger. Versions of EfficientDet
    share more than half, and are told apart by what is recognized.
    """
    if target.table is None or Path(matching.table.path) != table_file(target.table):
        return
    share = matching.likeness
    if share < _ENOUGH or _is_other_efficientdet(matching) or _is_other_of_its_table(matching, target):
        less = f"table {matching.table.name} knows {share:.0%} of its weights"
        why = less if share < _ENOUGH else "it holds another model that has its names"
        raise TargetError(f"{matching.inventory.path} is not {target.name}: {why}", hint=_looks_like(matching))


def _is_other_efficientdet(matching: Matching) -> bool:
    if not matching.table.name.startswith(EFFICIENTDET):
        return False
    from ckptmap.families.detection.pipeline.efficientdet import VERSIONS, alike
    from ckptmap.families.registry import recognize

    if matching.table.name not in VERSIONS:
        return False
    known = recognize(matching.inventory, matching.slots)
    return known is not None and known.name in VERSIONS and not alike(known.name, matching.table.name)


def _is_other_of_its_table(matching: Matching, target: Target) -> bool:
    """Whether another shipped target is for the model in the checkpoint: networks of several depths share a table."""
    if target.template is not None or not target.counterpart_of:
        return False
    from ckptmap.families.registry import recognize

    known = recognize(matching.inventory, matching.slots)
    homes = known.targets if known else ()
    return target.name not in homes and any(name in list_targets() for name in homes)


def _looks_like(matching: Matching) -> str:
    from ckptmap.families.registry import recognize

    known = recognize(matching.inventory, matching.slots)
    likely = [one for one in likely_tables(matching.inventory) if one.table in list_targets()]
    best = next(iter(known.targets), "") if known else ""
    if known and best in list_targets():
        return f"it looks like {known.name}: use {argument('to', best)}"
    if likely:
        name = known.name if known else likely[0].table
        return f"it looks like {name}: use {argument('to', likely[0].table)}"
    if known:
        return f"it looks like {known.name}, for which no table is shipped"
    return "it looks like no model that ckptmap knows"
