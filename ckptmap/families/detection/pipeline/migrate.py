"""A TF1 pipeline.config becomes the TF2 config of exactly this model, every other byte of the file kept."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ckptmap.basics.errors import ConfigError
from ckptmap.basics.nearest import nearest
from ckptmap.families.detection.pipeline import training
from ckptmap.families.detection.pipeline.changes import Change, Edit, make, text
from ckptmap.families.detection.pipeline.check import Finding, Mistake
from ckptmap.families.detection.pipeline.classes import Classes
from ckptmap.families.detection.pipeline.classes import changes as class_changes
from ckptmap.families.detection.pipeline.classes import notes as class_notes
from ckptmap.families.detection.pipeline.config import config_of
from ckptmap.families.detection.pipeline.models import EXTRACTORS, FASTER_RCNN, KERAS_SUFFIX, SSD
from ckptmap.families.detection.pipeline.notes import Note, notes
from ckptmap.families.detection.pipeline.respliced import respliced
from ckptmap.families.detection.pipeline.splice import Splice, remove
from ckptmap.families.detection.pipeline.textproto import BYTE_ORDER_MARK
from ckptmap.families.detection.pipeline.verdict import verdict
from ckptmap.families.verdict import Kind, Prefer, Verdict

if TYPE_CHECKING:
    from ckptmap.families.detection.pipeline.config import PipelineConfig
    from ckptmap.families.detection.pipeline.syntax import Document
    from ckptmap.families.detection.pipeline.training import Checkpoint

RETIRED = {"model.ssd.feature_extractor.batch_norm_trainable": "model.ssd.freeze_batchnorm"}
"""Fields that the API has dropped from the model, with the field that says the opposite today."""
_OWN_CLASSES = Classes()


class Why(enum.Enum):
    """Why a config is not migrated."""

    NO_MODEL = "not a detection config"
    ALREADY_TF2 = "already a TF2 config"
    UNKNOWN_EXTRACTOR = "unknown feature extractor"
    NO_COUNTERPART = "no Keras counterpart"
    UNSUPPORTED_SETTING = "unsupported setting"
    INCOMPLETE = "incomplete model"
    UNREADABLE = "the API refuses to read it"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A config that is not migrated: the kind, the reason in words, where in the file, and what still can be done."""

    why: Why
    reason: str
    where: str = ""
    advice: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.why.value}: {self.reason}" + (f" ({self.advice})" if self.advice else "")


@dataclass(frozen=True, slots=True)
class Migration:
    """A migrated config: its text, every edit with its reason, what TF2 ignores, and the verdict on the model."""

    text: str
    edits: tuple[Edit, ...]
    notes: tuple[Note, ...]
    verdict: Verdict


@dataclass(frozen=True)
class Begun:
    """A TF1 config whose model is that of TF2 already: ``document``, with the edits of ``config`` that it took.

    The classes of the new model and the checkpoint to train from are still to come (:func:`finish`).
    """

    config: PipelineConfig
    document: Document
    edits: tuple[Edit, ...]
    verdict: Verdict

    @cached_property
    def tf2(self) -> PipelineConfig:
        """The config of the TF2 model."""
        return config_of(self.document)


def begin(config: PipelineConfig, prefer: Prefer = "exact") -> Begun | Refusal:
    """The model of a TF1 config as TF2 has it, or why there is none; ``prefer`` is that of :func:`migrate`."""
    refusal = _unreadable(config) or _not_tf1(config)
    if refusal is not None:
        return refusal
    answer = verdict(config, prefer)
    if answer.kind is Kind.NO_COUNTERPART:
        return _without_counterpart(config, answer)
    clean, first = _without_unknown_fields(config)
    changes = (_type_change(config, answer), *answer.changes, *_retired_changes(config))
    document, edits = make(clean, changes, config.document)
    return Begun(config, document, (*first, *edits), answer)


def begun(config: PipelineConfig, prefer: Prefer = "exact") -> Begun:
    """:func:`begin`, with a refusal raised as a ConfigError: the reason, where, and what still can be done."""
    made = begin(config, prefer)
    if isinstance(made, Refusal):
        raise ConfigError(f"{made.why.value}: {made.reason}", where=made.where, hint=made.advice)
    return made


def finish(made: Begun, *, checkpoint: Checkpoint | None = None, classes: Classes = _OWN_CLASSES) -> Migration:
    """The whole migrated config, for these classes and trained from this checkpoint."""
    config = made.config
    changes = (*class_changes(config, classes), *training.changes(config, checkpoint))
    document, edits = make(made.document, changes, config.document)
    ordered = tuple(sorted((*made.edits, *edits), key=lambda edit: edit.line))
    remarks = sorted((*notes(config, checkpoint), *class_notes(config, classes)), key=lambda note: note.line)
    return Migration(document.text, ordered, tuple(remarks), made.verdict)


def migrate(
    config: PipelineConfig,
    *,
    checkpoint: Checkpoint | None = None,
    classes: Classes = _OWN_CLASSES,
    prefer: Prefer = "exact",
) -> Migration | Refusal:
    """The TF2 config of the model that a TF1 config describes, or why there is none.

    ``checkpoint`` is the converted one to train from; without it the file's own path stays, with a note.
    ``classes`` are those of the new model. ``prefer`` chooses where stock TF2 is not equal: the slim-exact extractor,
    or stock with the verdict *weights only*.
    """
    made = begin(config, prefer)
    return made if isinstance(made, Refusal) else finish(made, checkpoint=checkpoint, classes=classes)


def migrated(
    config: PipelineConfig,
    *,
    checkpoint: Checkpoint | None = None,
    classes: Classes = _OWN_CLASSES,
    prefer: Prefer = "exact",
) -> Migration:
    """:func:`migrate`, with a refusal raised as a ConfigError: the reason, where, and what still can be done."""
    return finish(begun(config, prefer), checkpoint=checkpoint, classes=classes)


def _unreadable(config: PipelineConfig) -> Refusal | None:
    """Mistakes for which the API refuses the file, and that cannot be left out without changing what it says."""
    grave = [finding for finding in config.unreadable if not _droppable(finding)]
    if not grave:
        return None
    first = grave[0].problem
    more = f"; and {len(grave) - 1} more" if len(grave) > 1 else ""
    return Refusal(Why.UNREADABLE, first.message + more, first.where, first.hint)


def _droppable(finding: Finding) -> bool:
    """Unknown fields outside the model: the API refuses them, the model does not depend on them."""
    unknown = finding.mistake in (Mistake.UNKNOWN_FIELD, Mistake.EXTENSION)
    return unknown and (finding.path in RETIRED or not finding.path.startswith("model"))


def _not_tf1(config: PipelineConfig) -> Refusal | None:
    if not config.architecture:
        return Refusal(Why.NO_MODEL, "it has no model block", config.path)
    if config.architecture == "center_net":
        return Refusal(Why.ALREADY_TF2, "CenterNet exists in TF2 only", config.model.where())
    if config.architecture not in (SSD, FASTER_RCNN):
        reason = f"{config.architecture} is not a model of the public API"
        return Refusal(Why.NO_MODEL, reason, config.model.where())
    name, where = config.extractor_type, config.extractor.where("type")
    if name.endswith(KERAS_SUFFIX):
        return Refusal(Why.ALREADY_TF2, f"{name} is a Keras feature extractor", where)
    extractor = EXTRACTORS.get(name)
    if extractor is not None and extractor.architecture == config.architecture:
        return _incomplete(config)
    known = [one.type for one in EXTRACTORS.values() if one.architecture == config.architecture]
    close = nearest(name, known, 2)
    hint = f"did you mean {' or '.join(close)}" if close else ""
    return Refusal(Why.UNKNOWN_EXTRACTOR, f"{config.architecture} has no feature extractor {name!r}", where, hint)


def _incomplete(config: PipelineConfig) -> Refusal | None:
    if config.predictor_kind:
        return None
    reason = "it has no box predictor, without which neither TF1 nor TF2 builds it"
    return Refusal(Why.INCOMPLETE, reason, config.model.where())


def _without_counterpart(config: PipelineConfig, answer: Verdict) -> Refusal:
    where, advice = config.extractor.where("type"), answer.advice
    why = Why.UNSUPPORTED_SETTING if EXTRACTORS[config.extractor_type].keras else Why.NO_COUNTERPART
    reasons = "; ".join(difference.reason for difference in answer.reasons if difference.remains)
    return Refusal(why, reasons, where, advice)


def _without_unknown_fields(config: PipelineConfig) -> tuple[Document, list[Edit]]:
    """The document without the fields that the API does not know, and without a byte order mark."""
    fields = config.unreadable
    source = config.document.text
    splices = [remove(config.document, finding.field) for finding in fields]
    edits = [
        Edit(
            finding.field.line,
            finding.path,
            " ".join(source[finding.field.name_end : finding.field.end].lstrip(" :").split()),
            "",
            _dropped_because(finding),
        )
        for finding in fields
    ]
    if source.startswith(BYTE_ORDER_MARK):
        splices.insert(0, Splice(0, len(BYTE_ORDER_MARK), ""))
        edits.insert(0, Edit(1, "", "byte order mark", "", "the API's reader refuses it"))
    return respliced(config.document, splices), edits


def _dropped_because(finding: Finding) -> str:
    if finding.path in RETIRED:
        return f"an old field of the API; today {RETIRED[finding.path]} says the opposite"
    return f"{finding.problem.message}: it refuses the file"


def _type_change(config: PipelineConfig, answer: Verdict) -> Change:
    reason = "the Keras feature extractor of the same network"
    if answer.kind is Kind.EXACT:
        reason = f"the Keras feature extractor that computes as slim does: {_first_reason(answer)}"
    return Change(f"model.{config.architecture}.feature_extractor.type", text(answer.extractor_type), reason)


def _first_reason(answer: Verdict) -> str:
    return answer.reasons[0].reason if answer.reasons else ""


def _retired_changes(config: PipelineConfig) -> tuple[Change, ...]:
    """What a retired field said, where it said something else than today's default."""
    source = config.document.text
    return tuple(
        Change(RETIRED[finding.path], "true", f"means the same as {finding.field.name}: false")
        for finding in config.unreadable
        if finding.path in RETIRED and "false" in source[finding.field.start : finding.field.end].lower()
    )
