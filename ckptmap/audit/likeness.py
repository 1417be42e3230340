"""Whether a checkpoint is another model's than the one it shall be restored into, told by its names and shapes."""

from __future__ import annotations

from ckptmap.basics.wording import argument
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.families.registry import recognize
from ckptmap.mapping.slots import classify
from ckptmap.targets import list_targets


def another_model(inventory: Inventory, target: str) -> tuple[str, str] | None:
    """That the checkpoint holds another model than a shipped ``target``, and what to do.

    None where it may be the same, or where ckptmap does not know the model.
    """
    aside = () if inventory.object_based else classify(inventory.variables).keys()
    model = recognize(inventory, aside)
    if model is None or not model.targets or target in model.targets:
        return None
    message = f"the checkpoint holds another model: it looks like {model.name}, not {target}"
    shipped = next((name for name in model.targets if name in list_targets()), None)
    return message, f"take a checkpoint of {target}" + (
        f"; {argument('to', shipped)} audits this one" if shipped else ""
    )
