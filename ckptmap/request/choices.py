"""The choices of a user, as keyword arguments, and what a plan needs of them."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

from ckptmap.basics.bounds import CLASSES
from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.nearest import did_you_mean
from ckptmap.basics.wording import argument
from ckptmap.mapping.optimizer_state import ASKED
from ckptmap.planning.choices import EmaChoice, PlanOptions, Training

if TYPE_CHECKING:
    from ckptmap.families.detection.operations import AnchorChoice
    from ckptmap.planning.choices import LabelMaps

PathLike = str | os.PathLike[str]
_OLD_AND_NEW = 2
_MADE = ("label_maps", "anchors", "ema", "optimizer", "learning_rate", "at_step")
"""The choices of which something is made."""
FOUND = "found"
"""The optimizer that a checkpoint shows."""
_MOST_STEPS = 1 << 53


class PlanChoices(TypedDict, total=False):
    """What the user may decide, as keyword arguments of ``ckptmap.plan`` and ``ckptmap.convert``."""

    num_classes: int | None
    """Classes of the new model; if the source has another count, the class head is re-initialized."""
    label_maps: tuple[str | os.PathLike[str], str | os.PathLike[str]] | None
    """Label maps of the source's classes and of the new ones: what the class heads hold of both is carried over."""
    settings: Mapping[str, Any]
    """Settings of the target such as ``use_dropout``, where the source does not show them."""
    ema: EmaChoice | None
    """``prefer`` moving averages to raw values, ``ignore`` them, or take them ``only``: one that lacks is an error.

    None: ``prefer``, and ``ignore`` where an optimizer's state is carried over, for that belongs to the raw values.
    """
    root: str | None
    """What the new checkpoint is rooted at, ``model`` or ``feature_extractor``; None: the target's own."""
    allow_unused: Sequence[str]
    """Globs of source variables that may stay unused."""
    init_missing: bool
    """Fill target variables without a source by their initializers."""
    step: bool
    """Carry TF1's ``global_step`` over to ``step`` beside the model."""
    optimizer: str | None
    """Carry the optimizer's state over, and the step: ``found`` for the one that the checkpoint shows, a kind such as
    ``adam``, or kind and TF1's name of one of several, ``adam:Adam_G``."""
    learning_rate: float | None
    """The learning rate of the next step, where no config tells it: TF1 keeps momentum without it."""
    at_step: int | None
    """How many steps were done, where the checkpoint has no ``global_step``."""
    anchors: AnchorChoice
    """EfficientDet: the anchors of the new config, ``api``, ``automl`` or ``automl-2020``."""


def plan_options(choices: PlanChoices) -> PlanOptions:
    """What a plan needs of the choices: label maps read, the part of the model below the root, the outputs' order.

    The new label map says the class count where nothing else does.

    Raises:
        CkptmapError: a label map cannot be read.
    """
    from ckptmap.families.detection.roots import BRANCHES

    plain = {name: value for name, value in choices.items() if name not in _MADE}
    training = _training(choices)
    ema = _ema(choices.get("ema"), training)
    given = PlanOptions(**plain, ema=ema, training=training)  # type: ignore[arg-type]
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


def _training(choices: PlanChoices) -> Training | None:
    """The training to go on with. Raises CkptmapError for a kind, a step or a rate that none can have."""
    text, rate, step = choices.get("optimizer"), choices.get("learning_rate"), choices.get("at_step")
    if text is None:
        for name, value in (("learning_rate", rate), ("at_step", step)):
            if value is not None:
                hint = f"add {argument('optimizer', FOUND)}, or leave {argument(name)} out"
                raise CkptmapError(f"{name} is about an optimizer, but none is carried over", hint=hint)
        return None
    asked, _, name = text.partition(":")
    if asked != FOUND and asked not in ASKED:
        close = did_you_mean(asked, ASKED)
        known = f"one of {', '.join((FOUND, *ASKED))}"
        raise CkptmapError(f"no optimizer is called {asked!r}", hint=f"{close}; {known}" if close else known)
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise CkptmapError(f"learning_rate cannot be {rate}", hint="a number above 0")
    if step is not None and not 0 <= step <= _MOST_STEPS:
        raise CkptmapError(f"at_step cannot be {step}", hint="how many steps were done, 0 or more")
    return Training("" if asked == FOUND else asked, name, rate, step)


def _ema(given: EmaChoice | None, training: Training | None) -> EmaChoice:
    """What becomes of moving averages. Raises CkptmapError where they cannot go with an optimizer's state."""
    if training is None:
        return given or "prefer"
    if given not in (None, "ignore"):
        raise CkptmapError(
            f"the optimizer's state belongs to the raw values, and {argument('ema', str(given))} restores averages",
            hint=f"leave {argument('any ema')} out to go on training, or {argument('no optimizer')} to keep the "
            "averages; a config with use_moving_average carries both",
        )
    return "ignore"


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
    raise CkptmapError("label maps are two files", hint="first that of the old classes, then that of the new classes")
