"""What TF1 would restore (object_detection/model_lib.py, utils/variables_helper.py).

``restore_map`` names the variables that the type asks for; of these, ``get_variables_available_in_checkpoint`` keeps
those that the checkpoint has in the same shape, and the rest stay initialized. Nothing is ever raised for them.
"""

from __future__ import annotations

from collections.abc import Mapping

from ckptmap.audit.prediction import Model, ModelEntry, ModelFate, Prediction
from ckptmap.audit.tf2 import is_other_class_count
from ckptmap.basics.nearest import nearest
from ckptmap.checkpoint.inventory import Inventory, Variable
from ckptmap.families.detection.pipeline.models import FASTER_RCNN
from ckptmap.mapping.slots import classify
from ckptmap.targets import TargetVariable

TYPES = ("classification", "detection")
GLOBAL_STEP = "global_step"
_SSD_SCOPES = ("FeatureExtractor",)
_RCNN_SCOPES = ("FirstStageFeatureExtractor", "SecondStageFeatureExtractor")
_REPEAT = "SecondStageFeatureExtractor/InceptionResnetV2/Repeat"


def predict_tf1(model: Model, inventory: Inventory, *, load_all: bool) -> Prediction:
    """The restore of a checkpoint into a TF1 model, whose variables' keys and names are TF1 names.

    ``load_all`` is ``load_all_detection_checkpoint_vars``.
    """
    variables = model.variables or ()
    if model.kind not in TYPES:
        entries = tuple(
            ModelEntry(variable, ModelFate.MISSING, reason=f"TF1 knows no type {model.kind}") for variable in variables
        )
        close = nearest(model.kind, TYPES)
        hint = f"did you mean {close[0]}?" if close else f"one of {', '.join(TYPES)}"
        return Prediction(
            entries, frozenset(), f"ValueError: Not supported fine_tune_checkpoint_type: {model.kind}", hint
        )
    wanted = restore_map(model.architecture, model.kind, variables, load_all=load_all)
    held = {name: variable for name, variable in inventory.variables.items() if name != GLOBAL_STEP}
    entries = tuple(_entry(model, variable, wanted, held) for variable in variables)
    return Prediction(entries, frozenset(entry.source for entry in entries if entry.fate is ModelFate.RESTORED))


def looked_at(model: Model, inventory: Inventory, *, load_all: bool) -> str:
    """What can be said where the model's variables are not known: how much of the checkpoint the type looks at."""
    scopes = _RCNN_SCOPES if model.architecture == FASTER_RCNN else _SSD_SCOPES
    slots = classify(inventory.variables)
    weights = [name for name in inventory.variables if name not in slots]
    if model.kind == "classification":
        inside = [name for name in weights if not name.startswith(scopes)]
        where = f"have names without the scope {' or '.join(scopes)}"
    else:
        inside = weights if load_all else [name for name in weights if name.startswith(scopes)]
        where = f"are in the scope {' or '.join(scopes)}" if not load_all else "are weights"
    count = f"{len(inside)} of the checkpoint's {len(inventory.variables)} variables {where}"
    return f"{count}, where type {model.kind} looks: TF1 restores those of them that the model has in the same shape"


def restore_map(
    architecture: str, kind: str, variables: tuple[TargetVariable, ...], *, load_all: bool
) -> dict[str, str]:
    """The name in the checkpoint that each variable is looked for under, by its own name; only those that are."""
    scopes = _RCNN_SCOPES if architecture == FASTER_RCNN else _SSD_SCOPES
    names = [variable.key for variable in variables]
    if kind == "detection":
        return {name: name for name in names if load_all or name.startswith(scopes)}
    return {name: _in_classifier(name, scopes) for name in names if name.startswith(tuple(f"{s}/" for s in scopes))}


def _in_classifier(name: str, scopes: tuple[str, ...]) -> str:
    """The variable's name in a slim classification checkpoint: without the detector's scope.

    Inception ResNet v2 counts its repeats anew in the second stage (the extractor's own
    ``restore_from_classification_checkpoint_fn``).
    """
    if name.startswith(_REPEAT):
        return "InceptionResnetV2/Repeat_2" + name.removeprefix(_REPEAT)
    for scope in scopes:
        name = name.replace(f"{scope}/", "")
    return name


def _entry(
    model: Model, variable: TargetVariable, wanted: Mapping[str, str], held: Mapping[str, Variable]
) -> ModelEntry:
    if variable.key not in wanted:
        reason = f"fine_tune_checkpoint_type {model.kind} does not load it"
        hint = "" if model.kind == "classification" else " without load_all_detection_checkpoint_vars"
        return ModelEntry(variable, ModelFate.REINITIALIZED, reason=reason + hint)
    found = held.get(wanted[variable.key])
    if found is None:
        return ModelEntry(variable, ModelFate.MISSING, reason="not in the checkpoint")
    if found.shape != variable.shape:
        shapes = f"shape {list(found.shape)} in the checkpoint, {list(variable.shape)} in the model"
        if is_other_class_count(model, variable, found.shape):
            return ModelEntry(variable, ModelFate.REINITIALIZED, found.name, f"another class count: {shapes}")
        return ModelEntry(variable, ModelFate.MISSING, found.name, f"available but incompatible shape: {shapes}")
    return ModelEntry(variable, ModelFate.RESTORED, found.name)
