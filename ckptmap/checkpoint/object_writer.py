"""What ``tf.train.Checkpoint(model=…).save`` would leave behind, from streams of bytes.

``restore(prefix).assert_consumed()`` wants the object graph, and ``save_counter`` beside the model; the exporters look
the checkpoint up in the ``checkpoint`` state file.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY
from ckptmap.checkpoint.object_graph import SAVE_COUNTER, object_path, variable_key
from ckptmap.checkpoint.object_graph_writing import smallest_graph
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.writer import BundleWriter, Written, write_state

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ckptmap.checkpoint.inventory import Span


class ObjectValue(NamedTuple):
    """One variable to write.

    Either ``chunks`` holds its bytes as a bundle stores them, consumed once when its turn comes (a generator reads
    nothing before), or ``stored`` names the (path, span) of a data file to copy them from, or ``adopted`` the
    (shard, span) of an adopted file where they lie.
    """

    full_name: str
    """The variable's readable name, such as ``block_1_expand/kernel``."""
    dtype: DType
    shape: tuple[int, ...]
    chunks: Iterable[bytes | memoryview] = ()
    expected: int | None = None
    """The CRC-32C that the bytes must have, where it is known."""
    stored: tuple[str, Span] | None = None
    adopted: tuple[int, Span] | None = None


def add_objects(
    writer: BundleWriter,
    root: str,
    values: Iterable[tuple[str, ObjectValue]],
    *,
    links: Mapping[str, str] = MappingProxyType({}),
    save_counter: int = 1,
    copied: Callable[[int], None] | None = None,
) -> dict[str, Written]:
    """Writes the variables of a model, ``save_counter`` and the object graph; the order of ``values`` is kept.

    Args:
        writer: takes the values; the caller finishes it.
        root: the name that the model has in the tf.train.Checkpoint, such as ``model`` or ``feature_extractor``;
            empty where the paths in ``values`` start at the checkpoint itself.
        values: each variable behind its object path below the root, parts escaped as in a checkpoint key and joined by
            ``/``, such as ``_feature_extractor/classification_backbone/layer_with_weights-0/kernel``; consumed once.
        links: further object paths below the root, each with the one in ``values`` that leads to the same object.
        save_counter: how often the checkpoint claims to have been saved.
        copied: called with the size of each ``stored`` value once it is copied.

    Returns:
        Size and checksum of each value by its checkpoint key, adopted ones included.

    Raises:
        ValueError: bytes that do not fill their shape.
        CheckpointError: bytes that do not have the expected checksum.
        OutputError: a file cannot be written.
    """
    names: dict[str, str] = {}

    def keyed() -> Iterator[tuple[str, ObjectValue]]:
        for path, value in values:
            place = object_path(root, path)
            names[place] = value.full_name
            yield variable_key(place), value

    written = add_values(writer, keyed(), copied=copied)
    counter = ObjectValue(SAVE_COUNTER, DType.INT64, (), [save_counter.to_bytes(8, "little")])
    written[variable_key(SAVE_COUNTER)] = _add(writer, variable_key(SAVE_COUNTER), counter)
    further = {object_path(root, link): object_path(root, path) for link, path in links.items()}
    names[SAVE_COUNTER] = SAVE_COUNTER
    graph = bytearray()
    for piece in smallest_graph(names, further):
        graph += piece
    writer.add_string(OBJECT_GRAPH_KEY, graph)
    return written


def add_values(
    writer: BundleWriter, values: Iterable[tuple[str, ObjectValue]], *, copied: Callable[[int], None] | None = None
) -> dict[str, Written]:
    """Writes values behind their keys, and nothing beside them; the order is kept, and ``values`` consumed once.

    Of names, this is all that a TF1 ``Saver`` would write.

    Args:
        writer: takes the values; the caller finishes it.
        values: each variable behind its key in the index.
        copied: called with the size of each ``stored`` value once it is copied.

    Returns:
        Size and checksum of each value by its key, adopted ones included.

    Raises:
        ValueError: bytes that do not fill their shape.
        CheckpointError: bytes that do not have the expected checksum.
        OutputError: a file cannot be written.
    """
    written = {}
    for key, value in values:
        written[key] = _add(writer, key, value)
        if copied is not None and value.stored is not None:
            copied(written[key].size)
    return written


def _add(writer: BundleWriter, key: str, value: ObjectValue) -> Written:
    if value.stored is not None:
        return writer.add_stored(key, value.dtype, value.shape, *value.stored)
    if value.adopted is None:
        return writer.add(key, value.dtype, value.shape, value.chunks, expected=value.expected)
    shard, span = value.adopted
    writer.refer(key, value.dtype, value.shape, shard, span)
    return Written(span.size, span.crc32c or 0)


def write_object_checkpoint(
    prefix: str | os.PathLike[str], root: str, values: Mapping[str, ObjectValue], *, save_counter: int = 1
) -> dict[str, Written]:
    """Writes a whole checkpoint: data file, index and state file appear together or not at all.

    Args:
        prefix: folder and name, such as ``new/ckpt-0``; the folder is made where it does not exist.
        root: see ``add_objects``, as for ``values`` and ``save_counter``.
        values: the variables.
        save_counter: how often the checkpoint claims to have been saved.

    Returns:
        Size and checksum of each value by its checkpoint key.

    Raises:
        ValueError: bytes that do not fill their shape.
        CheckpointError: bytes that do not have the expected checksum.
        OutputError: a file cannot be written.
    """
    place = Path(prefix)
    with Staging(place.parent) as staging:
        with BundleWriter(staging, place.name) as writer:
            written = add_objects(writer, root, values.items(), save_counter=save_counter)
            writer.finish()
        write_state(staging, place.name)
        staging.commit()
    return written
