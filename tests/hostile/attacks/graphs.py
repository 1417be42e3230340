"""Attacks by frozen graphs, SavedModels and .meta files."""

from __future__ import annotations

from pathlib import Path

from ckptmap.checkpoint.wire import bytes_field, number_field
from tests.checkpoint.test_frozen import GRAPH, node
from tests.checkpoint.test_meta import collection
from tests.hostile.attacks.making import GIB, attack, float_entry, index_of, shape_proto, write


def nested(depth: int, number: int = 1) -> bytes:
    raw = b""
    for _ in range(depth):
        raw = bytes_field(number, raw)
        if len(raw) > 1 << 20:
            break
    return raw


@attack("inspect", "graph.pb", heavy=True, says="holds no constant that was a variable")
def protobuf_nested_without_end(folder: Path) -> None:
    """A message in a message, a hundred thousand deep."""
    (folder / "graph.pb").write_bytes(nested(100_000))


@attack("inspect", "graph.pb", says="reaches past the end of its message")
def field_longer_than_the_file(folder: Path) -> None:
    """A node that claims 2^63 bytes."""
    (folder / "graph.pb").write_bytes(b"\x0a" + b"\xff" * 8 + b"\x7f")


@attack("inspect", "graph.pb", heavy=True, says="it claims more than 1048576 nodes")
def graph_of_millions(folder: Path) -> None:
    """Three million empty nodes."""
    (folder / "graph.pb").write_bytes(GRAPH + b"\x0a\x00" * 3_000_000)


@attack("read", "graph.pb", says="a constant claims 1073741824 bytes and holds 4")
def constant_of_a_gigabyte(folder: Path) -> None:
    """Four bytes that stand for a constant of a gigabyte."""
    tensor = number_field(1, 1) + bytes_field(2, shape_proto(GIB // 4)) + bytes_field(5, bytes(4))
    (folder / "graph.pb").write_bytes(node("v", "Const", tensor=tensor) + node("v/read", "Identity", "v"))


@attack("read", "graph.pb", says="4 bytes cannot make")
def constant_of_short_content(folder: Path) -> None:
    """Raw content is never filled up: TensorFlow refuses it."""
    tensor = number_field(1, 1) + bytes_field(2, shape_proto(2)) + bytes_field(4, bytes(4))
    (folder / "graph.pb").write_bytes(node("v", "Const", tensor=tensor) + node("v/read", "Identity", "v"))


@attack("inspect", "saved_model.pb", heavy=True, says="holds no constant that was a variable")
def saved_model_without_a_graph(folder: Path) -> None:
    """A SavedModel whose meta graphs are nested without end."""
    (folder / "saved_model.pb").write_bytes(nested(100_000, 2))


@attack("inspect", "m", code=0, heavy=True)
def meta_of_millions_of_names(folder: Path) -> None:
    """A .meta beside a good checkpoint, whose collection of variables has two million names."""
    write(folder, index_of((b"v", float_entry(1, size=4, crc32c=0x48674BC7))), bytes(4))
    (folder / "m.meta").write_bytes(collection("variables", *[b""] * 2_000_000))
