"""Checkpoints of a given size, the template to convert them to, and the table between."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from pathlib import Path

from ckptmap.checkpoint.bundle import data_path, index_path
from ckptmap.checkpoint.bundle_proto import HEADER_KEY, Entry, format_entry, format_header
from ckptmap.checkpoint.crc import crc32c
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY
from ckptmap.checkpoint.object_graph import VALUE_SUFFIX
from ckptmap.checkpoint.object_graph_writing import build_object_graph, format_object_graph
from ckptmap.checkpoint.sstable import TableWriter
from ckptmap.checkpoint.values import checksum, join_strings

_ITEM = DType.FLOAT32.itemsize or 4
_CHUNK = 1 << 24
_MANY = 10_000
LEAVES = (("weights", "kernel"), ("biases", "bias"))
"""The variables of a layer of which a draft is made."""


class Models(Enum):
    """What is run in place of checkpoints that are converted."""

    TWO = "two networks of Keras with the same weights, to be compared"
    DETECTOR = "a converted detector, to be exported"


@dataclass(frozen=True, slots=True)
class Case:
    """One checkpoint: ``size`` bytes in ``variables`` vectors, mapped by ``rules`` rules, an equal share by each.

    ``sparse``: zeros that take no room on the disk. ``copies`` are so many of its kind. ``leaves`` are the variables of
    a layer, as the old model and as the new one call them. ``models``: no checkpoints, but models to run.
    """

    name: str
    size: int
    variables: int
    sparse: bool = False
    rules: int = 1
    copies: int = 1
    leaves: tuple[tuple[str, str], ...] = (("weights", "kernel"),)
    models: Models | None = None

    @property
    def length(self) -> int:
        """The values of one variable."""
        return self.size // self.variables // _ITEM

    @property
    def layers(self) -> list[tuple[int, int]]:
        """The scope and the number of each layer."""
        return [(number % self.rules, number // self.rules) for number in range(self.variables // len(self.leaves))]

    @property
    def names(self) -> list[str]:
        """The variables of the old model."""
        return [f"net{scope}/layer_{number}/{old}" for scope, number in self.layers for old, _ in self.leaves]

    @property
    def paths(self) -> list[str]:
        """Those of the new one, in the same order."""
        return [f"model/net{scope}/layer_{number}/{new}" for scope, number in self.layers for _, new in self.leaves]

    @property
    def clones(self) -> bool:
        """Whether it is measured on a file system that clones files too."""
        return self.copies == 1 and len(self.leaves) == 1 and not self.models

    @property
    def table(self) -> str:
        """The mapping table, as YAML."""
        rules = "".join(
            f'  - {{from: "net{rule}/layer_{{i}}/{old}", to: "model/net{rule}/layer_{{i}}/{new}"}}\n'
            for rule in range(self.rules)
            for old, new in self.leaves
        )
        return f"where: {{i: int}}\nvariables:\n{rules}"

    def reduced(self) -> Case:
        """The same a hundredth as large, and with a tenth of the variables where they are many."""
        variables = self.variables if self.variables <= _MANY else self.variables // 10
        return replace(self, size=max(self.size // 100, variables * _ITEM), variables=variables)


@dataclass(frozen=True, slots=True)
class Files:
    """Where the files of a case are; ``twin`` is the same checkpoint again, with a data file of its own."""

    source: Path
    twin: Path
    template: Path
    table: Path

    @property
    def data(self) -> Path:
        """The one data file of the source."""
        return Path(data_path(str(self.source), 0, 1))

    @property
    def copy(self) -> Path:
        """The data file of the twin."""
        return Path(data_path(str(self.twin), 0, 1))


def files_in(folder: Path) -> Files:
    """Where ``make`` writes."""
    return Files(folder / "old" / "model.ckpt", folder / "twin" / "model.ckpt", folder / "new" / "t", folder / "t.yaml")


def make(case: Case, folder: Path) -> Files:
    """Writes the checkpoints of ``case`` into ``folder``."""
    files = files_in(folder)
    for prefix in (files.source, files.twin, files.template):
        prefix.parent.mkdir(parents=True, exist_ok=True)
    checksums = list(_write_data(case, files.data))
    _write_index(files.source, _entries(case, case.names, checksums))
    if case.sparse:
        os.link(files.data, files.copy)
    else:
        shutil.copyfile(files.data, files.copy)
    _write_index(files.twin, _entries(case, case.names, checksums))
    _write_template(case, files.template, checksums)
    files.table.write_text(case.table, encoding="ascii")
    return files


def _write_data(case: Case, path: Path) -> Iterator[int]:
    """Writes the values; gives the checksum of each."""
    size = case.length * _ITEM
    with path.open("wb") as handle:
        if case.sparse:
            handle.truncate(size * case.variables)
            yield from [_checksum_of_zeros(size)] * case.variables
            return
        for _ in range(case.variables):
            crc = 0
            for start in range(0, size, _CHUNK):
                piece = os.urandom(min(_CHUNK, size - start))
                crc = crc32c(piece, crc)
                handle.write(piece)
            yield crc
        handle.flush()
        os.fsync(handle.fileno())


@lru_cache
def _checksum_of_zeros(size: int) -> int:
    crc = 0
    for start in range(0, size, _CHUNK):
        crc = crc32c(bytes(min(_CHUNK, size - start)), crc)
    return crc


def _entries(case: Case, names: list[str], checksums: list[int]) -> dict[str, Entry]:
    size = case.length * _ITEM
    return {
        name: Entry(DType.FLOAT32.number, (case.length,), 0, at * size, size, crc)
        for at, (name, crc) in enumerate(zip(names, checksums, strict=True))
    }


def _write_template(case: Case, prefix: Path, checksums: list[int]) -> None:
    """A TF2 checkpoint whose values are a hole in its file: a template's are never read, but for the object graph."""
    paths = case.paths
    graph = join_strings([format_object_graph(build_object_graph({path: path for path in paths}))])
    with Path(data_path(str(prefix), 0, 1)).open("wb") as handle:
        handle.write(graph)
        handle.truncate(max(len(graph), case.length * _ITEM * case.variables))
    entries = _entries(case, [path + VALUE_SUFFIX for path in paths], checksums)
    crc = checksum(DType.STRING, (), graph)
    _write_index(prefix, {**entries, OBJECT_GRAPH_KEY: Entry(DType.STRING.number, (), 0, 0, len(graph), crc)})


def _write_index(prefix: Path, entries: dict[str, Entry]) -> None:
    with Path(index_path(str(prefix))).open("wb") as handle:
        table = TableWriter(handle.write)
        table.add(HEADER_KEY, format_header(1))
        for name, entry in sorted(entries.items()):
            table.add(name.encode(), format_entry(entry))
        table.finish()
