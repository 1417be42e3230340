"""Slim's classifiers that keras.applications has too, as the other rooms ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.families.classification.expression import expression
from ckptmap.families.classification.recognition import recognize
from ckptmap.families.classification.verdicts import classifier_of, preprocessing, verdict
from ckptmap.families.detection.recognition.tf1 import recognize_tf1
from ckptmap.families.family import Family

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.families.classification.recognition import Found
    from ckptmap.families.family import Shapes
    from ckptmap.families.verdict import Verdict


def _recognize(shapes: Shapes, object_based: bool) -> Found | None:
    """The classifier of a TF1 checkpoint. Detectors hold slim's networks, so one recognition tells both."""
    return None if object_based else recognize(recognize_tf1(shapes), shapes)


def _verdict(target: str, _settings: Mapping[str, object], lengths: Mapping[str, int]) -> Verdict | None:
    return verdict(target, lengths)


def _preprocessing(target: str) -> str:
    model = classifier_of(target)
    return preprocessing(model) if model is not None else ""


CLASSIFICATION = Family("classification", _recognize, _verdict, preprocessing=_preprocessing, expression=expression)
