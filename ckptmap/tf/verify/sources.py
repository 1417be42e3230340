"""What the two paths of ``ckptmap verify`` mean: how the old model is run in TF1, and the new one in TF2."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ckptmap.basics.errors import CheckpointError
from ckptmap.basics.regular import read_regular
from ckptmap.checkpoint.data_files import folder_of
from ckptmap.checkpoint.folders import SAVED_MODEL_FILE
from ckptmap.checkpoint.inventory import Kind
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.wire import FormatError, as_bytes, as_text, read_fields
from ckptmap.families.detection.config_files import find_config
from ckptmap.families.detection.pipeline.config import read_config
from ckptmap.mapping.slots import classify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ckptmap.checkpoint.inventory import Inventory
    from ckptmap.checkpoint.wire import Bytes

Weights = Literal["averages", "raw"]
IMAGE, BOXES = "image_tensor", "detection_boxes"
QUANTIZATION = "graph_rewriter"
_FROZEN = "frozen_inference_graph.pb"
# numbers of fields: tensorflow/core/protobuf/saved_model.proto, meta_graph.proto, framework/graph.proto, node_def.proto
_META_GRAPHS, _GRAPH, _OBJECTS, _NODE, _NAME = 2, 2, 7, 1, 1
_WHAT_OLD_IS = (
    "the old side is a TF1 export (frozen_inference_graph.pb, saved_model/, .meta with its checkpoint) or a TF1 "
    "checkpoint with its pipeline.config"
)
_WHAT_NEW_IS = "the new side is what convert --pipeline wrote (checkpoint and pipeline.config) or a TF2 SavedModel"


class OldKind(enum.Enum):
    """How the old model is run."""

    FROZEN = "frozen graph"
    SAVED_MODEL = "TF1 SavedModel"
    META = "exported graph (.meta) with its checkpoint"
    SLIM = "slim graph of pipeline.config with the checkpoint"


class NewKind(enum.Enum):
    """How the new model is run."""

    MODEL = "Keras model of pipeline.config with the checkpoint"
    SAVED_MODEL = "TF2 SavedModel"


@dataclass(frozen=True, slots=True)
class Old:
    """The TF1 side: ``path`` is the graph file, the SavedModel's directory, or the checkpoint's prefix.

    ``config`` is the TF1 pipeline.config, empty where there is none. ``weights``: what is restored into a slim graph,
    the moving averages or the raw values; empty where the model has but one kind. ``without``: what the model had in
    training and in use, and the graph that is run has not: only a slim graph lacks any, its ``graph_rewriter``.
    """

    kind: OldKind
    path: str
    config: str = ""
    weights: Weights | None = None
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class New:
    """The TF2 side: ``path`` is the checkpoint's prefix or the SavedModel's directory."""

    kind: NewKind
    path: str
    config: str = ""


def find_old(path: Path | str, config: Path | str | None = None, weights: Weights = "averages") -> Old:
    """What the old model is run from: of a directory the frozen graph, the SavedModel, ``.meta``, the checkpoint.

    ``config`` is its pipeline.config where that does not lie beside; a checkpoint is then run in the slim graph.
    Raises CheckpointError where ``path`` holds nothing that TF1 can run, ConfigError where the config cannot be read.
    """
    place = Path(path)
    graph = None if config is not None else _frozen(place)
    saved_model = None if config is not None else _saved_model(place)
    beside = str(config or find_config(_folder(place)) or "")
    if graph is not None:
        return Old(OldKind.FROZEN, str(graph), beside)
    if saved_model is not None:
        if is_object_based(saved_model):
            raise CheckpointError("this is a TF2 SavedModel", where=str(saved_model), hint=_WHAT_OLD_IS)
        return Old(OldKind.SAVED_MODEL, str(saved_model), beside)
    return _checkpoint(place, beside, weights, given=config is not None)


def find_new(path: Path | str) -> New:
    """What the new model is run from: of a directory the checkpoint with its pipeline.config, or the SavedModel.

    Raises CheckpointError where ``path`` holds nothing that TF2 can run.
    """
    place = Path(path)
    saved_model = _saved_model(place)
    config = find_config(_folder(place))
    folder = place / "checkpoint" if (place / "checkpoint").is_dir() else place
    if saved_model is not None and (config is None or not any(folder.glob("*.index"))):
        if not is_object_based(saved_model):
            raise CheckpointError("this is a TF1 SavedModel", where=str(saved_model), hint=_WHAT_NEW_IS)
        return New(NewKind.SAVED_MODEL, str(saved_model), str(config or ""))
    with open_checkpoint(folder) as checkpoint:
        inventory = checkpoint.inventory
    if not inventory.object_based:
        raise CheckpointError(f"this is a TF1 {inventory.kind.value}", where=inventory.path, hint=_WHAT_NEW_IS)
    config = config or find_config(folder_of(inventory.path))
    if config is None:
        hint = "convert with --pipeline writes it; ckptmap config migrate makes it of the TF1 one"
        raise CheckpointError("there is no pipeline.config beside this checkpoint", where=inventory.path, hint=hint)
    return New(NewKind.MODEL, inventory.path, str(config))


def _folder(place: Path) -> Path:
    return place if place.is_dir() else place.parent


def _frozen(place: Path) -> Path | None:
    if place.is_dir():
        graph = place / _FROZEN
        return graph if graph.is_file() else None
    return place if place.suffix == ".pb" and place.name != SAVED_MODEL_FILE and place.is_file() else None


def _saved_model(place: Path) -> Path | None:
    """The directory of the SavedModel that ``place`` is, is a file of, or holds."""
    for folder in (place, place.parent if place.name == SAVED_MODEL_FILE else place, place / "saved_model"):
        if (folder / SAVED_MODEL_FILE).is_file():
            return folder
    return None


def _checkpoint(place: Path, config: str, weights: Weights, *, given: bool) -> Old:
    with open_checkpoint(place) as checkpoint:
        inventory = checkpoint.inventory
    if inventory.object_based:
        raise CheckpointError("this is a TF2 checkpoint", where=inventory.path, hint=_WHAT_OLD_IS)
    if inventory.kind not in (Kind.V1, Kind.V2):
        raise CheckpointError(f"this {inventory.kind.value} cannot be run", where=inventory.path, hint=_WHAT_OLD_IS)
    if not given and _exported(Path(f"{inventory.path}.meta")):
        return Old(OldKind.META, inventory.path, config)
    if not config:
        raise _unrunnable(inventory)
    chosen = weights if _has(inventory, "ema") else None
    quantized = _has(inventory, "quantization") or read_config(config).quantized
    return Old(OldKind.SLIM, inventory.path, config, chosen, (QUANTIZATION,) if quantized else ())


def _unrunnable(inventory: Inventory) -> CheckpointError:
    meta = Path(f"{inventory.path}.meta")
    what = f"{meta.name} is a training graph" if meta.is_file() else "a checkpoint alone cannot be run"
    hint = "put its pipeline.config beside it, or name it with --pipeline"
    return CheckpointError(what, where=inventory.path, hint=hint)


def _has(inventory: Inventory, kind: str) -> bool:
    """Whether any variable is of this kind: a moving average, a range of quantization."""
    return any(slot.kind == kind for slot in classify(inventory.variables).values())


def _exported(meta: Path) -> bool:
    """Whether a ``.meta`` file holds an inference graph as the exporter writes it."""
    if not meta.is_file():
        return False
    try:
        graphs = [value for number, value in read_fields(memoryview(read_regular(meta))) if number == _GRAPH]
        return {IMAGE, BOXES} <= {name for graph in graphs for name in node_names(as_bytes(graph))}
    except FormatError as error:
        raise CheckpointError(f"is damaged: {error}", where=str(meta)) from error


def node_names(graph: Bytes) -> Iterator[str]:
    """The nodes of a serialized GraphDef. Raises FormatError."""
    for kind, node in read_fields(graph):
        if kind == _NODE:
            yield from (as_text(value) for place, value in read_fields(as_bytes(node)) if place == _NAME)


def is_object_based(saved_model: Path) -> bool:
    """Whether a SavedModel is TF2's: it then lists the objects that it was made of.

    Raises CheckpointError where it cannot be read.
    """
    file = saved_model / SAVED_MODEL_FILE
    try:
        meta_graphs = [
            as_bytes(value) for number, value in read_fields(memoryview(read_regular(file))) if number == _META_GRAPHS
        ]
        return any(number == _OBJECTS for graph in meta_graphs for number, _ in read_fields(graph))
    except (OSError, FormatError) as error:
        raise CheckpointError(f"cannot be read: {error}", where=str(file)) from error
