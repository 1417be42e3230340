"""Why two models differ: each known cause is tested for, and named when the test confirms it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.text import plural
from ckptmap.families.detection.model_parts import CLASS_HEAD
from ckptmap.families.detection.pipeline.verdict import QUANTIZATION
from ckptmap.tf.verify.configs import Expected, Setting, expected_config
from ckptmap.tf.verify.detection_matching import Fate, match
from ckptmap.tf.verify.sources import NewKind
from ckptmap.tf.verify.tf2_side import KerasModel
from ckptmap.tf.verify.values import Instead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ckptmap.tf.verify.detection_matching import Detection, Match
    from ckptmap.tf.verify.sources import New, Old
    from ckptmap.tf.verify.tf2_side import NewModel, Ran
    from ckptmap.tf.verify.values import Values, Wrong
    from ckptmap.tf.verify.walking import Part

_MOST_NAMED = 4
_CONVERT_AGAIN = "convert again, with the shipped table"
Agrees = Callable[["Ran"], bool]
"""Whether outputs for the worst image are those of the old model."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for the difference: what it is, what removes it, and how it was found out.

    Unless ``proven``, it is a fact that may matter or not.
    """

    name: str
    text: str
    fix: str
    evidence: str
    proven: bool = True


_PREPROCESSING = Cause(
    "preprocessing",
    "the images that reach the first layer are not the same",
    "compare image_resizer and the feature extractor's preprocess on both sides",
    "what goes into the first layer",
)


_CLIPPING = Cause(
    "clipping before suppression",
    "the old graph clips boxes to the image before non-maximum suppression, today's API after it",
    "nothing is wrong with the weights: verify --pipeline runs them in the graph that today's API builds",
    "the old graph's operations; the raw outputs agree",
)


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of two models that differ. ``rerun`` runs a TF2 model on the worst image."""

    old: Old
    new: New
    values: Values
    first: Part | None
    matches: tuple[tuple[Match, ...], ...]
    clips_first: bool
    raw_agrees: bool
    model: NewModel
    rerun: Callable[[NewModel, bool], Ran]
    agrees: Agrees
    say: Say


def find_causes(case: Case) -> tuple[Cause, ...]:
    """The causes that were confirmed; facts that may matter where none was."""
    found = [*_of_values(case.values.wrong), *_label_offset(case.matches)]
    if not found and case.clips_first and case.raw_agrees:
        found = [_CLIPPING]
    if not found:
        found = list(_channel_order(case))
    found += _of_configs(case, explained=any(cause.proven for cause in found))
    if case.first is not None and case.first.is_image and not any(cause.proven for cause in found):
        found.append(_PREPROCESSING)
    return tuple(found)


def _of_values(wrong: Sequence[Wrong]) -> Iterator[Cause]:
    if wrong and all(one.part == CLASS_HEAD and one.instead in (Instead.UNKNOWN, Instead.SHAPE) for one in wrong):
        text = f"the class head was re-initialized: {_named(wrong)} {_hold(wrong)} other values than the old model"
        fix = "convert with the old class count, or with --label-map, or train the new head first"
        yield Cause("class head re-initialized", text, fix, "the values of both checkpoints")
        return
    for instead, (name, fix) in _WRONG_VALUES.items():
        group = [one for one in wrong if one.instead is instead]
        if group:
            text = f"{plural(len(group), 'variable')} {_hold(group)} {instead.value}: {_named(group)}"
            yield Cause(name, text, fix, "the values of both checkpoints")


_WRONG_VALUES = {
    Instead.RAW: (
        "raw weights in place of moving averages",
        "convert without --ema ignore; or compare with the raw weights: verify --ema ignore",
    ),
    Instead.AVERAGE: ("moving averages in place of raw weights", "convert with --ema ignore, or verify without it"),
    Instead.OTHER_VARIABLE: ("swapped variables", _CONVERT_AGAIN),
    Instead.REVERSED_CHANNELS: (
        "BGR in place of RGB",
        "the first kernel's input channels were reversed: convert again, and feed RGB images",
    ),
    Instead.SHAPE: ("other shapes", _CONVERT_AGAIN),
    Instead.MISSING: ("missing variables", _CONVERT_AGAIN),
    Instead.UNKNOWN: ("other values", "is this the checkpoint that was converted? training changes it"),
}


def _hold(group: Sequence[Wrong]) -> str:
    return "holds" if len(group) == 1 else "hold"


def _named(group: Sequence[Wrong]) -> str:
    named = [f"{one.source} (has {one.other})" if one.other else one.source for one in group[:_MOST_NAMED]]
    return ", ".join(named) + (f", … ({len(group) - _MOST_NAMED} more)" if len(group) > _MOST_NAMED else "")


def _label_offset(images: tuple[tuple[Match, ...], ...]) -> Iterator[Cause]:
    """Detections that agree on every image when the new classes are counted from another number."""
    matches = [one for image in images for one in image]
    if not matches or all(one.fate is Fate.EQUAL for one in matches):
        return
    for offset in (1, -1):
        shifted = [one for image in images for one in _shifted(image, offset)]
        if all(one.fate is Fate.EQUAL for one in shifted):
            text = f"the new model's classes are {abs(offset)} {'higher' if offset > 0 else 'lower'} than the old ones"
            fix = "the exporter counts classes from 1, the model itself from 0: see label_id_offset"
            yield Cause("label offset", text, fix, "with it taken back, every detection is equal")


def _shifted(image: Iterable[Match], offset: int) -> tuple[Match, ...]:
    old = tuple(one.old for one in image if one.old is not None)
    new = tuple(replace(one.new, label=one.new.label - offset) for one in image if one.new is not None)
    return match(_by_score(old), _by_score(new))


def _by_score(found: Iterable[Detection]) -> tuple[Detection, ...]:
    return tuple(sorted(found, key=lambda one: -one.score))


def _channel_order(case: Case) -> Iterator[Cause]:
    case.say("trying BGR images")
    if case.agrees(case.rerun(case.model, True)):
        yield Cause(
            "BGR in place of RGB",
            "the new model takes the color channels the other way round",
            "feed it RGB images, or convert again",
            "with the channels reversed the outputs agree",
        )


def _of_configs(case: Case, *, explained: bool) -> Iterator[Cause]:
    """What the configs say; confirmed by running the new checkpoint under the config that it should have had."""
    if case.new.kind is not NewKind.MODEL or not case.old.config:
        return
    expected = expected_config(case.old.config, case.new.config)
    if not expected.settings and not expected.remaining:
        return
    confirmed = not explained and bool(expected.cure) and _cured(case, expected)
    evidence = "under the migrated config the same checkpoint's outputs agree" if confirmed else ""
    for one in expected.remaining:
        if one.name == QUANTIZATION.name and case.old.without:
            continue  # neither side rounds
        text = f"{one.name}: {one.reason}" if one.reason else one.name
        yield Cause(one.name, text, _fix(expected), evidence or "a rule on the pipeline.config", confirmed)
    for setting in expected.settings:
        yield _setting(setting, evidence or "both pipeline.configs", confirmed)


def _fix(expected: Expected) -> str:
    if expected.cure:
        return "take the config that convert --pipeline or config migrate writes; the checkpoint stays"
    return "TF2 has no model that computes the same"


def _setting(setting: Setting, evidence: str, confirmed: bool) -> Cause:
    because = f": {setting.reason}" if setting.reason else ""
    name = "preprocessing" if "image_resizer" in setting.path else setting.path.rpartition(".")[2]
    text = f"{setting.path} is {setting.found or 'not set'}, not {setting.wanted or 'unset'}{because}"
    return Cause(name, text, f"set it to {setting.wanted}" if setting.wanted else "remove it", evidence, confirmed)


def _cured(case: Case, expected: Expected) -> bool:
    case.say("trying the migrated config")
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "pipeline.config"
        config.write_text(expected.cure, encoding="utf-8")
        try:
            return case.agrees(case.rerun(KerasModel(config, case.new.path), False))
        except CkptmapError:
            return False
