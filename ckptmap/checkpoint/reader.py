"""One surface over every format: ``open_checkpoint`` finds what a path means and reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from ckptmap.basics.errors import CheckpointError, MissingDataError, NoSuchVariableError
from ckptmap.basics.text import plural
from ckptmap.checkpoint.bundle import BundleSource, read_bundle_index
from ckptmap.checkpoint.files import CHUNK_SIZE, Files, LocalFiles, damage
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY, Inventory, Kind, Span, Variable
from ckptmap.checkpoint.names import nearest, shortened
from ckptmap.checkpoint.paths import locate
from ckptmap.checkpoint.remote import RemoteFiles, is_remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    import numpy as np
    from typing_extensions import Self

    from ckptmap.checkpoint.data_files import Located
    from ckptmap.checkpoint.identity import Stamps
    from ckptmap.checkpoint.lazy_array import LazyArray
    from ckptmap.checkpoint.meta import MetaGraph
    from ckptmap.checkpoint.object_graph import ObjectGraph, SavedNames
    from ckptmap.checkpoint.object_paths import ObjectPaths


_Parsed = TypeVar("_Parsed")


class Source(Protocol):
    """A format behind the surface: what it holds and how its values are read."""

    inventory: Inventory

    def value(self, variable: Variable) -> np.ndarray:
        """The whole value of ``variable``."""

    def chunks(self, variable: Variable, size: int) -> Iterator[bytes]:
        """The bytes of the value as a V2 bundle stores them."""


@runtime_checkable
class RowSource(Protocol):
    """A format that spares reading all of a value where some rows of it are wanted."""

    def rows(self, variable: Variable, axis: int, start: int, stop: int) -> np.ndarray:
        """The indices ``start <= i < stop`` of one axis."""


@runtime_checkable
class ClosingSource(Protocol):
    """A format that holds files of its own open."""

    def close(self) -> None:
        """Closes them."""


class Checkpoint(Mapping[str, "LazyArray"]):
    """An open checkpoint; a context manager that closes its files.

    It is a mapping: ``len(checkpoint)``, ``for name in checkpoint``, ``checkpoint[name]`` (read when it is used).
    ``inventory`` lists the variables with dtype and shape. Not for several threads at once.
    """

    __hash__ = object.__hash__
    __eq__ = object.__eq__

    def __init__(self, source: Source, files: Files, *, verify: bool = True) -> None:
        self._source = source
        self._files = files
        self.verify = verify
        """Whether checksums are compared when values are read."""
        self._named: Inventory | None = None
        self._keys: Mapping[str, str] = {}

    @property
    def inventory(self) -> Inventory:
        """Every variable: name, dtype, shape, where its bytes lie."""
        return self._named or self._source.inventory

    def name_variables(self) -> None:
        """From now on variables go by readable names where the file has such; ``inventory.names`` holds the others.

        Those of an object-based checkpoint are read from its data file; where that is not there, keys are all names.

        Raises:
            CheckpointError: the object graph is damaged.
        """
        try:
            known = self.object_paths()
        except MissingDataError:
            return
        if known is not None:
            from ckptmap.checkpoint.naming import named

            self._named, self._keys = named(self._source.inventory, known)

    def read(self, name: str) -> np.ndarray:
        """The value of ``name``, its checksum compared; strings as an object array of ``bytes``; possibly read-only.

        Raises:
            CheckpointError: no such variable, a missing or damaged data file.
        """
        return self._source.value(self._variable(name))

    def chunks(self, name: str, size: int = CHUNK_SIZE) -> Iterator[bytes]:
        """The bytes of ``name`` as a V2 bundle stores them, in pieces of at most ``size`` where that is possible.

        Strings, and variables that are cut in more than the first dimension, come in one piece. The checksum is
        compared behind the last piece: use nothing before the iterator has ended.

        Raises:
            CheckpointError: no such variable, a missing or damaged data file.
        """
        return self._source.chunks(self._variable(name), size)

    def rows(self, name: str, axis: int, start: int, stop: int) -> np.ndarray:
        """The indices ``start <= i < stop`` of one axis of ``name``; not every format spares reading the rest.

        Checksums need whole values: here they are not compared, ``chunks`` does it.

        Raises:
            CheckpointError: no such variable, a missing or damaged data file.
        """
        variable = self._variable(name)
        if isinstance(self._source, RowSource):
            return self._source.rows(variable, axis, start, stop)
        return self._source.value(variable)[(slice(None),) * axis + (slice(start, stop),)]

    def fetch(self, names: Iterable[str], *, instead: bool = False) -> None:
        """Brings the values of a remote checkpoint to this machine, in large ranges and several at a time.

        It does nothing where the files are here, or the format does not say where its values lie. They stay here until
        ``close``, or until others are brought ``instead``.

        Raises:
            CheckpointError: no such variable; a data file is missing, too short, or cannot be read.
        """
        if isinstance(self._source, BundleSource) and isinstance(self._files, RemoteFiles):
            if instead:
                self._files.close()
            self._files.fetch(place for name in names for place in self._source.places(self._variable(name)))

    def stored(self, name: str, reaches: Callable[[str], bool] = lambda _: False) -> tuple[str, Span] | None:
        """The file on this machine, and the place in it, where the bytes of ``name`` lie whole as a V2 bundle has them.

        None where there is no such place: a partitioned variable, a V1 checkpoint, a frozen graph, a remote file that
        ``reaches`` does not speak for; and where checksums are not compared, so that none is handed on.

        Raises:
            CheckpointError: no such variable; the data file is missing, something else, or too short.
        """
        if not isinstance(self._source, BundleSource):
            return None
        place = self._source.stored(self._variable(name))
        return place if place is None or isinstance(self._files, LocalFiles) or reaches(place[0]) else None

    def refuse_absent_data(self) -> None:
        """Refuses to promise anything of values whose data files are not all there; none of them is read.

        Raises:
            CheckpointError: a data file is missing, no regular file, a Git-LFS pointer, or too short for the index.
        """
        if isinstance(self._source, BundleSource):
            self._source.refuse_absent_data()

    def object_graph(self) -> ObjectGraph | None:
        """The object graph of a checkpoint that tf.train.Checkpoint wrote; None for one of names.

        Raises:
            CheckpointError: the graph cannot be read (it lies in the data file).
        """
        from ckptmap.checkpoint.object_graph_reading import parse_object_graph

        return self._from_graph(parse_object_graph)

    def saved_names(self) -> SavedNames | None:
        """What the object graph says of the variables alone; None for a checkpoint of names.

        Raises:
            CheckpointError: the graph cannot be read (it lies in the data file).
        """
        from ckptmap.checkpoint.object_graph_reading import parse_saved_names

        return self._from_graph(parse_saved_names)

    def object_paths(self) -> ObjectPaths | None:
        """The paths of the model's own objects to its variables; None for a checkpoint of names.

        Raises:
            CheckpointError: the graph cannot be read (it lies in the data file).
        """
        from ckptmap.checkpoint.object_graph_reading import parse_object_graph
        from ckptmap.checkpoint.object_paths import object_paths
        from ckptmap.checkpoint.usual_paths import usual_paths

        return self._from_graph(lambda data: usual_paths(data) or object_paths(parse_object_graph(data)))

    def readable_names(self) -> dict[str, str]:
        """The readable name that each variable was saved with, by its name here: ``conv_1/kernel`` of an object path.

        Empty for a checkpoint of names, and where the object graph cannot be read: then keys are all that is known.
        """
        try:
            saved = self.saved_names()
        except CheckpointError:
            return {}
        held = self.inventory.variables
        return {key: name for key, name in saved.full_names.items() if name and key in held} if saved else {}

    def meta(self) -> MetaGraph | None:
        """What the ``.meta`` file beside a TF1 checkpoint knows; None where there is none.

        Raises:
            CheckpointError: the file is something else or damaged.
        """
        if self.inventory.kind not in (Kind.V1, Kind.V2):
            return None
        from ckptmap.checkpoint.meta import read_meta

        return read_meta(self._files, f"{self.inventory.path}.meta")

    def digests(self) -> dict[str, str]:
        """The SHA-256 of the files that decide every value, by their names: of a V2 bundle, the index."""
        from ckptmap.checkpoint.identity import digests

        return digests(self._files, self.inventory)

    def stamps(self) -> Stamps:
        """What would change if somebody wrote to the checkpoint, for ``refuse_changed``."""
        from ckptmap.checkpoint.identity import stamps

        return stamps(self._files, self.inventory)

    def refuse_changed(self, before: Stamps) -> None:
        """Refuses to go on where a file is not what it was at the time of ``before``.

        Raises:
            CheckpointError: one is not; the message names it.
        """
        from ckptmap.checkpoint.identity import refuse_changed

        refuse_changed(self._files, self.inventory, before)

    def __len__(self) -> int:
        return len(self.inventory.variables)

    def __iter__(self) -> Iterator[str]:
        return iter(self.inventory.variables)

    def __contains__(self, name: object) -> bool:
        return name in self.inventory.variables

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, name: str) -> LazyArray:
        """The variable ``name``, read when it is used.

        Raises:
            NoSuchVariableError: there is none; a CheckpointError and a KeyError.
        """
        from ckptmap.checkpoint.lazy_array import LazyArray

        if name not in self.inventory.variables:
            raise self._none_such(name)
        return LazyArray(self, self.inventory.variables[name])

    def __repr__(self) -> str:
        count = plural(len(self), "variable")
        return f"<{self.inventory.kind.value} {shortened(self.inventory.path)}: {count}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: what it is, and its first variables."""
        from ckptmap.checkpoint.notebook import inventory_card

        return inventory_card(self.inventory)

    def close(self) -> None:
        """Closes every open file."""
        if isinstance(self._source, ClosingSource):
            self._source.close()
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _from_graph(self, parse: Callable[[bytes], _Parsed]) -> _Parsed | None:
        """What ``parse`` makes of the serialized object graph; None where there is none."""
        if OBJECT_GRAPH_KEY not in self.inventory.variables:
            return None
        from ckptmap.checkpoint.values import split_strings

        raw = b"".join(self.chunks(OBJECT_GRAPH_KEY))
        with damage(self.inventory.path):
            (graph,), _ = split_strings(raw, 1)
            return parse(graph)

    def _variable(self, name: str) -> Variable:
        variable = self._source.inventory.variables.get(self._keys.get(name, name))
        if variable is None:
            raise self._none_such(name)
        return variable

    def _none_such(self, name: str) -> NoSuchVariableError:
        hint = nearest(name, self.inventory.variables) or "ckptmap inspect lists its variables"
        return NoSuchVariableError(
            f"holds no variable {shortened(name)}", where=shortened(self.inventory.path), hint=hint
        )


def open_checkpoint(path: str | os.PathLike[str], *, verify: bool = True, step: int | None = None) -> Checkpoint:
    """Opens whatever checkpoint ``path`` means; only its index is read.

    Args:
        path: a prefix, an ``.index``, ``.data-…`` or ``.meta`` file, a V1 file, a frozen graph, a SavedModel, a file
            of Keras (``.weights.h5``, ``.h5``, ``.keras``) or of safetensors, or a directory; on this machine, or a URL
            such as ``gs://bucket/model.ckpt``.
        verify: compare checksums when values are read.
        step: of the checkpoints in a directory, the one of this step instead of the latest.

    Raises:
        CheckpointError: nothing there, something else, or a damaged file; the message says what to do.
    """
    place = os.fspath(path)
    files = _files_for(place)
    try:
        found = locate(place, files, step)
        return Checkpoint(_open(files, found, verify=verify), files, verify=verify)
    except BaseException:
        files.close()
        raise


def _open(files: Files, found: Located, *, verify: bool) -> Source:
    """The source for what was found; the rarer formats are imported when they are met."""
    if found.kind is Kind.V1:
        from ckptmap.checkpoint.v1 import V1Source

        return V1Source(files, found)
    if found.kind is Kind.FROZEN_GRAPH:
        from ckptmap.checkpoint.frozen import FrozenGraphSource

        return FrozenGraphSource(files, found)
    if found.kind is Kind.KERAS:
        from ckptmap.checkpoint.keras import KerasSource

        return KerasSource(files, found)
    if found.kind is Kind.SAFETENSORS:
        from ckptmap.checkpoint.safetensors import SafetensorsSource

        return SafetensorsSource(files, found)
    return BundleSource(files, read_bundle_index(files, found.path, found.kind, found.notes), verify=verify)


def _files_for(path: str) -> Files:
    if not is_remote(path):
        return LocalFiles()
    return RemoteFiles(path)
