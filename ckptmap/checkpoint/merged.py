"""Several checkpoints read as one: their variables side by side, each called with the checkpoint that it is of."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.files import CHUNK_SIZE, LocalFiles
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.naming import distinct, part_name
from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import numpy as np

    from ckptmap.checkpoint.identity import Stamps
    from ckptmap.checkpoint.inventory import Inventory, Span, Variable

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def open_sources(
    first: str | os.PathLike[str], others: Mapping[str, str | os.PathLike[str]], *, verify: bool = True
) -> Checkpoint:
    """The checkpoint at ``first``, or what it makes together with ``others``, which are named for the rules.

    Variables go by readable names where the file has such. Those of the others have the name of their checkpoint and a
    colon in front; a table may leave it out where only one checkpoint has a variable of the name.

    Raises:
        CheckpointError: one of them cannot be read.
        CkptmapError: a name that is none, or that makes two variables one.
    """
    for label in others:
        if not _LABEL.fullmatch(label):
            hint = "letters, digits, - and _, a letter first"
            raise CkptmapError(f"{shortened(label)!r} cannot name a checkpoint", hint=hint)
    with ExitStack() as opened:
        parts = {}
        for label, path in {"": first, **others}.items():
            parts[label] = opened.enter_context(open_checkpoint(path, verify=verify))
            parts[label].name_variables()
        whole = MergedCheckpoint(parts, verify=verify) if others else parts[""]
        opened.pop_all()
        return whole


class MergedCheckpoint(Checkpoint):
    """Open checkpoints as one, by what each is called; the first has no name. Closing it closes all."""

    def __init__(self, parts: Mapping[str, Checkpoint], *, verify: bool) -> None:
        self._parts = parts
        self._places = {
            part_name(label, name): (part, name) for label, part in parts.items() for name in part.inventory.variables
        }
        merged = _merged({label: part.inventory for label, part in parts.items()})
        if len(self._places) < sum(len(part.inventory.variables) for part in parts.values()):
            message = "a variable has a name that a variable of a named checkpoint would have"
            raise CkptmapError(message, where=shortened(merged.path), hint="give that checkpoint another name")
        super().__init__(_Nowhere(merged), LocalFiles(), verify=verify)

    def read(self, name: str) -> np.ndarray:
        """The value, from the checkpoint that has it."""
        part, own = self._place(name)
        return part.read(own)

    def chunks(self, name: str, size: int = CHUNK_SIZE) -> Iterator[bytes]:
        """The bytes, from the checkpoint that has them."""
        part, own = self._place(name)
        return part.chunks(own, size)

    def rows(self, name: str, axis: int, start: int, stop: int) -> np.ndarray:
        """Some rows, from the checkpoint that has them."""
        part, own = self._place(name)
        return part.rows(own, axis, start, stop)

    def stored(self, name: str, reaches: Callable[[str], bool] = lambda _: False) -> tuple[str, Span] | None:
        """The place of the bytes in a data file of their checkpoint."""
        part, own = self._place(name)
        return part.stored(own, reaches)

    def fetch(self, names: Iterable[str], *, instead: bool = False) -> None:
        """Brings the values to this machine, from each checkpoint its own."""
        wanted: dict[int, tuple[Checkpoint, list[str]]] = {}
        for name in names:
            part, own = self._place(name)
            wanted.setdefault(id(part), (part, []))[1].append(own)
        for part, own_names in wanted.values():
            part.fetch(own_names, instead=instead)

    def refuse_absent_data(self) -> None:
        """Looks at the data files of all."""
        for part in self._parts.values():
            part.refuse_absent_data()

    def digests(self) -> dict[str, str]:
        """Those of all, each file by its checkpoint and its name."""
        return {
            part_name(label, name): digest
            for label, part in self._parts.items()
            for name, digest in part.digests().items()
        }

    def stamps(self) -> Stamps:
        """Those of all; equal paths are equal files."""
        return {path: stamp for part in self._parts.values() for path, stamp in part.stamps().items()}

    def refuse_changed(self, before: Stamps) -> None:
        """Refuses where a file of any of them has changed."""
        for part in self._parts.values():
            part.refuse_changed(before)

    def close(self) -> None:
        """Closes all."""
        for part in self._parts.values():
            part.close()

    def _place(self, name: str) -> tuple[Checkpoint, str]:
        if name not in self._places:
            self._variable(name)  # it says which names are near
        return self._places[name]


class _Nowhere:
    """A source that lists variables whose values are elsewhere."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory

    def value(self, variable: Variable) -> np.ndarray:
        """Never asked for."""
        raise NotImplementedError(variable.name)

    def chunks(self, variable: Variable, size: int) -> Iterator[bytes]:
        """Never asked for."""
        raise NotImplementedError(variable.name, size)


def _merged(parts: Mapping[str, Inventory]) -> Inventory:
    first = next(iter(parts.values()))
    variables = {
        part_name(label, name): variable._replace(name=part_name(label, name))
        for label, part in parts.items()
        for name, variable in part.variables.items()
    }
    also = (f"{label} is {part.path} ({part.kind.value})" for label, part in parts.items() if label)
    return replace(
        first,
        variables=dict(sorted(variables.items())),
        data_files=tuple(file for part in parts.values() for file in part.data_files),
        object_based=any(part.object_based for part in parts.values()),
        notes=(*(note for part in parts.values() for note in part.notes), *also),
        names=_names(parts),
        parts=dict(parts),
    )


def _names(parts: Mapping[str, Inventory]) -> dict[str, tuple[str, ...]]:
    """The further names of each: its own behind the checkpoint's name, and without it where only one has them."""
    known = {}
    for label, part in parts.items():
        for name in part.variables:
            own = (name, *part.names.get(name, ()))
            known[part_name(label, name)] = (*(part_name(label, each) for each in own), *own)
    return {name: tuple(each for each in others if each != name) for name, others in distinct(known).items()}
