"""What becomes of a TF1 model in TF2: equal, equal with edits, equal with the slim-exact extractor, or less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.families.detection.pipeline import rules_rcnn, rules_ssd
from ckptmap.families.detection.pipeline.models import EXTRACTORS, SLIM_ONLY_RCNN, SLIM_ONLY_SSD, Extractor
from ckptmap.families.detection.pipeline.rule import RAW_OUTPUTS, Rule
from ckptmap.families.verdict import Difference, Effect, Kind, Prefer, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ckptmap.families.detection.pipeline.changes import Change
    from ckptmap.families.detection.pipeline.config import PipelineConfig

QUANTIZATION = Rule(
    "quantization",
    (*rules_ssd.ALL, *rules_rcnn.ALL),
    lambda config: config.quantized,
    Effect.VALUES,
    RAW_OUTPUTS,
    "the TF1 graph rounds weights and activations to 8 bits (graph_rewriter); "
    "TF2 computes with the same weights in float",
    anywhere=True,
)
SLIM_ONLY = Rule(
    "no Keras counterpart",
    (*SLIM_ONLY_SSD, *SLIM_ONLY_RCNN),
    lambda _: True,
    Effect.BUILD,
    "all",
    "the API has no Keras extractor of this network; ckptmap's runs slim's own code inside Keras",
)
RULES = (SLIM_ONLY, *rules_ssd.RULES, *rules_rcnn.RULES, QUANTIZATION)

EXACT_NOTE = (
    "building, training and exporting it needs ckptmap's tf extra; an exported SavedModel needs plain TensorFlow"
)
_WITHOUT_COUNTERPART = (
    "inspect and diff read its checkpoints; convert --table carries weights into a model of your own; "
    "the frozen TF1 graph still runs under tf.compat.v1"
)
_WITH_EXACT = "the slim-exact extractor (prefer exact) computes what TF1 computed"


@dataclass(frozen=True, slots=True)
class ConfigVerdict(Verdict):
    """The answer for one config; ``changes`` are the edits that make the chosen model compute what TF1 computed."""

    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    rule: Rule
    changes: tuple[Change, ...]
    fallback: tuple[Change, ...]


def verdict(config: PipelineConfig, prefer: Prefer = "exact") -> ConfigVerdict:
    """The verdict for a TF1 config; ``prefer`` chooses where stock TF2 is not equal and an exact extractor is.

    Raises ConfigError where a value of the config cannot be read.
    """
    extractor = EXTRACTORS.get(config.extractor_type)
    if extractor is None or extractor.architecture != config.architecture:
        return _no_counterpart(config)
    found = [_Found(rule, rule.cure(config), rule.fallback(config)) for rule in _rules(config)]
    in_extractor = [one for one in found if not one.rule.anywhere]
    if all(one.changes for one in in_extractor):
        return _chosen(extractor.keras, found, found)
    if prefer == "exact" and all(one.rule.exact for one in in_extractor):
        return _exact(extractor, found)
    return _stock(extractor, found)


def _rules(config: PipelineConfig) -> Iterable[Rule]:
    return (rule for rule in RULES if config.extractor_type in rule.types and rule.applies(config))


def _no_counterpart(config: PipelineConfig) -> ConfigVerdict:
    kind = config.extractor_type or config.architecture or "the model"
    reason = Difference("no Keras counterpart", Effect.BUILD, "all", f"TF2 has no {kind}", remains=True)
    return ConfigVerdict(Kind.NO_COUNTERPART, (reason,), advice=_WITHOUT_COUNTERPART)


def _exact(extractor: Extractor, found: list[_Found]) -> ConfigVerdict:
    elsewhere = [one for one in found if one.rule.anywhere]
    return _chosen(extractor.exact, found, elsewhere, Kind.EXACT, EXACT_NOTE)


def _stock(extractor: Extractor, found: list[_Found]) -> ConfigVerdict:
    """Stock although it differs: the weights alone, or nothing where they do not even fit."""
    uncured = [one for one in found if not one.changes]
    advice = _WITH_EXACT if all(one.rule.exact for one in uncured) else _WITHOUT_COUNTERPART
    if any(one.rule.effect is not Effect.VALUES and not one.fallback for one in uncured):
        return ConfigVerdict(Kind.NO_COUNTERPART, _differences(found, uncured), advice=advice)
    return _chosen(extractor.keras, found, found, Kind.WEIGHTS_ONLY, advice)


def _chosen(
    extractor_type: str, found: list[_Found], present: list[_Found], kind: Kind | None = None, advice: str = ""
) -> ConfigVerdict:
    """The verdict on a model that has the differences ``present``, before its edits."""
    changes = tuple(change for one in present for change in one.changes or one.fallback)
    remaining = [one for one in present if not one.changes]
    if kind is None:
        kind = Kind.EQUAL_WITH_EDITS if changes else Kind.EQUAL
    return ConfigVerdict(
        Kind.WEIGHTS_ONLY if remaining else kind, _differences(found, remaining), extractor_type, advice, changes
    )


def _differences(found: list[_Found], remaining: list[_Found]) -> tuple[Difference, ...]:
    return tuple(
        Difference(one.rule.name, one.rule.effect, one.rule.outputs, one.rule.reason, one in remaining) for one in found
    )
