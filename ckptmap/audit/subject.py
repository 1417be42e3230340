"""From what the user names (a target, a TF2 checkpoint, a pipeline.config) to the model that is restored into."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ckptmap.audit.likeness import another_model
from ckptmap.audit.prediction import Model, Remark
from ckptmap.audit.tf1 import GLOBAL_STEP
from ckptmap.audit.tf2_paths import CENTER_NET, CLASSIFICATION_TYPE
from ckptmap.basics.errors import TargetError
from ckptmap.basics.wording import argument, number
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.checkpoint.object_graph import VALUE_SUFFIX
from ckptmap.families.detection.pipeline.classes import has_masks, mask_depth
from ckptmap.families.detection.pipeline.config import PipelineConfig
from ckptmap.families.detection.pipeline.migrate import Refusal, begin
from ckptmap.families.detection.pipeline.models import (
    EXACT_SUFFIX,
    FASTER_RCNN,
    KERAS_SUFFIX,
    MNASFPN,
    RESNET_FPN,
    SSD,
    tf1_type,
)
from ckptmap.families.detection.pipeline.rules_rcnn import RFCN
from ckptmap.families.detection.pipeline.settings import settings as target_settings
from ckptmap.families.detection.pipeline.widths import backbone_widths
from ckptmap.families.detection.roots import CLASSIFICATION
from ckptmap.families.detection.tf1_names import tf1_names
from ckptmap.mapping import Table, apply_table, load_table
from ckptmap.mapping.slots import classify
from ckptmap.request.config_destination import Described, UncoveredError, described
from ckptmap.targets import Layout, Target, TargetVariable, list_targets, load_target
from ckptmap.targets.variables import SpecVariable

_BASELINE = re.compile(r"width_(\d+)(?:_\d+)?")
"""How the specs call a width: by what it is at depth multiplier 1."""


_STOCK_RESNET_PYRAMID = 256
_NOT_ALL = "AssertionError: variables of the model are not found in the checkpoint"


@dataclass(frozen=True, slots=True)
class Subject:
    """The model, and what is to say of how it was found."""

    model: Model
    remarks: tuple[Remark, ...] = ()
    target: str = ""
    """The shipped target that has the model's variables; empty where there is none."""
    error: str = ""
    hint: str = ""
    """Why the restore fails for certain though the model's lengths are not all known, and what to do."""


class UndecidedError(TargetError):
    """Neither the user nor the checkpoint says how long some of the model's variables are."""


def subject_of_target(
    text: str, inventory: Inventory, kind: str = "full", given: Mapping[str, object] | None = None
) -> Subject:
    """The model of a shipped target or of a TF2 checkpoint; what nothing says of its lengths, the checkpoint shows.

    Raises:
        TargetError: there is no such target, or it does not have a given setting.
    """
    target = load_target(text)
    shipped = "" if target.template is not None else target.name
    unsolved = Model(target.name, "tf2", None, _architecture(target.variables), kind, target.root)
    if not inventory.object_based:
        target.split(given or {})
        # nothing of it is restored, whatever the lengths are
        return Subject(unsolved, target=shipped)
    try:
        variables, settings, classes = _concrete(target, given or {}, _offers(inventory))
    except UndecidedError:
        # what no shape shows is not there: the restore fails whatever the lengths are
        if another_model(inventory, shipped) is not None:
            return Subject(unsolved, target=shipped, error=_NOT_ALL)
        nothing = _nothing_of(target, inventory)
        if nothing is None:
            raise
        return Subject(unsolved, target=shipped, error=f"AssertionError: {nothing[0]}", hint=nothing[1])
    architecture = _architecture(variables)
    if kind != "full" and not architecture:
        raise TargetError(f"{target.name} is not a detection model: the type {kind} means nothing for it")
    model = Model(target.name, "tf2", variables, architecture, kind, target.root, "", settings, classes)
    return Subject(model, target=shipped)


def _nothing_of(target: Target, inventory: Inventory) -> tuple[str, str] | None:
    """That the checkpoint holds no variable of the target, and what to do; None where it holds one."""
    if _offers(inventory).keys() & {variable.key for variable in target.variables}:
        return None
    return f"the checkpoint holds none of the variables of {target.name}", "see what it is with ckptmap inspect"


def _architecture(variables: Iterable[TargetVariable | SpecVariable]) -> str:
    """The meta-architecture that names its variables so; empty for any other object."""
    keys = [variable.key for variable in variables]
    if any(key.startswith("_feature_extractor_for_") for key in keys):
        return FASTER_RCNN
    return SSD if any(key.startswith("_feature_extractor/") for key in keys) else ""


def is_tf2(config: PipelineConfig) -> bool:
    """Whether a config is for the API on TF2: its extractor is a Keras one, or its architecture exists there only."""
    return config.architecture == CENTER_NET or config.extractor_type.endswith(KERAS_SUFFIX)


def subject_of_config(config: PipelineConfig, inventory: Inventory, like: str | None = None) -> Subject:
    """The model of a pipeline.config; ``like`` is a TF2 checkpoint that has its variables, where no spec is shipped.

    Raises:
        ConfigError: the config has no model.
        TargetError: ``like`` cannot be read as a model.
    """
    tf2 = is_tf2(config)
    model = Model(
        name=config.extractor_type or config.architecture,
        api="tf2" if tf2 else "tf1",
        variables=None,
        architecture=config.architecture,
        kind=type_of(config),
        config=config.path,
        num_classes=_class_count(config),
        kind_said=_says_type(config),
    )
    if like is not None:
        if not tf2:
            message = "the config is one of TF1: a TF2 checkpoint does not have its variables"
            raise TargetError(message, where=like, hint=migrating(config))
        target = load_target(like)
        return Subject(replace(model, name=target.name, variables=_concrete(target, {}, {})[0]))
    try:
        return _shipped_tf2(model, config, inventory) if tf2 else _shipped_tf1(model, config, inventory)
    except (TargetError, UncoveredError) as error:
        return Subject(model, (_unknown(config, error.problem.message),))


def type_of(config: PipelineConfig) -> str:
    """``fine_tune_checkpoint_type``, or what the API makes of the older ``from_detection_checkpoint``."""
    training = config.training
    older = "detection" if training.from_detection_checkpoint else CLASSIFICATION_TYPE
    return training.fine_tune_checkpoint_type or older


def _says_type(config: PipelineConfig) -> bool:
    train = config.root.child("train_config")
    return bool(config.training.fine_tune_checkpoint_type) or train.has("from_detection_checkpoint")


def migrating(config: PipelineConfig) -> str:
    """How to get a config of TF2 of one of TF1."""
    return f"ckptmap config migrate {shlex.quote(config.path)} -o new.config makes one of TF2 of it"


def _class_count(config: PipelineConfig) -> int | None:
    return config.num_classes if config.architecture in (SSD, FASTER_RCNN) else None


def _shipped_tf2(model: Model, config: PipelineConfig, inventory: Inventory) -> Subject:
    if target_settings(config).target not in list_targets():
        return Subject(model, (_unknown(config, f"give a checkpoint of this model with {argument('like')}"),))
    found = described(config)
    variables, settings, _ = _concrete(found.target, _given(found, config), _offers(inventory))
    return Subject(replace(model, variables=variables, settings=settings), target=found.target.name)


def _shipped_tf1(model: Model, config: PipelineConfig, inventory: Inventory) -> Subject:
    made = begin(config)
    if isinstance(made, Refusal):
        return Subject(model, (_unknown(config, made.reason),))
    found = described(made.tf2)
    target = found.target
    if target.table is None:
        return Subject(model, (_unknown(config, "no mapping table knows its TF1 names"),))
    table = load_table(target.table)
    names = _tf1_candidates(config, inventory)
    given = _given(found, made.tf2, tf1=True)
    layout, values = _solved(target, given, _offers_of_names(table, names))
    variables = tuple(variable.concrete(values) for variable in layout.variables)
    named = tf1_names(table, layout, {variable.key: variable.name for variable in variables}, names)
    own = tuple(v._replace(key=named[v.key], name=named[v.key]) for v in variables if v.key in named)
    remarks = _unnamed(len(variables) - len(own), config)
    own += _without_counterpart(table, inventory)
    return Subject(replace(model, variables=own, settings=dict(layout.settings)), remarks, target.name)


def _unknown(config: PipelineConfig, why: str) -> Remark:
    where = config.extractor.where("type") if config.architecture in (SSD, FASTER_RCNN, CENTER_NET) else config.path
    name = config.extractor_type or config.architecture
    return Remark("warning", f"the variables of {name} are not known: what is restored cannot be told", where, why)


def _unnamed(count: int, config: PipelineConfig) -> tuple[Remark, ...]:
    if not count:
        return ()
    return (Remark("warning", f"the TF1 names of {count} variables are not known; they are left out", config.path),)


def _tf1_candidates(config: PipelineConfig, inventory: Inventory) -> dict[str, tuple[int, ...]]:
    """Names that the model may have, with their shapes: the checkpoint's, and those in the scopes of its extractor."""
    stages = ("FirstStageFeatureExtractor/", "SecondStageFeatureExtractor/")
    scopes = stages if config.architecture == FASTER_RCNN else ("FeatureExtractor/",)
    slots = classify(inventory.variables)
    weights = {name: v.shape for name, v in inventory.variables.items() if name not in slots}
    prefixes = scopes if type_of(config) == CLASSIFICATION_TYPE else ()
    return {**{prefix + name: shape for prefix in prefixes for name, shape in weights.items()}, **weights}


def _offers_of_names(table: Table, names: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    plain = (item for item in apply_table(table, names).assignments if not item.ops and len(item.sources) == 1)
    return {item.target: names[item.sources[0]] for item in plain}


def _without_counterpart(table: Table, inventory: Inventory) -> tuple[TargetVariable, ...]:
    """Variables that TF1 builds and TF2 does not, such as the last block of a ResNet's first stage: the table drops
    them, and TF1 restores them in whatever shape they have."""
    slots = classify(inventory.variables)
    dropped = {drop.source for drop in apply_table(table, inventory.variables).drops} - slots.keys() - {GLOBAL_STEP}
    found = (inventory.variables[name] for name in sorted(dropped))
    return tuple(TargetVariable(v.name, v.name, v.dtype, v.shape, part="backbone") for v in found)


def _offers(inventory: Inventory) -> dict[str, tuple[int, ...]]:
    """The shapes that a TF2 checkpoint of a detection model has, by the object path below the model."""
    backbone = "_feature_extractor/classification_backbone/"
    found = {}
    for name, variable in inventory.variables.items():
        root, _, path = name.removesuffix(VALUE_SUFFIX).partition("/")
        if path and name.endswith(VALUE_SUFFIX):
            found[backbone + path if root == CLASSIFICATION else path] = variable.shape
    return found


def _given(found: Described, config: PipelineConfig, *, tf1: bool = False) -> dict[str, object]:
    """What the config says of the target's settings and lengths.

    ``tf1``: of the TF1 model, whose migrated config this is.
    """
    target, given = found.target, found.given()
    if config.architecture == SSD:
        slim = tf1 or config.extractor_type.endswith(EXACT_SUFFIX)
        lengths = _backbone(target, config, slim=slim) | _neck(target, config, slim=slim)
    else:
        lengths = _proposals(config) | _second_stage(config)
    return given | {name: length for name, length in lengths.items() if name in target.unknowns and name not in given}


def _proposals(config: PipelineConfig) -> dict[str, int]:
    """The lengths of an R-CNN's region proposal network."""
    return {
        "anchors": config.anchors[0],
        "rpn_depth": config.model.integer("first_stage_box_predictor_depth"),
        "rpn_kernel": config.model.integer("first_stage_box_predictor_kernel_size"),
    }


def _second_stage(config: PipelineConfig) -> dict[str, int]:
    """The lengths of an R-CNN's heads and of its attention that are not those of the classes."""
    context = config.model.child("context_config")
    lengths = {
        "bottleneck": context.integer("attention_bottleneck_dimension"),
        "context_length": context.integer("context_feature_length"),
    }
    if config.predictor_kind == RFCN:
        lengths["reduced_depth"] = config.predictor.integer("depth")
    if has_masks(config):
        lengths["mask_depth"] = mask_depth(config, config.num_classes)
    return lengths


def _backbone(target: Target, config: PipelineConfig, *, slim: bool) -> dict[str, int]:
    """The widths of the backbone, as slim or the stock Keras extractor scales them."""
    kind, multiplier = tf1_type(config.extractor_type), config.extractor.number("depth_multiplier")
    widths = backbone_widths(kind, multiplier, config.extractor.integer("min_depth"), slim=slim)
    found = _baselines(_used(target, "backbone"))
    return {name: widths[base] for name, base in found.items() if base in widths}


def _neck(target: Target, config: PipelineConfig, *, slim: bool) -> dict[str, int]:
    """The widths of the layers behind the backbone: of a pyramid its one depth, else what the baselines scale to.

    The Keras ResNet extractors (ssd_resnet_v1_fpn_keras_feature_extractor.py) do not pass the depth on: theirs is 256.
    """
    kind = tf1_type(config.extractor_type)
    if kind == MNASFPN:  # slim's own code, in one part; its spec has no other widths
        return dict.fromkeys(_baselines(_used(target, "backbone")), _pyramid_depth(config))
    own = _baselines(_used(target, "neck") - _used(target, "backbone"))
    if "_fpn" in kind:
        depth = _pyramid_depth(config) if slim or kind not in RESNET_FPN else _STOCK_RESNET_PYRAMID
        own = dict.fromkeys(own, depth)
    multiplier, least = config.extractor.number("depth_multiplier"), config.extractor.integer("min_depth")
    return {name: max(int(base * multiplier), least) for name, base in own.items()}


def _pyramid_depth(config: PipelineConfig) -> int:
    return config.extractor.child("fpn").integer("additional_layer_depth")


def _baselines(names: set[str]) -> dict[str, int]:
    """The widths among the unknowns, with what they are at depth multiplier 1."""
    return {name: int(match[1]) for name in names if (match := _BASELINE.fullmatch(name))}


def _used(target: Target, part: str) -> set[str]:
    """The unknowns in the shapes and names of a part."""
    return {name for variable in target.variables if variable.part == part for name in variable.unknowns}


def _concrete(
    target: Target, given: Mapping[str, object], offers: Mapping[str, tuple[int, ...]]
) -> tuple[tuple[TargetVariable, ...], dict[str, object], int | None]:
    """The variables, the settings and the class count; lengths that are not given come from ``offers``."""
    layout, values = _solved(target, given, offers)
    variables = tuple(variable.concrete(values) for variable in layout.variables)
    return variables, dict(layout.settings), values.get("num_classes")


def _solved(
    target: Target, given: Mapping[str, object], offers: Mapping[str, tuple[int, ...]]
) -> tuple[Layout, dict[str, int]]:
    """The layout, and a value for each of its unknowns: given, else offered, else what the spec's name for it says.

    Settings that neither says are the official ones.
    """
    if not offers:
        given = {**{setting.name: setting.default for setting in target.settings}, **given}
    _, own = target.split(given)
    layout = target.layout(offers, given)
    solved = _lengths(layout, offers, own)
    needed = {name for variable in layout.variables for name in variable.unknowns}
    values = {name: _fallback(name) for name in needed} | dict(solved) | own
    if any(value is None for value in values.values()):
        missing = sorted(name for name, value in values.items() if value is None)
        missing.sort(key=lambda name: name != "num_classes")  # people know that one first
        how = f"give {' '.join(map(number, missing))}"
        raise UndecidedError(f"nothing decides {', '.join(missing)}", where=target.name, hint=how)
    return layout, {name: value for name, value in values.items() if value is not None}


def _lengths(layout: Layout, offers: Mapping[str, tuple[int, ...]], own: Mapping[str, int]) -> dict[str, int]:
    """The lengths that the offered shapes show.

    Where the class count is given, what has outputs for each class is evidence only of what nothing else shows: it may
    be of another count.
    """
    solved = dict(layout.solve(offers, own).values)
    if "num_classes" not in own:
        return solved
    heads = {name for v in layout.variables if "num_classes" in v.unknowns for name in (v.key, v.name)}
    return solved | dict(layout.solve(offers, own, heads).values)


def _fallback(name: str) -> int | None:
    match = _BASELINE.fullmatch(name)
    return int(match[1]) if match else None
