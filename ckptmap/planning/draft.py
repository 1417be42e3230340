"""What planning has found out before it is written down as a ledger: the values between the steps of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from ckptmap.basics.errors import Problem
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.mapping.model import MappingResult, Table
from ckptmap.mapping.ops_boxes import API_BOXES, BoxOutputs
from ckptmap.mapping.slots import Slot
from ckptmap.planning.candidates import Offer
from ckptmap.planning.label_maps import LabelMap
from ckptmap.targets.variables import TargetVariable

if TYPE_CHECKING:
    import os

    from ckptmap.families.detection.pipeline.efficientdet import AnchorChoice
    from ckptmap.planning.class_transfer import Surgery

EmaChoice = Literal["prefer", "ignore", "only"]
LabelMaps: TypeAlias = tuple[LabelMap, LabelMap]
"""What the source's classes are, and what the target's."""


class PlanChoices(TypedDict, total=False):
    """What the user may decide, as keyword arguments of ``ckptmap.plan`` and ``ckptmap.convert``."""

    num_classes: int | None
    """Classes of the new model; another count than the source's re-initializes the class head."""
    label_maps: tuple[str | os.PathLike[str], str | os.PathLike[str]] | None
    """Label maps of the source's classes and of the new ones: what the class heads hold of both is carried over."""
    settings: Mapping[str, Any]
    """Settings of the target such as ``use_dropout``, where the source does not show them."""
    ema: EmaChoice
    """``prefer`` moving averages to raw values, ``ignore`` them, or take them ``only``: one that lacks is an error."""
    root: str | None
    """What the new checkpoint is rooted at, ``model`` or ``feature_extractor``; None: the target's own."""
    allow_unused: Sequence[str]
    """Globs of source variables that may stay unused."""
    init_missing: bool
    """Fill target variables without a source by their initializers."""
    step: bool
    """Carry TF1's ``global_step`` over to ``step`` beside the model."""
    anchors: AnchorChoice
    """EfficientDet: the anchors of the new config, ``api``, ``automl`` or ``automl-2020``."""


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """The user's choices with their defaults; :class:`PlanChoices` says what each means."""

    num_classes: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    ema: EmaChoice = "prefer"
    root: str | None = None
    allow_unused: Sequence[str] = ()
    init_missing: bool = False
    step: bool = False
    anchors: AnchorChoice = "api"
    labels: LabelMaps | None = None
    """The label maps, read."""
    boxes: BoxOutputs = API_BOXES
    """What the anchors and the box coder of the new config make of EfficientDet's outputs."""


@dataclass(frozen=True, slots=True)
class Solved:
    """The target's variables with concrete shapes, by object path, and the class count that the source itself shows."""

    variables: Mapping[str, TargetVariable] = field(default_factory=dict)
    values: Mapping[str, int] = field(default_factory=dict)
    source_classes: int | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan without contradictions: ``offers`` by the object path of the target variable that each fills."""

    inventory: Inventory
    table: Table
    mapping: MappingResult
    slots: Mapping[str, Slot]
    averages: Mapping[str, str]
    offers: Mapping[str, Offer]
    solved: Solved
    options: PlanOptions
    surgery: Surgery
    step: str | None = None
    """The source variable that holds the training step, where it is to be carried over."""
