"""Whether the new checkpoint holds the old one's values, by ckptmap's own codec: exact, and before any model is run.

Where it does not, what it holds instead: the raw value in place of the moving average, another variable's value, the
input channels the other way round, or something that the old checkpoint does not know.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.object_graph import object_path, variable_key
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.diff.compare import compare
from ckptmap.diff.comparison import DiffFate, Options
from ckptmap.diff.pairing import Link, Migration
from ckptmap.inspection.inspector import inspect
from ckptmap.mapping.ops import execute
from ckptmap.mapping.slots import averages_of, classify
from ckptmap.planning.ledger import TargetFate
from ckptmap.verbs.conversion import plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from ckptmap.checkpoint.reader import Checkpoint
    from ckptmap.planning.ledger import Plan, TargetRecord
    from ckptmap.tf.verify.sources import New, Old

    Array = np.ndarray[Any, Any]

_IMAGE_CHANNELS = 3


class Instead(enum.Enum):
    """What a variable of the new checkpoint holds in place of the value it should have."""

    RAW = "the raw value in place of its moving average"
    AVERAGE = "the moving average in place of the raw value"
    OTHER_VARIABLE = "another variable's value"
    REVERSED_CHANNELS = "its value with the input channels reversed"
    SHAPE = "a value of another shape"
    MISSING = "nothing"
    UNKNOWN = "a value that the old checkpoint does not hold"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One variable that does not hold its value: its TF1 name, its part, ``other`` where it is another's."""

    source: str
    key: str
    part: str
    instead: Instead
    other: str = ""


@dataclass(frozen=True, slots=True)
class Values:
    """What both checkpoints say: how many variables hold what they should, and which do not.

    ``keys``: by TF1 name, the key of the model's variable that it became. ``parts``: by TF1 name, the part of the
    model. ``note`` says why nothing was compared, empty where it was.
    """

    equal: int = 0
    wrong: tuple[Wrong, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def compare_values(old: Old, new: New) -> Values:
    """Compare what both checkpoints hold, by the mapping table of the old model."""
    try:
        made = _plan(old)
        with open_checkpoint(old.path) as before, open_checkpoint(new.path) as after:
            return _compared(made, before, after)
    except CkptmapError as error:
        return Values(note=f"the values of both checkpoints were not compared: {error.problem.message}")


def _plan(old: Old) -> Plan:
    """The conversion as it should have been: by the config, else by what the checkpoint itself shows."""
    ema: Any = "ignore" if old.weights == "raw" else "prefer"
    if old.config:
        return plan(old.path, pipeline=old.config, ema=ema, allow_unused=("*",), init_missing=True)
    found = inspect(old.path).architecture
    if found is None:
        raise CkptmapError("no model that ckptmap knows")
    return plan(old.path, to=found.name, ema=ema, allow_unused=("*",), init_missing=True)


def _compared(made: Plan, before: Checkpoint, after: Checkpoint) -> Values:
    restored = [record for record in made.targets if record.fate is TargetFate.RESTORED]
    records = _stored(made.root, restored, after)
    links = tuple(Link(key, record.sources, record.ops) for key, record in records.items())
    found = compare(before, after, Options(False, False, 0.0, ()), Migration(made.table, links, {}))
    fates = {one.name: one.fate for one in found.records if one.name in records}
    sources = {source: record.variable for record in restored for source in _names(record, before)}
    search = _Search(before, after)
    return Values(
        equal=sum(fate is DiffFate.EQUAL for fate in fates.values()),
        wrong=tuple(search.wrong(key, records[key], fate) for key, fate in fates.items() if fate is not DiffFate.EQUAL),
        keys={source: variable_key(object_path(made.root, variable.key)) for source, variable in sources.items()},
        parts={source: variable.part for source, variable in sources.items()},
    )


def _stored(root: str, records: Sequence[TargetRecord], after: Checkpoint) -> dict[str, TargetRecord]:
    """The records by the keys of their variables in the new checkpoint.

    An exported SavedModel calls the model ``_model`` and its variables ``_model/_box_predictor/variables/0`` and so on:
    only its object graph tells which one is at a path.
    """
    graph = after.object_graph()
    place = f"_{root}" if graph is not None and f"_{root}" in graph.root_names else root
    paths = [object_path(place, record.variable.key) for record in records]
    found = [graph.key(path) if graph is not None else None for path in paths]
    return {key or variable_key(path): record for key, path, record in zip(found, paths, records, strict=True)}


def _names(record: TargetRecord, before: Checkpoint) -> Iterator[str]:
    """The names of a record's sources as a graph has them: those of the weights, not of their moving averages."""
    slots = classify(before.inventory.variables)
    for name in record.sources:
        slot = slots.get(name)
        yield slot.owner if slot is not None and slot.owner else name


class _Search:
    """Looks for what a variable holds in place of its value."""

    def __init__(self, before: Checkpoint, after: Checkpoint) -> None:
        self._before, self._after = before, after
        slots = classify(before.inventory.variables)
        self._averages = averages_of(slots)
        self._owners = {name: owner for owner, name in self._averages.items()}
        self._weights = [name for name in before.inventory.variables if name not in slots]
        self._by_value: dict[tuple[tuple[int, ...], bytes], str] | None = None

    def wrong(self, key: str, record: TargetRecord, fate: DiffFate) -> Wrong:
        source = record.sources[0]
        wrong = Wrong(self._owners.get(source, source), key, record.variable.part, Instead.UNKNOWN)
        if fate in (DiffFate.ONLY_IN_A, DiffFate.ONLY_IN_B):
            return replace(wrong, instead=Instead.MISSING)
        if fate in (DiffFate.SHAPE, DiffFate.DTYPE):
            return replace(wrong, instead=Instead.SHAPE)
        return self._identified(wrong, record, self._after.read(key))

    def _identified(self, wrong: Wrong, record: TargetRecord, held: Array) -> Wrong:
        if len(record.sources) == 1:
            twin = self._owners.get(record.sources[0], self._averages.get(record.sources[0], ""))
            if twin and _same(self._made(record, twin), held):
                return replace(wrong, instead=Instead.RAW if twin in self._averages else Instead.AVERAGE)
            if _reads_images(held) and _same(self._made(record, record.sources[0])[:, :, ::-1], held):
                return replace(wrong, instead=Instead.REVERSED_CHANNELS)
        other = self._elsewhere(held)
        return replace(wrong, instead=Instead.OTHER_VARIABLE, other=other) if other else wrong

    def _made(self, record: TargetRecord, source: str) -> Array:
        return execute(record.ops, [self._before.read(source)])

    def _elsewhere(self, held: Array) -> str:
        """The old variable that has this value, empty where none has; constants are everybody's."""
        if held.size and (held == held.flat[0]).all():
            return ""
        if self._by_value is None:
            self._by_value = {_print(self._before.read(name)): name for name in self._weights}
        return self._by_value.get(_print(held), "")


def _print(value: Array) -> tuple[tuple[int, ...], bytes]:
    return value.shape, hashlib.sha256(value.tobytes()).digest()


def _same(value: Array, held: Array) -> bool:
    return value.shape == held.shape and bool((value == held).all())


def _reads_images(kernel: Array) -> bool:
    return kernel.ndim == 4 and kernel.shape[2] == _IMAGE_CHANNELS
