"""What ``load_fine_tune_checkpoint`` of the Object Detection API would do on TF2 (object_detection/model_lib_v2.py).

It refuses checkpoints of names, restores ``tf.train.Checkpoint(**model.restore_from_objects(type))`` and asserts
that everything of the model that was asked for was found (``assert_existing_objects_matched``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ckptmap.audit.object_walk import Find, finder, root_names
from ckptmap.audit.prediction import Model, ModelEntry, ModelFate, Prediction
from ckptmap.audit.tf2_paths import CLASSIFICATION_TYPE, DETECTION_TYPE, FULL, refusal, restore_paths, root_of
from ckptmap.basics.text import plural
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.checkpoint.naming import told_names
from ckptmap.checkpoint.object_graph import SAVE_COUNTER, ObjectGraph
from ckptmap.families.detection.model_parts import CLASS_HEAD, HEADS
from ckptmap.families.detection.pipeline.models import FASTER_RCNN
from ckptmap.targets import TargetVariable

_LOADED_BY = {
    Kind.FROZEN_GRAPH: "convert it first with ckptmap convert",
    Kind.KERAS: "load it with model.load_weights, or convert it to a checkpoint with ckptmap convert",
    Kind.SAFETENSORS: "load it with safetensors.numpy.load_file, or make a checkpoint with ckptmap convert",
}
"""What a file that is not a checkpoint is good for."""
NO_CHECKPOINT = tuple(_LOADED_BY)
_NAME_BASED = "IOError: Checkpoint is expected to be an object-based checkpoint."


def predict_no_checkpoint(variables: Iterable[TargetVariable], kind: Kind) -> Prediction:
    """``tf.train.load_checkpoint`` reads bundles and V1 checkpoints; it opens no other file."""
    reason = f"a {kind.value} is not a checkpoint: TensorFlow restores nothing from it"
    return _nothing(variables, reason, f"DataLossError: {reason}", _LOADED_BY[kind])


def predict_tf2(model: Model, inventory: Inventory, graph: ObjectGraph | None) -> Prediction:
    """The restore of a checkpoint into a TF2 model; variables by variable where the model's are known."""
    variables = model.variables or ()
    if not inventory.object_based:
        hint = "TF2 reads nothing of a TF1 checkpoint: convert it first with ckptmap convert"
        return _nothing(variables, "the checkpoint is one of names (TF1)", _NAME_BASED, hint)
    error, hint = refusal(model.architecture, model.kind) if model.architecture else ("", "")
    if error:
        return _nothing(variables, f"the type {model.kind} is refused", error, hint)
    root = root_of(model.kind) if model.architecture else model.root
    roots = root_names(inventory, graph)
    if root and root not in roots:
        reason = f"the checkpoint has no {root} at its root"
        error = f"AssertionError: {reason}, it has {', '.join(roots) or 'nothing'}"
        return _nothing(variables, reason, error, _root_hint(roots))
    return _restore(model, variables, finder(inventory, graph))


def _nothing(variables: Iterable[TargetVariable], reason: str, error: str, hint: str) -> Prediction:
    entries = tuple(ModelEntry(variable, ModelFate.MISSING, reason=reason) for variable in variables)
    return Prediction(entries, frozenset(), error, hint)


def _root_hint(roots: tuple[str, ...]) -> str:
    if "model" in roots:
        return f'a checkpoint of root model is for fine_tune_checkpoint_type "{DETECTION_TYPE}" or "{FULL}"'
    if "feature_extractor" in roots:
        return f'a checkpoint of root feature_extractor is for fine_tune_checkpoint_type "{CLASSIFICATION_TYPE}"'
    return f"save it as tf.train.Checkpoint(model=…), or convert it with {argument('root')}"


def _restore(model: Model, variables: tuple[TargetVariable, ...], find: Find) -> Prediction:
    paths = _paths(model, variables)
    found = {key: find(path) for key, path in paths.items()}
    entries = tuple(_entry(model, variable, paths, found) for variable in variables)
    counter = find(SAVE_COUNTER)
    read = {v.name for v in (*(item for item in found.values() if item), *((counter,) if counter else ()))}
    # saved by tf.train.Checkpoint.save; load_fine_tune_checkpoint asserts on it, a Keras model's weights have none
    error, hint = _error(model, entries, has_counter=counter is not None or not model.architecture)
    return Prediction(entries, frozenset(read), error, hint)


def _paths(model: Model, variables: tuple[TargetVariable, ...]) -> dict[str, str]:
    if model.architecture:
        return restore_paths(model.architecture, model.kind, variables)
    root = f"{model.root}/" if model.root else ""
    return {variable.key: root + variable.key for variable in variables}


def _entry(
    model: Model, variable: TargetVariable, paths: Mapping[str, str], found: Mapping[str, Variable | None]
) -> ModelEntry:
    if variable.key not in paths:
        reason = f"fine_tune_checkpoint_type {model.kind} does not load it"
        return ModelEntry(variable, ModelFate.REINITIALIZED, reason=reason)
    held = found[variable.key]
    if held is None:
        return ModelEntry(variable, ModelFate.MISSING, reason="not in the checkpoint")
    if held.shape != variable.shape:
        return _other_shape(model, variable, held)
    if held.dtype is not variable.dtype:
        reason = f"{held.dtype} in the checkpoint, {variable.dtype} in the model"
        return ModelEntry(variable, ModelFate.MISSING, held.name, reason)
    return ModelEntry(variable, ModelFate.RESTORED, held.name)


def _other_shape(model: Model, variable: TargetVariable, held: Variable) -> ModelEntry:
    reason = f"shape {list(held.shape)} in the checkpoint, {list(variable.shape)} in the model"
    if is_other_class_count(model, variable, held.shape):
        return ModelEntry(variable, ModelFate.REINITIALIZED, held.name, f"another class count: {reason}")
    return ModelEntry(variable, ModelFate.MISSING, held.name, reason)


def is_other_class_count(model: Model, variable: TargetVariable, shape: tuple[int, ...]) -> bool:
    """Whether a variable differs in the class count only: a class head, other than the model's in its last length.

    The second stage of an R-CNN predicts boxes and masks for each class too.
    """
    return (
        variable.part in (HEADS if model.architecture == FASTER_RCNN else (CLASS_HEAD,))
        and len(shape) == len(variable.shape)
        and shape[:-1] == variable.shape[:-1]
        and shape != variable.shape
    )


def _classes_hint(model: Model) -> str:
    """How to get a checkpoint of as many classes as the model has."""
    count = model.num_classes if model.num_classes is not None else "N"
    return (
        f"convert the old checkpoint for this number of classes, ckptmap convert … --num-classes {count}; or let "
        f'fine_tune_checkpoint_type "{DETECTION_TYPE}" leave the heads aside'
    )


def _from_the_cause(entry: ModelEntry) -> tuple[bool, bool]:
    """The class head first: where the class count differs, all else follows from it."""
    return entry.fate is not ModelFate.REINITIALIZED, entry.variable.part != CLASS_HEAD


def _error(model: Model, entries: tuple[ModelEntry, ...], *, has_counter: bool) -> tuple[str, str]:
    """What TensorFlow raises: a shape that does not fit stops the restore, what was not found fails the assertion."""
    told = told_names((entry.variable.key, entry.variable.name) for entry in entries)
    unfit = [entry for entry in entries if entry.source and entry.fate is not ModelFate.RESTORED]
    if unfit:
        unfit.sort(key=_from_the_cause)
        first = unfit[0]
        more = f", and {plural(len(unfit) - 1, 'variable')} more" if len(unfit) > 1 else ""
        classes = first.fate is ModelFate.REINITIALIZED
        hint = _classes_hint(model) if classes else ""
        return f"ValueError: {told[first.variable.key]}: {first.reason}{more}", hint
    missing = [told[entry.variable.key] for entry in entries if entry.fate is ModelFate.MISSING]
    if missing:
        what = f"{plural(len(missing), 'variable')} of the model not found in the checkpoint: {missing[0]}"
        return f"AssertionError: {what}{', …' if len(missing) > 1 else ''}", ""
    if not has_counter:
        hint = "save it with tf.train.Checkpoint.save, or convert it with ckptmap"
        return "AssertionError: the checkpoint has no save_counter", hint
    return "", ""
