"""What a checkpoint holds, as plain values: made from its index alone, no tensor is read."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.checkpoint.dtypes import DType

OBJECT_GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""The string tensor that makes a checkpoint object-based."""


class Kind(enum.Enum):
    """The file format that a checkpoint is stored in."""

    V2 = "V2 bundle"
    V1 = "V1 checkpoint"
    FROZEN_GRAPH = "frozen graph"
    SAVED_MODEL = "SavedModel"
    KERAS = "Keras file"
    SAFETENSORS = "safetensors file"


OF_OTHERS = (Kind.KERAS, Kind.SAFETENSORS)
"""Files that TensorFlow does not write: their variables are called neither as TF1 does nor by object paths."""


class Span(NamedTuple):
    """Raw bytes in a data file: ``file`` counts into ``Inventory.data_files``; offset and size in bytes."""

    file: int
    offset: int
    size: int
    crc32c: int | None = None
    """Unmasked CRC-32C of the bytes as the index states it."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of a partitioned variable: where it starts and how long it is in each dimension, in elements."""

    starts: tuple[int, ...]
    lengths: tuple[int, ...]
    span: Span | None


class Variable(NamedTuple):
    """One variable of a checkpoint; a tuple, as there are many.

    ``name`` is the variable's name in a TF1 checkpoint and the checkpoint key in an object-based one.
    ``nbytes`` counts the bytes of the value as a V2 bundle stores them.
    """

    name: str
    dtype: DType
    shape: tuple[int, ...]
    nbytes: int
    span: Span | None = None
    """Where the bytes lie whole; None when partitioned, or not stored as raw bytes (V1, frozen graphs)."""
    slices: tuple[Slice, ...] = ()

    @property
    def elements(self) -> int:
        """The number of values: the product of the shape, 1 for a scalar."""
        count = 1
        for length in self.shape:
            count *= length
        return count


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every variable of one checkpoint, sorted by name."""

    kind: Kind
    path: str
    """What names the checkpoint: its prefix (V1, V2) or the graph or SavedModel file."""
    variables: Mapping[str, Variable]
    data_files: tuple[str, ...] = ()
    object_based: bool = False
    """True when it holds a ``_CHECKPOINTABLE_OBJECT_GRAPH``: written by tf.train.Checkpoint."""
    notes: tuple[str, ...] = field(default=())
    """What a person should know about how the file was found or read."""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What else a table may call each variable: its object path, its key; no name is one of two variables."""
    parts: Mapping[str, Inventory] = field(default_factory=dict)
    """The checkpoints that it is made of, by what they are called, where there are several."""
