"""The rows that the transforms give. Beam makes the columns of a schema from their types.

It does not understand annotations that are texts, nor ``int | None``: both would be columns that no file format knows.
"""

from collections.abc import Sequence
from typing import NamedTuple, Optional


class Failed(NamedTuple):
    """A dead letter: the path, what is wrong in a line, and the whole as JSON (an item of ``ckptmap.batch/1``)."""

    path: str
    message: str
    document: str


class Catalogued(NamedTuple):
    """A row of the catalogue (``ckptmap.catalogue/1``), of a checkpoint without problems."""

    path: str
    kind: str
    object_based: bool
    architecture: Optional[str]
    classes: Optional[int]
    step: Optional[int]
    optimizer: Optional[str]
    averages: int
    variables: int
    bytes: int
    target: Optional[str]
    verdict: Optional[str]
    command: Optional[str]
    note: Optional[str]


class Converted(NamedTuple):
    """A checkpoint that is converted; ``fate`` is ``kept`` where an earlier attempt had done it."""

    path: str
    fate: str
    checkpoint: str
    report: str
    bytes: int


class Held(NamedTuple):
    """A variable that a checkpoint holds; ``shape`` is its dimensions, ``bytes`` the size of its value."""

    path: str
    name: str
    dtype: str
    shape: Sequence[int]
    bytes: int


class Audited(NamedTuple):
    """What a restore would do (``ckptmap.audit/1``): how many variables meet each fate, and the whole ``document``."""

    path: str
    model: str
    loads: bool
    passed: bool
    restored_share: float
    restored: int
    reinitialized: int
    missing: int
    unused: int
    error: Optional[str]
    bytes: int
    document: str


class Compared(NamedTuple):
    """Two checkpoints compared (``ckptmap.diff/1``): how many variables met each fate, and the whole ``document``."""

    a: str
    b: str
    equal: bool
    only_in_a: int
    only_in_b: int
    shape: int
    dtype: int
    changed: int
    bytes: int
    document: str
