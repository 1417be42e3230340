"""The families that ckptmap knows, and the questions that other rooms ask of all of them.

The first family that has an answer gives it. A new family is a line in ``families``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING

from ckptmap.families.family import Beside, Family, Model

if TYPE_CHECKING:
    from ckptmap.checkpoint.inventory import Inventory
    from ckptmap.families.verdict import Verdict


@cache
def families() -> tuple[Family, ...]:
    """All families. Those come first that know more of a model: detectors know a classifier as a network alone."""
    from ckptmap.families.classification.family import CLASSIFICATION
    from ckptmap.families.detection.family import DETECTION
    from ckptmap.families.estimators.family import ESTIMATORS
    from ckptmap.families.language.family import LANGUAGE
    from ckptmap.families.own_code.family import OWN_CODE
    from ckptmap.families.recurrent.family import RECURRENT

    return (OWN_CODE, CLASSIFICATION, DETECTION, LANGUAGE, ESTIMATORS, RECURRENT)


def recognize(inventory: Inventory, aside: Collection[str] = ()) -> Model | None:
    """The model that the checkpoint holds, told by names and shapes alone; None where it is none that ckptmap knows.

    ``aside`` are the variables that are no weights: slots, moving averages, bookkeeping.
    """
    shapes = {name: variable.shape for name, variable in inventory.variables.items() if name not in aside}
    found = (family.recognize(shapes, inventory.object_based) for family in families())
    return next((model for model in found if model is not None), None)


def verdict_on(
    target: str, settings: Mapping[str, object] | None = None, lengths: Mapping[str, int] | None = None
) -> Verdict | None:
    """What TF2 computes for the official configuration of a shipped target; None where no family knows it."""
    found = (family.verdict(target, settings or {}, lengths or {}) for family in families())
    return next((verdict for verdict in found if verdict is not None), None)


def preprocessing_of(target: str) -> str:
    """What the TF1 model of a shipped target expects of its input; empty where no family knows it."""
    return next(filter(None, (family.preprocessing(target) for family in families())), "")


def expression_of(target: str, settings: Mapping[str, object], lengths: Mapping[str, int]) -> str:
    """The Python expression that makes the model of a shipped target; empty where no family knows one."""
    return next(filter(None, (family.expression(target, settings, lengths) for family in families())), "")


def config_beside(prefix: str, model: Model | None) -> Beside | None:
    """The config beside the checkpoint ``prefix``, compared with the ``model`` it holds; None where there is none."""
    found = (family.config_beside(prefix, model) for family in families())
    return next((beside for beside in found if beside is not None), None)
