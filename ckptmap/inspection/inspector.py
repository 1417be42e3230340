"""Put together what is known of a checkpoint: kind, model, training state, config beside it, variables."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ckptmap.basics.errors import CheckpointError
from ckptmap.basics.globs import chosen
from ckptmap.checkpoint.inventory import Inventory, Variable
from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint
from ckptmap.families.advice import Advice, advice
from ckptmap.families.family import Beside, Model
from ckptmap.families.registry import config_beside, recognize
from ckptmap.inspection.datafiles import DataFile, data_files
from ckptmap.inspection.training import Training, training
from ckptmap.mapping.locate import mappings_root
from ckptmap.mapping.roles import roles
from ckptmap.mapping.slots import Slot
from ckptmap.report.shown import Shown


@dataclass(frozen=True, slots=True, repr=False)
class Inspection(Shown):
    """All that ``ckptmap inspect`` shows.

    ``roles`` tell what each variable is that is no weight; ``written_by`` is the version of TensorFlow in the ``.meta``
    file beside the checkpoint, empty where there is none. ``names`` are the readable names in the object graph of a TF2
    checkpoint, by key.
    """

    document_maker: ClassVar[str] = "ckptmap.inspection.inspect_document:document"

    inventory: Inventory
    roles: Mapping[str, Slot]
    architecture: Model | None
    training: Training
    data: tuple[DataFile, ...]
    config: Beside | None
    advice: Advice
    written_by: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    def chosen(self, patterns: Sequence[str]) -> Iterator[Variable]:
        """The variables that one of the globs chooses by name or readable name; all where there are none."""
        for key, variable in self.inventory.variables.items():
            if not patterns or chosen(patterns, *self.called(key)):
                yield variable

    def called(self, key: str) -> tuple[str, ...]:
        """The name of a variable, and its readable one."""
        return (key, self.names[key]) if key in self.names else (key,)


def inspect(source: str | os.PathLike[str], *, step: int | None = None) -> Inspection:
    """Inspect any checkpoint; of its data at most the training step and the object graph are read.

    Args:
        source: prefix, any file, or directory of a checkpoint, a frozen graph, a SavedModel.
        step: of the checkpoints in a directory, the one of this step.

    Raises:
        CheckpointError: nothing there, something else, or a damaged file.
    """
    with open_checkpoint(source, step=step) as checkpoint:
        return _inspect(checkpoint)


def _inspect(checkpoint: Checkpoint) -> Inspection:
    inventory = checkpoint.inventory
    known = roles(inventory)
    architecture = recognize(inventory, known)
    local = "://" not in inventory.path
    config = config_beside(inventory.path, architecture) if local else None
    return Inspection(
        inventory=inventory,
        roles=known,
        architecture=architecture,
        training=training(checkpoint, known),
        data=data_files(inventory),
        config=config,
        advice=advice(inventory, architecture, _targets(), config),
        written_by=_written_by(checkpoint) if local else "",
        names=checkpoint.readable_names(),
    )


def _targets() -> set[str]:
    return {path.stem for path in (mappings_root() / "targets").glob("*.json")}


def _written_by(checkpoint: Checkpoint) -> str:
    try:
        meta = checkpoint.meta()
    except CheckpointError:
        return ""
    return meta.tensorflow_version if meta else ""
