"""What a family of models tells of its own: the interface that the other rooms ask.

A family is a folder beside this module. It says all that ckptmap knows of its kind of models, and ``registry.py`` has
the list of families. Who asks about a checkpoint or a target asks there, and names no family.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from ckptmap.families.verdict import Verdict

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
"""The variables of a checkpoint that are weights, by name (object paths with their suffix in TF2), and their shapes."""


class Model(Protocol):
    """A model that a family has recognized in a checkpoint."""

    @property
    def name(self) -> str:
        """What its users call it, such as ``ssdlite_mobilenet_v2``."""

    @property
    def targets(self) -> tuple[str, ...]:
        """What a shipped target for it can be called, the best first."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The shipped tables that lead from it to models that people build themselves, the most usual home first."""

    @property
    def folder(self) -> str:
        """What the folder of the converted checkpoint may be called."""

    @property
    def remark(self) -> str:
        """What to know of the target before the model is converted to it; empty where there is nothing."""

    @property
    def homeless(self) -> str:
        """That TF2 has no such model, in words; empty where it has, or ckptmap does not know better."""

    def traits(self) -> str:
        """What it is, in one line behind its name: ``SSD with mobilenet_v2; 90 classes``."""

    def document(self) -> dict[str, Any]:
        """What it is, as JSON values: ``architecture`` of ``inspect.schema.json``."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a config says otherwise than the checkpoint."""

    what: str
    config: str
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Beside:
    """A config beside a checkpoint.

    ``says`` is its name for the model; ``differences`` is None where the two could not be compared: ``note`` says
    why.
    """

    path: str
    says: str = ""
    differences: tuple[Difference, ...] | None = None
    note: str = ""


def _no_config(_prefix: str, _model: Model | None) -> Beside | None:
    return None


def _nothing_known(_target: str) -> str:
    return ""


def _no_expression(_target: str, _settings: Mapping[str, object], _lengths: Mapping[str, int]) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Family:
    """A family: its name, and its answers.

    ``recognize`` takes the weights and whether they are object paths, and gives the model, None where it is none of
    its own. ``verdict`` takes a target's name, its settings and the lengths that were solved, and says what TF2
    computes for the target's official configuration; None where the target is none of its own. ``config_beside``
    finds the config that lies beside the checkpoint with this prefix, and compares it with the model. ``preprocessing``
    takes a target's name, and says what the TF1 model expects of its input, and what of it the TF2 model does itself;
    empty where nothing is known. ``expression`` takes what ``verdict`` does, and gives the Python expression that makes
    the target's model; empty where there is none so short.
    """

    name: str
    recognize: Callable[[Shapes, bool], Model | None]
    verdict: Callable[[str, Mapping[str, object], Mapping[str, int]], Verdict | None]
    config_beside: Callable[[str, Model | None], Beside | None] = _no_config
    preprocessing: Callable[[str], str] = _nothing_known
    expression: Callable[[str, Mapping[str, object], Mapping[str, int]], str] = _no_expression
