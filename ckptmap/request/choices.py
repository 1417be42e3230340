"""The choices of a user, as keyword arguments, and what a plan needs of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

from ckptmap.basics.bounds import CLASSES
from ckptmap.basics.errors import CkptmapError
from ckptmap.planning.choices import EmaChoice, PlanOptions

if TYPE_CHECKING:
    from ckptmap.families.detection.operations import AnchorChoice
    from ckptmap.planning.choices import LabelMaps

PathLike = str | os.PathLike[str]
_OLD_AND_NEW = 2


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


def plan_options(choices: PlanChoices) -> PlanOptions:
    """What a plan needs of the choices: label maps read, the part of the model below the root, the outputs' order.

    The new label map says the class count where nothing else does.

    Raises:
        CkptmapError: a label map cannot be read.
    """
    from ckptmap.families.detection.roots import BRANCHES

    plain = {name: value for name, value in choices.items() if name not in ("label_maps", "anchors")}
    given = PlanOptions(**plain)  # type: ignore[arg-type]
    if given.num_classes is not None:
        refuse_classes(given.num_classes)
    given = replace(given, branch=BRANCHES.get(given.root or ""))
    if choices.get("anchors", "api") != "api":
        from ckptmap.families.detection.operations import box_outputs

        given = replace(given, adaptation=box_outputs(choices["anchors"]))
    labels = _label_maps(choices.get("label_maps"))
    if labels is None:
        return given
    if given.num_classes is None:
        refuse_classes(labels[1].num_classes, labels[1].path)
    return replace(given, labels=labels, num_classes=given.num_classes or labels[1].num_classes)


def refuse_classes(count: int, where: str = "") -> None:
    """Raises CkptmapError for a class count that no model can have; ``where`` says it."""
    if problem := CLASSES.problem("num_classes", count):
        raise CkptmapError(problem, where=where)


def _label_maps(paths: object) -> LabelMaps | None:
    if paths is None:
        return None
    from ckptmap.families.detection.label_files import read_label_map

    old, new = _both(paths)
    return read_label_map(old), read_label_map(new)


def _both(paths: object) -> tuple[PathLike, PathLike]:
    if isinstance(paths, (list, tuple)) and len(paths) == _OLD_AND_NEW:
        return paths[0], paths[1]
    raise CkptmapError("label maps are two files", hint="that of the old classes, then that of the new ones")
