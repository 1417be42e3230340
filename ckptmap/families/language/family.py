"""Language models, as the other rooms ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.families.family import Family
from ckptmap.families.language.recognition import NAME, recognize
from ckptmap.families.language.verdicts import preprocessing, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.families.family import Shapes
    from ckptmap.families.known import Known
    from ckptmap.families.verdict import Verdict


def _recognize(shapes: Shapes, object_based: bool) -> Known | None:
    return None if object_based else recognize(shapes)


def _verdict(target: str, _settings: Mapping[str, object], _lengths: Mapping[str, int]) -> Verdict | None:
    return verdict(target)


LANGUAGE = Family(NAME, _recognize, _verdict, preprocessing=preprocessing)
