"""Whether two paths are those of detectors, which ``verify`` knows more of, or of any two models."""

from __future__ import annotations

from pathlib import Path

from ckptmap.basics.regular import read_regular
from ckptmap.checkpoint.folders import SAVED_MODEL_FILE
from ckptmap.checkpoint.wire import Bytes, FormatError, as_bytes, read_fields
from ckptmap.families.detection.config_files import find_config
from ckptmap.tf.verify.general.source import KERAS_ENDINGS
from ckptmap.tf.verify.sources import BOXES, IMAGE, node_names

_META_GRAPHS, _GRAPH = 2, 2  # tensorflow/core/protobuf/saved_model.proto, meta_graph.proto


def are_detectors(old: Path | str, new: Path | str) -> bool:
    """Whether a pipeline.config lies beside either, or the old graph takes images and gives boxes."""
    before, after = Path(old), Path(new)
    if after.suffix in KERAS_ENDINGS or before.suffix in KERAS_ENDINGS:
        return False
    if any(find_config(place if place.is_dir() else place.parent) is not None for place in (before, after)):
        return True
    return any(_gives_boxes(file) for file in _graphs(before))


def _graphs(place: Path) -> list[Path]:
    """The files below a path that hold a graph."""
    if place.is_dir():
        inside = [*place.glob("*.pb"), *place.glob("*.meta"), place / "saved_model" / SAVED_MODEL_FILE]
        return [file for file in inside if file.is_file()]
    return [file for file in (place, Path(f"{place}.meta")) if file.suffix in (".pb", ".meta") and file.is_file()]


def _gives_boxes(file: Path) -> bool:
    """What cannot be read is told by who runs it."""
    try:
        data: Bytes = memoryview(read_regular(file))
        if file.name == SAVED_MODEL_FILE:
            metas = [as_bytes(value) for number, value in read_fields(data) if number == _META_GRAPHS]
            graphs = [graph for meta in metas for graph in _graphs_of(meta)]
        else:
            graphs = _graphs_of(data) if file.suffix == ".meta" else [data]
        return any({IMAGE, BOXES} <= set(node_names(graph)) for graph in graphs)
    except FormatError:
        return False


def _graphs_of(meta: Bytes) -> list[Bytes]:
    return [as_bytes(value) for number, value in read_fields(meta) if number == _GRAPH]
