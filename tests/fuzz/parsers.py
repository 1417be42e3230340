"""Every parser of untrusted bytes as one function of bytes: it returns, or raises what the parser promises to raise.

The tables of V2 and V1 checkpoints are protected by checksums, which a fuzzer cannot guess: the first byte of the input
says at which depth the rest stands, and the checksums around it are made right.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from math import prod
from pathlib import Path

import numpy as np

from ckptmap.audit.object_walk import finder
from ckptmap.basics.documents import following, read_document
from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.bundle import BundleSource, read_bundle_index
from ckptmap.checkpoint.bundle_proto import format_header, parse_entry
from ckptmap.checkpoint.crc import crc32c, mask
from ckptmap.checkpoint.data_files import Located
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.folders import read_state
from ckptmap.checkpoint.frozen import FrozenGraphSource
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.checkpoint.leftovers import read_journal
from ckptmap.checkpoint.meta import parse_meta
from ckptmap.checkpoint.object_graph import object_path, variable_key
from ckptmap.checkpoint.object_graph_reading import parse_object_graph, parse_saved_names
from ckptmap.checkpoint.object_graph_writing import format_object_graph
from ckptmap.checkpoint.ordered_code import slice_key
from ckptmap.checkpoint.reader import Source
from ckptmap.checkpoint.sstable import FOOTER_SIZE, MAGIC, Handle, TableWriter
from ckptmap.checkpoint.state import format_state
from ckptmap.checkpoint.v1 import V1Source
from ckptmap.checkpoint.values import checksum, decode, encode
from ckptmap.checkpoint.wire import FormatError
from ckptmap.diff.migrations import migration_of_report
from ckptmap.diff.pairing import Link
from ckptmap.families.detection.label_files import parse_label_map
from ckptmap.families.detection.pipeline import textproto
from ckptmap.families.detection.pipeline.config import parse_config
from ckptmap.families.detection.pipeline.migrate import migrate
from ckptmap.families.detection.pipeline.syntax import walk
from ckptmap.mapping.ops import OperationError, execute, infer
from ckptmap.mapping.tables import load_table
from ckptmap.planning.returning import Forward, plan_return
from ckptmap.report.conversion_document import SCHEMA
from ckptmap.report.formats import Format, render
from ckptmap.report.sheets import check_read
from ckptmap.request.conversion_report import forward_of_report
from tests.fuzz.memory import MemoryFiles

DATA = bytes(range(256)) * 16
"""The data file beside every index."""
HEADER_BLOCK = b"\x00\x00\x06" + format_header(1) + struct.pack("<II", 0, 1)
"""The block of an index that holds its header alone."""


def sealed(body: bytes, compression: int = 0) -> bytes:
    """A block of a table with its trailer."""
    checked = body + bytes([compression])
    return checked + mask(crc32c(checked)).to_bytes(4, "little")


def table_of(block: bytes, index: bytes | None = None) -> bytes:
    """A table of one sealed block; its index block is made, or ``index``."""
    handle = Handle(0, len(block) - 5).encode()
    entry = b"\x00\x01" + bytes([len(handle)]) + b"\xff" + handle + struct.pack("<II", 0, 1)
    last = sealed(entry) if index is None else index
    footer = b"\x00\x00" + Handle(len(block), len(last) - 5).encode()
    return block + last + footer.ljust(FOOTER_SIZE - len(MAGIC), b"\x00") + MAGIC


def table_with(entries: dict[bytes, bytes]) -> bytes:
    """A table of these entries."""
    out = bytearray()
    writer = TableWriter(out.extend)
    for key, value in sorted(entries.items()):
        writer.add(key, value)
    writer.finish()
    return bytes(out)


def pieces(data: bytes) -> Iterator[bytes]:
    """The bytes cut into pieces, each behind its length in one byte, or in two where the first is 255."""
    position = 0
    while position < len(data):
        length, position = data[position], position + 1
        if length == 0xFF:
            length, position = int.from_bytes(data[position : position + 2], "little"), position + 2
        yield data[position : position + length]
        position += length


def joined(*parts: bytes) -> bytes:
    """What :func:`pieces` cuts into ``parts``."""
    return b"".join(
        (bytes([len(part)]) if len(part) < 0xFF else b"\xff" + struct.pack("<H", len(part))) + part for part in parts
    )


def make_table(data: bytes) -> bytes:
    """A table from the input of a fuzzer: a whole one, a block, a Snappy block, an index block, or entries."""
    depth, rest = data[:1], data[1:]
    if depth == b"b":
        return table_of(sealed(rest))
    if depth == b"s":
        return table_of(sealed(rest, 1))
    if depth == b"i":
        return table_of(sealed(HEADER_BLOCK), sealed(rest))
    if depth == b"e":
        cut = list(pieces(rest))
        return table_with(dict(zip(cut[::2], cut[1::2], strict=False)))
    return rest


def read_everything(source: Source) -> None:
    """Every value, whole and in chunks, which must be the same bytes."""
    for variable in source.inventory.variables.values():
        with suppress(CkptmapError):
            value = source.value(variable)
            assert value.shape == variable.shape
            assert b"".join(source.chunks(variable, 100)) == encode(variable.dtype, value)


def _bundle(index: bytes) -> None:
    files = MemoryFiles({"m.index": index, "m.data-00000-of-00001": DATA})
    read_everything(BundleSource(files, read_bundle_index(files, "m"), verify=False))


def index(data: bytes) -> None:
    """V2: ``P.index``, and every value that it leads to."""
    _bundle(make_table(data))


def slices(data: bytes) -> None:
    """V2: partitioned variables, whose parts have keys in OrderedCode: ``name``, entry, parts' entries."""
    name, whole, *parts = [*pieces(data), b"", b""]
    extents = parse_entry(whole).slices
    entries = {slice_key(name, each): part for each, part in zip(extents, parts, strict=False)}
    _bundle(table_with({b"": format_header(1), name or b"v": whole, **entries}))


def v1(data: bytes) -> None:
    """V1: metadata and values in one table."""
    files = MemoryFiles({"m": make_table(data)})
    read_everything(V1Source(files, Located(Kind.V1, "m", ("m",))))


def graph(data: bytes) -> None:
    """Frozen graphs, and SavedModels with one."""
    name = "saved_model.pb" if data[:1] == b"s" else "graph.pb"
    files = MemoryFiles({name: data[1:]})
    read_everything(FrozenGraphSource(files, Located(Kind.FROZEN_GRAPH, name)))


def meta(data: bytes) -> None:
    """``.meta`` files."""
    parse_meta(memoryview(data))


def object_graph(data: bytes) -> None:
    """Object graphs: parsed, walked, and written again."""
    found = parse_object_graph(data)
    assert parse_object_graph(format_object_graph(found)) == found
    find = finder(Inventory(Kind.V2, "m", {}), found)
    for path in ("model/a/b", object_path("model", "x")):
        find(path)
    assert parse_saved_names(data) == found.names
    len(found.root_names)


def strings(data: bytes) -> None:
    """String tensors: the first byte is the number of strings."""
    shape, raw = (data[0] if data else 0,), data[1:]
    array = decode(DType.STRING, shape, raw)
    checksum(DType.STRING, shape, raw)
    again = decode(DType.STRING, shape, encode(DType.STRING, array))
    assert again.tolist() == array.tolist()


def state(data: bytes) -> None:
    """The state file ``checkpoint``."""
    found = read_state("checkpoint", MemoryFiles({"checkpoint": data}))
    if found is not None:
        text = format_state(found.latest, found.kept).encode("utf-8", "surrogateescape")
        assert read_state("checkpoint", MemoryFiles({"checkpoint": text})) is not None


def pipeline(data: bytes) -> None:
    """pipeline.config: read, judged, migrated."""
    text = data.decode("utf-8", "surrogateescape")
    document = textproto.parse(text)
    assert all(0 <= field.start <= field.end <= len(text) for field in walk(document.root))
    migrate(parse_config(text))


def label_map(data: bytes) -> None:
    """``label_map.pbtxt``."""
    assert parse_label_map(data.decode("utf-8", "surrogateescape")).num_classes >= 0


@lru_cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-tables-"))


def table(data: bytes) -> None:
    """Mapping tables."""
    path = _folder() / "table.yaml"
    path.write_bytes(data)
    load_table(path)


def report(data: bytes) -> None:
    """Reports in JSON: in every format, and as what a conversion did."""
    path = _folder() / "report.json"
    path.write_bytes(data)
    document = read_document(path)
    check_read(document, "report.json")
    for form in Format:
        if form is not Format.PARQUET:
            with following(document["schema"]):
                render(document, form)
    if document["schema"] == SCHEMA:
        compute(migration_of_report(document, "report.json").links)
        with suppress(CkptmapError):
            go_back(forward_of_report(document, "report.json"))


def go_back(forward: Forward) -> None:
    """The way back by a report, from a checkpoint that has what the operations make of the sources."""
    variables = {}
    for was in forward.made:
        key = variable_key(was.path)
        tensors = [forward.old[name] for name in was.sources]
        with suppress(OperationError):
            shape, dtype = infer(was.ops, [one.shape for one in tensors], [one.dtype for one in tensors])
            variables[key] = Variable(key, dtype, tuple(shape), 0)
    inventory = Inventory(Kind.V2, "ckpt", variables, object_based=True)
    plan_return(inventory, forward, {})


def compute(links: Iterable[Link]) -> None:
    """The operations of a report's variables, run on small tensors."""
    for link in links:
        tensors = [(shape, DType.FLOAT32) for shape in [(1, 1, 3, 8), (8, 6), (12,)][: len(link.sources)]]
        with suppress(OperationError):
            shape, dtype = infer(link.ops, [shape for shape, _ in tensors], [dtype for _, dtype in tensors])
            if prod(shape) < 1 << 20:
                value = execute(link.ops, [np.ones(shape, np.float32) for shape, _ in tensors])
                assert (value.shape, value.dtype) == (shape, dtype.numpy)


def journal(data: bytes) -> None:
    """The journal of a run that died: it names files of its folder alone."""
    path = _folder() / "journal"
    path.write_bytes(data)
    found = read_journal(path.parent)
    for name in (*found.files, *found.replaced) if found else ():
        assert (path.parent / name).parent == path.parent
        assert (path.parent / name).name == name
        with suppress(FileNotFoundError):
            (path.parent / name).stat()


PARSERS: dict[str, Callable[[bytes], None]] = {
    parser.__name__: parser
    for parser in (
        index,
        slices,
        v1,
        graph,
        meta,
        object_graph,
        strings,
        state,
        pipeline,
        label_map,
        table,
        report,
        journal,
    )
}


def attempt(name: str, data: bytes) -> bool:
    """Whether the parser took the input; False where it refused it as it should. Anything else is a finding."""
    try:
        PARSERS[name](data)
    except (CkptmapError, FormatError):
        return False
    return True
