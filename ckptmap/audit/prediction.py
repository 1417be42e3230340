"""What an audit says, as plain values."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ckptmap.checkpoint.inventory import Inventory, Variable
from ckptmap.report.shown import Shown
from ckptmap.targets import TargetVariable

Api = Literal["tf1", "tf2"]


class ModelFate(enum.Enum):
    """What a restore does to one variable of the model."""

    RESTORED = "restored"
    REINITIALIZED = "reinitialized"
    """It keeps its fresh value, and is meant to: another class count, or a part that the type does not load."""
    MISSING = "missing"
    """The restore looks for it and does not find it."""


class HeldFate(enum.Enum):
    """What a restore does with one variable of the checkpoint."""

    READ = "read"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One variable of the model; ``source`` is the checkpoint's variable that it is restored from, or would be."""

    variable: TargetVariable
    fate: ModelFate
    source: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HeldEntry:
    """One variable of the checkpoint."""

    variable: Variable
    fate: HeldFate
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know beside the ledger; an ``error`` stops the restore, or breaks a threshold."""

    level: Literal["error", "warning", "note"]
    message: str
    where: str = ""
    hint: str = ""
    cause: bool = False
    """Why the restore fails, which is told before what it raises."""


@dataclass(frozen=True, slots=True)
class Model:
    """What is restored into.

    ``variables`` is None where nothing says which the model has. ``architecture`` is the meta-architecture (``ssd``,
    ``faster_rcnn`` …), empty for any other object; ``kind`` the ``fine_tune_checkpoint_type``, which is the API's own
    where the config says none (``kind_said``).
    """

    name: str
    api: Api
    variables: tuple[TargetVariable, ...] | None
    architecture: str = ""
    kind: str = "full"
    root: str = "model"
    config: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    num_classes: int | None = None
    kind_said: bool = True


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the restore would do: ``error`` is what it raises, empty where it succeeds."""

    entries: tuple[ModelEntry, ...]
    read: frozenset[str]
    error: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Audit(Shown):
    """The whole answer; ``passed`` is False where the restore fails or a threshold is broken."""

    document_maker: ClassVar[str] = "ckptmap.audit.audit_document:audit_document"

    checkpoint: Inventory
    model: Model
    prediction: Prediction
    held: tuple[HeldEntry, ...]
    remarks: tuple[Remark, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing is an error."""
        return not self.prediction.error and not any(remark.level == "error" for remark in self.remarks)

    @property
    def restored_share(self) -> float:
        """The share of the model's variables that are restored, 0 to 1; 0 where they are not known."""
        entries = self.prediction.entries
        restored = sum(entry.fate is ModelFate.RESTORED for entry in entries)
        return restored / len(entries) if entries else 0.0

    @property
    def summary(self) -> dict[str, int]:
        """How many variables met each fate, zeros included."""
        met = Counter(entry.fate.value for entry in self.prediction.entries)
        met.update(entry.fate.value for entry in self.held)
        return {fate.value: met[fate.value] for fate in (*ModelFate, *HeldFate)}
