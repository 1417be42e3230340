"""``.meta`` files: what only the graph knows of a checkpoint (tensorflow/core/protobuf/meta_graph.proto)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.checkpoint.file_kind import refuse
from ckptmap.checkpoint.files import Files, damage, read_message
from ckptmap.checkpoint.wire import Bytes, as_bytes, as_text, bounded, read_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

_INFO, _COLLECTION = 1, 4
_TENSORFLOW_VERSION = 5
_NODE_LIST, _BYTES_LIST = 1, 2
_COLLECTIONS = ("variables", "trainable_variables", "moving_average_variables")


@dataclass(frozen=True, slots=True)
class MetaGraph:
    """What a ``.meta`` file tells; names are those of the checkpoint, without ``:0``."""

    tensorflow_version: str
    """Of the TensorFlow that wrote it, such as ``1.15.0``; empty where it does not say."""
    variables: tuple[str, ...]
    """The collection ``variables``: global variables, in the graph's order; exports leave it out."""
    trainable: tuple[str, ...]
    """The collection ``trainable_variables``."""
    moving_averages: tuple[str, ...]
    """The variables that an exponential moving average follows (collection ``moving_average_variables``)."""


def read_meta(files: Files, path: str) -> MetaGraph | None:
    """The facts in the file at ``path``; None where there is no such file.

    Raises:
        CheckpointError: it is something else or damaged.
    """
    if files.size(path) is None:
        return None
    refuse(files, path)
    with damage(path):
        return parse_meta(read_message(files, path))


def parse_meta(data: Bytes) -> MetaGraph:
    """The facts in a serialized MetaGraphDef.

    Raises:
        FormatError: a malformed message.
    """
    version = ""
    collections: dict[str, tuple[str, ...]] = {}
    for number, value in read_fields(data):
        if number == _INFO:
            texts = [as_text(text) for place, text in read_fields(as_bytes(value)) if place == _TENSORFLOW_VERSION]
            version = texts[-1] if texts else ""
        elif number == _COLLECTION:
            fields = dict(read_fields(as_bytes(value)))
            name = as_text(fields.get(1, b""))
            if name in _COLLECTIONS:
                collections[name] = tuple(bounded(_names(as_bytes(fields.get(2, b""))), "variables"))
    return MetaGraph(version, *(collections.get(name, ()) for name in _COLLECTIONS))


def _names(collection: Bytes) -> Iterator[str]:
    """The variables of a collection: VariableDef messages, or in old files plain names."""
    for number, value in read_fields(collection):
        if number in (_NODE_LIST, _BYTES_LIST):
            for place, item in read_fields(as_bytes(value)):
                if place == 1:
                    yield _variable_name(as_bytes(item)) if number == _BYTES_LIST else _plain(as_text(item))


def _variable_name(data: Bytes) -> str:
    """The name in a VariableDef: of the whole variable where this is a part of it."""
    fields = dict(read_fields(data))
    part = dict(read_fields(as_bytes(fields[4]))) if 4 in fields else {}
    return _plain(as_text(part.get(1, fields.get(1, b""))))


def _plain(name: str) -> str:
    return name.removesuffix(":0")
