"""What to do with a checkpoint next: the ``ckptmap convert`` line for it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeGuard

from ckptmap.checkpoint.inventory import OF_OTHERS, Inventory, Kind
from ckptmap.families.family import Beside, Model

_TF2_CHECKPOINT = "a TF2 checkpoint already: restore it with tf.train.Checkpoint"
_TEMPLATE = (
    "my_model/ckpt-0 is any checkpoint of the model that takes the weights, or a file of the same kind as this one"
)
_SAVED_MODEL = (
    "the variables of a TF2 SavedModel: load its folder with tf.saved_model.load, or take the checkpoint that was "
    "exported, which lies beside it (checkpoint/ckpt-0)"
)
_NEW = "new"
_EXPORTED = re.compile(r"_model/.*/(?:trainable_)?variables/\d+/")


@dataclass(frozen=True, slots=True)
class Advice:
    """``command`` is the line to use, empty where there is none; ``note`` says why, or what it takes."""

    command: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Files:
    """What the commands read and write: the checkpoint, the table of the user's own, and what stands behind the output.

    ``name`` tells a checkpoint from others whose commands stand beside; empty where it is the only one.
    """

    source: str
    name: str = ""

    @property
    def path(self) -> str:
        """The checkpoint, for a shell."""
        return shlex.quote(self.source)

    @property
    def table(self) -> str:
        """The table of the user's own, for a shell."""
        return shlex.quote(f"{self.name.replace('/', '-') or 'my_model'}.yaml")

    def output(self, folder: str) -> str:
        """The folder of the new checkpoint, for a shell."""
        return shlex.quote("/".join(filter(None, (folder, self.name))))


def advice(
    inventory: Inventory, model: Model | None, targets: Collection[str], config: Beside | None = None, name: str = ""
) -> Advice:
    """How to convert this checkpoint, given the shipped targets; a TF1 ``config`` that agrees knows its settings.

    ``name`` is what it is called among several: what its commands write is called by it.
    """
    if inventory.object_based:
        return Advice(note=_SAVED_MODEL if _of_saved_model(inventory) else _TF2_CHECKPOINT)
    files = _Files(inventory.path, name)
    if inventory.kind in OF_OTHERS:
        return Advice(f"ckptmap convert {files.path} --to my_model/ckpt-0 -o {files.output(_NEW)}", _TEMPLATE)
    if model is None:
        return Advice(note=f"unknown to ckptmap: {_drafted(files)}")
    target = next((name for name in model.targets if name in targets), None)
    if target is not None:
        known = f"--pipeline {shlex.quote(config.path)}" if _of_tf1(config, model) else f"--to {target}"
        return Advice(f"ckptmap convert {files.path} {known} -o {files.output(model.folder)}", model.remark)
    return _without_target(files, model)


def _without_target(files: _Files, model: Model) -> Advice:
    """By a shipped table to the user's model; by a table that the remark shows; or by the user's own."""
    if model.tables:
        command = f"ckptmap convert {files.path} --to my_model/ckpt-1 -o {files.output(model.folder)}"
        return Advice(command, model.remark)
    if model.remark and not model.homeless:
        return Advice(_own_table(files), f"{model.remark}\nor let ckptmap draft the table: {_draft(files)}")
    why = model.homeless or f"no target for {model.name} is shipped"
    return Advice(note=f"{why}: {_drafted(files)}")


def _of_saved_model(inventory: Inventory) -> bool:
    """Whether a SavedModel keeps these variables: read from one, or numbered as the API's exporter numbers them.

    Their object paths are those of the exporter's module, which restores nothing into a model.
    """
    return inventory.kind is Kind.SAVED_MODEL or any(_EXPORTED.match(name) for name in inventory.variables)


def _of_tf1(config: Beside | None, model: Model) -> TypeGuard[Beside]:
    """Whether the config is of this very TF1 model."""
    return config is not None and config.differences == () and config.says in model.targets


def _draft(files: _Files) -> str:
    return f"ckptmap suggest {files.path} --to mine_tf2/ckpt-1 -o {files.table}"


def _drafted(files: _Files) -> str:
    """The two commands for a model of the user's own, a line each."""
    return f"draft a table for your own TF2 model, then convert with it:\n{_draft(files)}\n{_own_table(files)}"


def _own_table(files: _Files) -> str:
    return f"ckptmap convert {files.path} --table {files.table} --to mine_tf2/ckpt-1 -o {files.output(_NEW)}"
