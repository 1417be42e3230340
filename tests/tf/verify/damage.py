"""Migrations gone wrong, made on purpose: a TF1 checkpoint with other values, converted as if it were the old one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import ckptmap
from tests.convert.conftest import write_tf1

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    Values = dict[str, np.ndarray[Any, Any]]


def convert_changed(old: Path, change: Callable[[Values], None], new: Path) -> Path:
    """Convert the TF1 checkpoint in the folder ``old``, its values changed before, to the folder ``new``."""
    changed = new.parent / f"{new.name}_changed"
    with ckptmap.open_checkpoint(old) as checkpoint:
        values = {name: checkpoint.read(name) for name in checkpoint.inventory.variables}
    change(values)
    write_tf1(changed / "model.ckpt", values)
    ckptmap.convert(changed / "model.ckpt", pipeline=old / "pipeline.config", output=new)
    return new


def swap(one: str, other: str) -> Callable[[Values], None]:
    """Two variables with each other's values."""

    def change(values: Values) -> None:
        values[one], values[other] = values[other], values[one]

    return change


def reverse_channels(kernel: str) -> Callable[[Values], None]:
    """The first kernel as of a model that reads BGR."""

    def change(values: Values) -> None:
        values[kernel] = values[kernel][:, :, ::-1]

    return change
