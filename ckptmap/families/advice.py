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
_OUTPUT = " -o "
_EXPORTED = re.compile(r"_model/.*/(?:trainable_)?variables/\d+/")


@dataclass(frozen=True, slots=True)
class Advice:
    """``command`` is the line to use, empty where there is none; ``note`` says why, or what it takes."""

    command: str = ""
    note: str = ""


def advice(inventory: Inventory, model: Model | None, targets: Collection[str], config: Beside | None = None) -> Advice:
    """How to convert this checkpoint, given the shipped targets; a TF1 ``config`` that agrees knows its settings."""
    if inventory.object_based:
        return Advice(note=_SAVED_MODEL if _of_saved_model(inventory) else _TF2_CHECKPOINT)
    path = shlex.quote(inventory.path)
    if inventory.kind in OF_OTHERS:
        return Advice(f"ckptmap convert {path} --to my_model/ckpt-0 -o new", _TEMPLATE)
    if model is None:
        return Advice(note=f"unknown to ckptmap: {_drafted(path)}")
    target = next((name for name in model.targets if name in targets), None)
    if target is not None:
        known = f"--pipeline {shlex.quote(config.path)}" if _of_tf1(config, model) else f"--to {target}"
        return Advice(f"ckptmap convert {path} {known} -o {model.folder}", model.remark)
    return _without_target(path, model)


def _without_target(path: str, model: Model) -> Advice:
    """By a shipped table to the user's model; by a table that the remark shows; or by the user's own."""
    if model.tables:
        return Advice(f"ckptmap convert {path} --to my_model/ckpt-1 -o {model.folder}", model.remark)
    if model.remark and not model.homeless:
        return Advice(_own_table(path), f"{model.remark}\nor let ckptmap draft the table: {_draft(path)}")
    why = model.homeless or f"no target for {model.name} is shipped"
    return Advice(note=f"{why}: {_drafted(path)}")


def _of_saved_model(inventory: Inventory) -> bool:
    """Whether a SavedModel keeps these variables: read from one, or numbered as the API's exporter numbers them.

    Their object paths are those of the exporter's module, which restores nothing into a model.
    """
    return inventory.kind is Kind.SAVED_MODEL or any(_EXPORTED.match(name) for name in inventory.variables)


def _of_tf1(config: Beside | None, model: Model) -> TypeGuard[Beside]:
    """Whether the config is of this very TF1 model."""
    return config is not None and config.differences == () and config.says in model.targets


def output_of(command: str) -> str:
    """The output folder that a line of advice names, as the shell reads it."""
    return shlex.split(command)[-1]


def with_output(command: str, folder: str) -> str:
    """A line of advice with another output folder, which is its last argument."""
    return f"{command.rpartition(_OUTPUT)[0]}{_OUTPUT}{shlex.quote(folder)}"


def _draft(path: str) -> str:
    return f"ckptmap suggest {path} --to mine_tf2/ckpt-1 -o my_model.yaml"


def _drafted(path: str) -> str:
    """The two commands for a model of the user's own, a line each."""
    return f"draft a table for your own TF2 model, then convert with it:\n{_draft(path)}\n{_own_table(path)}"


def _own_table(path: str) -> str:
    return f"ckptmap convert {path} --table my_model.yaml --to mine_tf2/ckpt-1 -o new"
