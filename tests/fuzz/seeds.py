"""The seeds of the fuzzers: small inputs that each parser takes; ``python -m tests.fuzz.seeds`` writes ``corpus/``."""

from __future__ import annotations

import struct
from pathlib import Path

import cramjam
import numpy as np

from ckptmap.checkpoint.bundle_proto import Entry, Extents, format_entry, format_header
from ckptmap.checkpoint.crc import crc32c
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.object_graph import Child, Node, ObjectGraph, SavedTensor, SlotReference
from ckptmap.checkpoint.object_graph_writing import format_object_graph
from ckptmap.checkpoint.ordered_code import FULL, slice_key
from ckptmap.checkpoint.sstable import Handle
from ckptmap.checkpoint.state import format_state
from ckptmap.checkpoint.values import join_strings
from ckptmap.checkpoint.wire import bytes_field, number_field, text_field
from tests.checkpoint.test_frozen import GRAPH
from tests.checkpoint.test_meta import collection
from tests.checkpoint.test_v1 import TENSORFLOW_FILE
from tests.fuzz.documents import report_seeds
from tests.fuzz.parsers import DATA, HEADER_BLOCK, joined, table_with

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).parent / "corpus"

LABELS = b"""item {
  id: 1
  name: 'cat'
  display_name: "Cat"
}
item { id: 2 name: "dog" }
"""
TABLE = b"""description: every statement once
where: {i: int, part: "expand|project", a: auto, stage: {a: 1, b: 2}, rest: path, leaf: name}
kinds:
  conv: {kernel: weights, "bias?": {to: biases, ops: [{transpose: [1, 0]}]}}
layers:
  - {from: "net/block{a}/{part}_{i}", to: "model/{part}{i+1:auto}", as: conv, optional: true}
  - from: "net/stage_{stage}/conv"
    as: {conv: "model/{stage}"}
    last: {of: stage, to: "model/last"}
variables:
  - {from: ["a/{i}/x", "b/{i}/x"], to: "joined/{2*i-1}", ops: [{concat: 0}, {scale: {values: [1, 2.5e-3], axis: 0}}]}
  - {from: "whole/{leaf}", to: ["one/{leaf}", "two/{leaf}"], ops: [{split: {axis: 0, parts: 2}}], per_class: {axis: 0}}
drop:
  - {match: "optimizer/{rest}", reason: "no weights"}
init:
  - {match: "head/{leaf}", value: zeros, reason: "new"}
"""


def _entry(dtype: DType, shape: tuple[int, ...], size: int, offset: int = 0) -> bytes:
    return format_entry(Entry(dtype.number, shape, 0, offset, size, crc32c(DATA[offset : offset + size])))


def _index() -> dict[str, bytes]:
    entries = {
        b"": format_header(1),
        b"scalar": _entry(DType.INT64, (), 8),
        b"v/kernel": _entry(DType.FLOAT32, (2, 3), 24, 8),
        b"v/kernel2": _entry(DType.BFLOAT16, (0, 7), 0),
    }
    flat = [part for pair in entries.items() for part in pair]
    body = HEADER_BLOCK[:-8] + b"\x00\x01\x00v" + struct.pack("<II", 0, 1)
    handle = Handle(0, len(HEADER_BLOCK)).encode()
    index_block = b"\x00\x01" + bytes([len(handle)]) + b"v" + handle + struct.pack("<II", 0, 1)
    return {
        "table": b"t" + table_with(entries),
        "entries": b"e" + joined(*flat),
        "block": b"b" + body,
        "snappy": b"s" + bytes(cramjam.snappy.compress_raw(body)),
        "index": b"i" + index_block,
    }


def _slices() -> dict[str, bytes]:
    rows: tuple[Extents, ...] = (((0, 1), (0, FULL)), ((1, 1), (0, FULL)))
    boxes: tuple[Extents, ...] = (((0, 2), (0, 1)), ((0, 2), (1, 2)))
    whole = Entry(DType.FLOAT32.number, (2, 3))
    named = [
        (rows, [(1, 3), (1, 3)]),
        (boxes, [(2, 1), (2, 2)]),
    ]
    made = {}
    for name, (extents, shapes) in zip(("rows", "boxes"), named, strict=True):
        sizes = [4 * int(np.prod(shape)) for shape in shapes]
        parts = [_entry(DType.FLOAT32, shape, size, 8) for shape, size in zip(shapes, sizes, strict=True)]
        entry = Entry(whole.dtype, whole.shape, crc32c=None, slices=extents)
        made[name] = joined(b"w", format_entry(entry), *parts)
    return made


def _v1() -> dict[str, bytes]:
    extents: Extents = ((0, 2),)
    slice_proto = bytes_field(1, b"\x10\x02")
    tensor = text_field(1, "v") + bytes_field(2, bytes_field(2, number_field(1, 2))) + number_field(3, 3)
    listing = bytes_field(1, bytes_field(1, tensor + bytes_field(4, slice_proto)))
    values = number_field(1, 3) + bytes_field(7, b"\x05\x07")
    value = bytes_field(2, text_field(1, "v") + bytes_field(2, slice_proto) + bytes_field(3, values))
    return {"file": b"t" + TENSORFLOW_FILE, "entries": b"e" + joined(b"", listing, slice_key(b"v", extents), value)}


def _object_graph() -> dict[str, bytes]:
    graph = ObjectGraph(
        (
            Node((Child("model", 1), Child("loop", 0))),
            Node((Child("a", 2),), (), (SlotReference(2, "momentum", 3),)),
            Node((Child("b", 1),), (SavedTensor("VARIABLE_VALUE", "a/kernel", "model/a/.ATTRIBUTES/VARIABLE_VALUE"),)),
            Node((), (SavedTensor("VARIABLE_VALUE", "", "slot"),)),
        )
    )
    return {"cycle": format_object_graph(graph)}


def _strings() -> dict[str, bytes]:
    return {
        "three": b"\x03" + join_strings([b"abc", b"", b"\xff\x00" * 70]),
        "none": b"\x00" + join_strings([]),
    }


def _pipeline() -> dict[str, bytes]:
    configs = {path.parent.name: path.read_bytes() for path in sorted(ROOT.glob("fixtures/*/pipeline.config"))}
    syntax = (
        b"model < ssd : { num_classes: 0x5a; [pkg.Ext/a-b.f]: [1, -inf, 'a' \"\\x41\\n\"] } > # note\n"
        b"train_config: { batch_size: 1.5e3f, fine_tune_checkpoint: 'x' }"
    )
    return {**configs, "syntax": syntax}


def seeds() -> dict[str, dict[str, bytes]]:
    """By parser and name."""
    meta = bytes_field(1, text_field(4, "serve") + text_field(5, "1.15.0"))
    meta += collection("variables", text_field(1, "w:0"), text_field(1, "p") + bytes_field(4, text_field(1, "q")))
    meta += collection("trainable_variables", b"old_style:0", field=1)
    return {
        "index": _index(),
        "slices": _slices(),
        "v1": _v1(),
        "graph": {"frozen": b"f" + GRAPH, "saved": b"s" + bytes_field(2, bytes_field(2, GRAPH))},
        "meta": {"collections": meta},
        "object_graph": _object_graph(),
        "strings": _strings(),
        "state": {"two": format_state('a"b\\', ("a", "ü\n")).encode()},
        "pipeline": _pipeline(),
        "label_map": {"two": LABELS},
        "table": {
            "every_statement": TABLE,
            "shipped": (ROOT / "mappings/heads/fpn.yaml").read_bytes(),
            "include": b"include: [{table: kinds/slim}, {table: backbones/mobilenet_v1, from: F, to: m}]\n",
        },
        "report": report_seeds(),
        "journal": {"two": b'{"files": {"a.index": [3, 4, 5], "b": null}, "replaced": {"b": []}, "decisive": "b"}'},
    }


def main() -> None:
    """Write every seed as a file."""
    for parser, named in seeds().items():
        folder = CORPUS / parser
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in named.items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
