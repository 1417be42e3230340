"""What a path means when any model may stand there, and how it is run. Imports no TensorFlow."""

from __future__ import annotations

import enum
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ckptmap.basics.errors import CheckpointError, CkptmapError
from ckptmap.basics.regular import open_regular
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.folders import SAVED_MODEL_FILE
from ckptmap.checkpoint.inventory import Kind as Stored
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.tf.verify.general.arguments import MODEL
from ckptmap.tf.verify.general.shipped import Application, find_application
from ckptmap.tf.verify.general.slim_nets import SlimNet, find_slim_net
from ckptmap.tf.verify.sources import is_object_based

if TYPE_CHECKING:
    from ckptmap.checkpoint.inventory import Inventory

End = Literal["old", "new"]
KERAS_ENDINGS = (".keras", ".h5", ".hdf5")
_WEIGHTS = (".weights.h5", ".safetensors")
_KERAS_3_PATHS = ("/_operations/", "/_layers/", "/_kernel")
_MOST_METADATA = 1 << 16


class Kind(enum.Enum):
    """How a model is run."""

    FROZEN = "frozen graph"
    SAVED_MODEL_1 = "TF1 SavedModel"
    META = "graph of the .meta with its checkpoint"
    GRAPH_CODE = "TF1 graph that code builds"
    SLIM = "graph of slim's own code, giving logits"
    SAVED_MODEL_2 = "TF2 SavedModel"
    KERAS_FILE = "Keras file"
    OBJECT_CODE = "model that code builds"
    APPLICATION = "model of keras.applications with slim's paddings and epsilon, giving logits"


@dataclass(frozen=True, slots=True)
class Source:
    """One side as it is asked for.

    ``path`` is the graph file, the SavedModel's folder, the checkpoint's prefix or the Keras file. ``code`` is
    ``module:function``, empty where no code of the user's is run. ``keras`` is 2 or 3, the Keras that ``tf.keras`` is
    in its process. ``outputs`` are the tensors to compare where the graph does not say; ``inputs`` are name, dtype and
    shape of what a model takes that does not say it. ``application`` is the model that ckptmap builds by itself,
    ``slim`` the TF1 graph.
    """

    kind: Kind
    path: str
    end: End
    code: str = ""
    keras: int = 2
    outputs: tuple[str, ...] = ()
    inputs: tuple[tuple[str, str, tuple[int, ...]], ...] = ()
    application: Application | None = None
    slim: SlimNet | None = None

    @property
    def said(self) -> str:
        """Path and how it is run, for people."""
        return f"{self.path} ({self.kind.value})"


def find_source(path: Path | str, end: End, code: str = "", keras: int | None = None) -> Source:
    """What ``path`` is run from: a graph, a SavedModel, a Keras file, or a checkpoint with ``code`` or its ``.meta``.

    ``code`` is ``module:function``: of the old end it builds a TF1 graph, of the new end it returns a model of Keras or
    a ``tf.Module``. Raises CkptmapError where it is neither, CheckpointError where ``path`` cannot be run.
    """
    if code:
        parse_code(code, end)  # a mistake is told in the words of who gave it: here, not in the model's own process
    place = Path(path)
    if not code and (found := _graph_file(place, end) or _saved_model(place, end) or _keras_file(place, end, keras)):
        return found
    if code and place.name.endswith(_WEIGHTS):
        return Source(Kind.OBJECT_CODE, str(place), end, code, keras or 3)
    with open_checkpoint(place) as checkpoint:
        return _of_checkpoint(checkpoint.inventory, end, code, keras)


def _graph_file(place: Path, end: End) -> Source | None:
    if place.is_dir():
        graphs = sorted(place.glob("*.pb"))
        named = [graph for graph in graphs if graph.name != SAVED_MODEL_FILE]
        place = named[0] if len(named) == 1 and len(graphs) == 1 else place
    frozen = place.suffix == ".pb" and place.name != SAVED_MODEL_FILE and place.is_file()
    return Source(Kind.FROZEN, str(place), end) if frozen else None


def _saved_model(place: Path, end: End) -> Source | None:
    for folder in (place, place.parent if place.name == SAVED_MODEL_FILE else place, place / "saved_model"):
        if (folder / SAVED_MODEL_FILE).is_file():
            kind = Kind.SAVED_MODEL_2 if is_object_based(folder) else Kind.SAVED_MODEL_1
            return Source(kind, str(folder), end)
    return None


def _keras_file(place: Path, end: End, keras: int | None) -> Source | None:
    if place.suffix not in KERAS_ENDINGS or place.name.endswith(_WEIGHTS) or not place.is_file():
        return None
    return Source(Kind.KERAS_FILE, str(place), end, keras=keras or _keras_of(place))


def _keras_of(place: Path) -> int:
    """The Keras that wrote a file: a ``.keras`` archive says it; an HDF5 file of a whole model is Keras 2's."""
    if place.suffix != ".keras":
        return 2
    try:
        with open_regular(place) as raw, zipfile.ZipFile(raw) as archive, archive.open("metadata.json") as member:
            version = str(json.loads(member.read(_MOST_METADATA))["keras_version"])
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
        raise CheckpointError(f"is not a .keras file: {error}", where=str(place)) from error
    return 2 if version.startswith("2.") else 3


def _of_checkpoint(inventory: Inventory, end: End, code: str, keras: int | None) -> Source:
    path = inventory.path
    if inventory.object_based and end == "new":
        if not code and (found := find_application(path)):
            return Source(Kind.APPLICATION, path, end, keras=keras or found.keras, application=found)
        if not code:
            raise CheckpointError("a TF2 checkpoint alone cannot be run", where=path, hint=_code_hint("new"))
        return Source(Kind.OBJECT_CODE, path, end, code, keras or _keras_by_names(inventory))
    if inventory.object_based:
        hint = "the old model is the TF1 one; a TF2 model can stand here as a SavedModel or a .keras file"
        raise CheckpointError("this is a TF2 checkpoint", where=path, hint=hint)
    if end == "new":
        hint = "the new model is a SavedModel, a .keras file, or a TF2 checkpoint with the code of its model"
        raise CheckpointError(f"this is a TF1 {inventory.kind.value}", where=path, hint=hint)
    if inventory.kind not in (Stored.V1, Stored.V2):
        raise CheckpointError(f"this {inventory.kind.value} cannot be run", where=path)
    if code:
        return Source(Kind.GRAPH_CODE, path, end, code)
    if Path(f"{path}.meta").is_file():
        return Source(Kind.META, path, end)
    if net := find_slim_net(inventory):
        return Source(Kind.SLIM, path, end, slim=net)
    raise CheckpointError("a checkpoint without its .meta cannot be run", where=path, hint=_code_hint("old"))


def _code_hint(end: End) -> str:
    return f"name the code that builds its model: {argument(MODEL[end], 'MODULE:FUNCTION')}"


def _keras_by_names(inventory: Inventory) -> int:
    """Keras 3 names its variables otherwise; what is of neither is run as TF_USE_LEGACY_KERAS says, else with 3."""
    if any(mark in name for name in inventory.variables for mark in _KERAS_3_PATHS):
        return 3
    if any("layer_with_weights-" in name for name in inventory.variables):
        return 2
    return 2 if os.environ.get("TF_USE_LEGACY_KERAS") in ("1", "True", "true") else 3


def parse_code(text: str, end: End) -> tuple[str, str]:
    """Module and function of ``module:function``. Raises CkptmapError."""
    module, _, function = text.rpartition(":")
    if not module or not function.isidentifier():
        said = argument(MODEL[end], text)
        raise CkptmapError(f"{said} is not MODULE:FUNCTION", hint="for instance my_models.resnet:build")
    return module, function
