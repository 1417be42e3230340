"""Say what restoring a checkpoint into a model would do, before anything is started; nothing but indexes is read."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ckptmap.audit.config_remarks import config_error, config_remarks
from ckptmap.audit.likeness import another_model
from ckptmap.audit.prediction import Audit, HeldEntry, HeldFate, Model, Prediction, Remark
from ckptmap.audit.subject import Subject, migrating, subject_of_config, subject_of_target
from ckptmap.audit.tf1 import TYPES as TF1_TYPES
from ckptmap.audit.tf1 import looked_at, predict_tf1
from ckptmap.audit.tf2 import NO_CHECKPOINT, predict_no_checkpoint, predict_tf2
from ckptmap.audit.tf2_paths import CLASSIFICATION_TYPE
from ckptmap.audit.thresholds import Thresholds, broken
from ckptmap.basics.errors import MissingDataError, TargetError
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.absence import refuse_unless_whole
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory
from ckptmap.checkpoint.object_graph import ObjectGraph
from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint
from ckptmap.families.detection.arguments import PIPELINE
from ckptmap.families.detection.pipeline.config import PipelineConfig, read_config
from ckptmap.mapping.slots import classify

PathLike = str | os.PathLike[str]

_SLOT = "/.OPTIMIZER_SLOT/"


def audit(
    checkpoint: PathLike,
    *,
    to: PathLike | None = None,
    like: PathLike | None = None,
    pipeline: PathLike | None = None,
    kind: str | None = None,
    given: Mapping[str, object] | None = None,
    thresholds: Thresholds | None = None,
    index_only: bool = False,
    elsewhere: bool = False,
) -> Audit:
    """What restoring ``checkpoint`` into a model would do.

    Args:
        checkpoint: prefix, any file, or directory.
        to: the model by the name of a shipped target.
        like: the model by a TF2 checkpoint that has its variables; with ``pipeline`` for the config's model.
        pipeline: the model, the API's version and the type of restore by a pipeline.config.
        kind: without ``pipeline``, what is restored of a detection model: ``full``, ``detection``, ``classification``.
        given: settings and lengths of the target ``to`` that nothing else says, such as ``num_classes``.
        thresholds: what is demanded; default: nothing is missing.
        index_only: judge by the index alone, where the data files are elsewhere: nothing can be restored from here.
        elsewhere: the config is for another machine: nothing is said of its paths that are not here.

    Raises:
        CkptmapError: the checkpoint, the target or the config cannot be read, a data file of the checkpoint is not
            whole, or nothing names the model.
    """
    with open_checkpoint(os.fspath(checkpoint)) as opened:
        if not index_only:
            refuse_unless_whole(opened, index_suffices=True)
        inventory, graph = opened.inventory, _graph(opened)
    config = read_config(os.fspath(pipeline)) if pipeline is not None else None
    subject = _subject(inventory, config, to, like, kind, given)
    prediction = _predict(subject, config, inventory, graph)
    held = tuple(_held(inventory, prediction))
    remarks = (
        *(config_remarks(config, elsewhere=elsewhere) if config else ()),
        *subject.remarks,
        *_another_model(subject, prediction, inventory),
        *_nothing_restored(subject.model, prediction, config, inventory),
        *_of_tf1(subject.model, prediction, config, inventory),
    )
    remarks += tuple(_looked_at(subject.model, config, inventory))
    demanded = thresholds or Thresholds()
    remarks += tuple(broken(demanded, subject.model, prediction, held))
    return Audit(inventory, subject.model, prediction, held, remarks)


def _graph(checkpoint: Checkpoint) -> ObjectGraph | None:
    """The object graph; None where the data file that holds it is not there: keys are paths too."""
    try:
        return checkpoint.object_graph()
    except MissingDataError:
        return None


def _subject(
    inventory: Inventory,
    config: PipelineConfig | None,
    to: PathLike | None,
    like: PathLike | None,
    kind: str | None,
    given: Mapping[str, object] | None,
) -> Subject:
    if config is not None:
        return subject_of_config(config, inventory, os.fspath(like) if like is not None else None)
    named = to if to is not None else like
    if named is None:
        raise TargetError(
            "nothing says what to restore into",
            hint=f"give {argument('any to')}, {argument('like')} or {argument(PIPELINE)}",
        )
    return subject_of_target(os.fspath(named), inventory, kind or "full", given)


def _predict(
    subject: Subject, config: PipelineConfig | None, inventory: Inventory, graph: ObjectGraph | None
) -> Prediction:
    model = subject.model
    if subject.error:
        return Prediction((), frozenset(), subject.error, subject.hint)
    if inventory.kind in NO_CHECKPOINT:
        prediction = predict_no_checkpoint(model.variables or (), inventory.kind)
    elif model.api == "tf1":
        load_all = config is not None and config.training.load_all_detection_checkpoint_vars
        prediction = predict_tf1(model, inventory, load_all=load_all)
    else:
        prediction = predict_tf2(model, inventory, graph)
    error, hint = config_error(config) if config is not None else ("", "")
    refused_first = model.api == "tf2" and not inventory.object_based and not error.startswith("ParseError")
    return replace(prediction, error=error, hint=hint) if error and not refused_first else prediction


def _looked_at(model: Model, config: PipelineConfig | None, inventory: Inventory) -> Iterator[Remark]:
    if model.api == "tf1" and model.variables is None and model.kind in TF1_TYPES and config is not None:
        load_all = config.training.load_all_detection_checkpoint_vars
        yield Remark("note", looked_at(model, inventory, load_all=load_all))


def _nothing_restored(
    model: Model, prediction: Prediction, config: PipelineConfig | None, inventory: Inventory
) -> Iterator[Remark]:
    """TF1 says nothing when no name matches: it trains from scratch."""
    if prediction.entries and not prediction.error and not prediction.read:
        causes = [*_causes(model, inventory), *([_for_tf2(config, inventory)] if config else [])]
        message = "nothing is restored: training would start from scratch, and TensorFlow would raise no error"
        yield Remark("error", message, "", "; ".join(causes))


def _causes(model: Model, inventory: Inventory) -> Iterator[str]:
    """Why TF1 restores nothing, where that can be told."""
    if inventory.object_based:
        yield "the config is one of TF1, the checkpoint one of TF2: object paths, no names"
    elif not model.kind_said:
        yield (
            f'the config says no fine_tune_checkpoint_type, and the API\'s default is "{model.kind}", for a checkpoint '
            'of a classifier: for one of a detector write fine_tune_checkpoint_type: "detection"'
        )


def _of_tf1(
    model: Model, prediction: Prediction, config: PipelineConfig | None, inventory: Inventory
) -> Iterator[Remark]:
    """What a config of TF1 says nothing about: the restore in TF2."""
    if config is not None and model.api == "tf1" and (prediction.error or prediction.read):
        message = "the config is one of TF1: this is what the API on TF1 would restore"
        yield Remark("note", message, model.config, _for_tf2(config, inventory))


def _for_tf2(config: PipelineConfig, inventory: Inventory) -> str:
    """How to get what TF2 restores, of a config of TF1 and its checkpoint."""
    if inventory.object_based:
        return f"for TF2 take the config that convert wrote beside the checkpoint; {migrating(config)} too"
    both = f"ckptmap convert --pipeline {shlex.quote(config.path)} {shlex.quote(inventory.path)} -o new"
    return f"for TF2, {both} converts the checkpoint and the config"


def _another_model(subject: Subject, prediction: Prediction, inventory: Inventory) -> Iterator[Remark]:
    """The likely cause where nothing fits; a detector is meant to take the weights of a classifier."""
    if not subject.target or subject.model.kind == CLASSIFICATION_TYPE:
        return
    if prediction.error or not prediction.read:
        other = another_model(inventory, subject.target)
        if other is not None:
            yield Remark("error", other[0], "", other[1], cause=True)


def _held(inventory: Inventory, prediction: Prediction) -> Iterator[HeldEntry]:
    slots = classify(inventory.variables) if not inventory.object_based else {}
    for name, variable in inventory.variables.items():
        if name == OBJECT_GRAPH_KEY:
            continue
        if name in prediction.read:
            yield HeldEntry(variable, HeldFate.READ)
            continue
        slot = slots.get(name)
        reason = slot.label if slot else "optimizer slot" if _SLOT in name else ""
        yield HeldEntry(variable, HeldFate.UNUSED, reason)
