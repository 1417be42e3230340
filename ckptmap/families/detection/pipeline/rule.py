"""A rule says when TF2 computes something else than TF1 did with the same weights, why, and what makes it equal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ckptmap.families.detection.pipeline.changes import Change
    from ckptmap.families.detection.pipeline.config import PipelineConfig
    from ckptmap.families.detection.pipeline.view import View
    from ckptmap.families.verdict import Effect

RAW_OUTPUTS = "raw box encodings, class scores and detections"
SECOND_STAGE = "second-stage boxes, class scores, masks and detections"


@dataclass(frozen=True, slots=True)
class Rule:
    """One difference between the TF1 graph and the TF2 model.

    ``types``: the TF1 extractors it concerns. ``cure``: the config edits that remove it from stock TF2, none where
    there are none for this config. ``fallback``: edits with which stock can be built and takes the weights, though its
    outputs differ. ``exact``: the slim-exact extractor does not have it. ``anywhere``: it does not
    lie in the feature extractor, so that the exact one has it too and needs the same edits.
    """

    name: str
    types: tuple[str, ...]
    applies: Callable[[PipelineConfig], bool]
    effect: Effect
    outputs: str
    reason: str
    cure: Callable[[PipelineConfig], tuple[Change, ...]] = field(default=lambda _: ())
    fallback: Callable[[PipelineConfig], tuple[Change, ...]] = field(default=lambda _: ())
    exact: bool = True
    anywhere: bool = False


def group_norm(view: View) -> bool:
    """Whether hyperparameters ask for group norm, which ``KerasLayerHyperparams`` does not know."""
    return view.has("group_norm")


def normalized(view: View) -> bool:
    """Whether hyperparameters ask for batch norm."""
    return view.has("batch_norm")
