"""The graph of the new model, whatever file says it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.files import LocalFiles, damage, read_message
from ckptmap.checkpoint.folders import SAVED_MODEL_FILE
from ckptmap.suggest.keras_graph import keras_flow, read_keras_graph
from ckptmap.suggest.saved_graph import SavedGraph, parse_saved_model, saved_flow

if TYPE_CHECKING:
    from ckptmap.suggest.graphs import Flow
    from ckptmap.suggest.layer_values import Layer

NewGraph = Mapping[str, Sequence[str]] | SavedGraph
"""The layers of a Keras model with those before each, or the function of a SavedModel."""


def read_new_graph(path: str | os.PathLike[str]) -> NewGraph:
    """The graph in a file: ``model.to_json()``, ``model.keras``, or a SavedModel (its folder or ``saved_model.pb``).

    Raises:
        CkptmapError: the file holds none.
    """
    file = _saved_model(Path(path))
    if file is None:
        return read_keras_graph(path)
    found = _parsed(file)
    if found is None:
        hint = "save it with a signature, or give model.to_json()"
        raise CkptmapError("has no function that reads variables", where=str(file), hint=hint)
    return found


def saved_graph_of(template: str | os.PathLike[str]) -> NewGraph | None:
    """The graph of a template that is a SavedModel; None for any other, and where it says none."""
    place = Path(template)
    candidates = (place, place.parent, place.parent.parent) if place.name.startswith("variables") else (place,)
    file = next(filter(None, map(_saved_model, candidates)), None)
    try:
        return _parsed(file) if file is not None else None
    except CkptmapError:
        return None


def _saved_model(place: Path) -> Path | None:
    for file in (place, place / SAVED_MODEL_FILE, place / "saved_model" / SAVED_MODEL_FILE):
        if file.name == SAVED_MODEL_FILE and file.is_file():
            return file
    return None


def _parsed(file: Path) -> SavedGraph | None:
    files = LocalFiles()
    try:
        with damage(str(file)):
            return parse_saved_model(read_message(files, str(file)))
    finally:
        files.close()


def new_flow(graph: NewGraph, layers: Sequence[Layer]) -> Flow | None:
    """Which of ``layers`` lie before which; None where the graph does not know them."""
    if isinstance(graph, SavedGraph):
        return saved_flow(graph, layers)
    return keras_flow(graph, layers) if graph else None
