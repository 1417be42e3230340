"""Hand-made files that attack ckptmap: each function makes one, its docstring says what it attacks.

``python -m tests.hostile.attacks FOLDER`` writes them all there, to try another program on them.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cramjam

from ckptmap.checkpoint.bundle_proto import Entry, format_entry, format_header
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.ordered_code import slice_key
from ckptmap.checkpoint.sstable import FOOTER_SIZE, MAGIC, Handle
from ckptmap.checkpoint.values import join_strings
from ckptmap.checkpoint.wire import bytes_field, number_field, text_field, varint
from tests.checkpoint.test_frozen import GRAPH, node
from tests.checkpoint.test_meta import collection
from tests.fuzz.parsers import sealed, table_of, table_with
from tests.fuzz.seeds import LABELS

GIB = 1 << 30
HOSTILE_NAME = "a\x1b]0;owned\x07\r\n::error::b/../../etc/<script>alert(1)</script>=1+1\udcff\u202e"
"""Terminal escapes, line ends, a workflow command, path separators, a script, a formula, a byte that is no UTF-8."""


@dataclass(frozen=True, slots=True)
class Attack:
    """``make`` writes the files into a folder, ``command`` is run there and must end with the exit code ``code``.

    The command ``read`` is none of ckptmap's: it reads every value and the object graph.
    """

    make: Callable[[Path], None]
    command: tuple[str, ...]
    code: int = 2
    heavy: bool = False
    """Whether it takes seconds to make, or to refuse."""

    @property
    def name(self) -> str:
        return self.make.__name__


ATTACKS: list[Attack] = []
Make = Callable[[Path], None]


def attack(*command: str, code: int = 2, heavy: bool = False) -> Callable[[Make], Make]:
    """Enters a maker of files into the list."""

    def enter(make: Make) -> Make:
        ATTACKS.append(Attack(make, command, code, heavy))
        return make

    return enter


def write(folder: Path, index: bytes, data: bytes = b"") -> None:
    (folder / "m.index").write_bytes(index)
    (folder / "m.data-00000-of-00001").write_bytes(data)


def index_of(*entries: tuple[bytes, Entry | bytes]) -> bytes:
    raw = {key: value if isinstance(value, bytes) else format_entry(value) for key, value in entries}
    return table_with({b"": format_header(1), **raw})


def block_of(*entries: tuple[bytes, bytes]) -> bytes:
    body = b"".join(b"\x00" + varint(len(key)) + varint(len(value)) + key + value for key, value in entries)
    return body + struct.pack("<II", 0, 1)


def footer(handle: Handle) -> bytes:
    return (b"\x00\x00" + handle.encode()).ljust(FOOTER_SIZE - len(MAGIC), b"\x00") + MAGIC


def float_entry(*shape: int, size: int = 0, **more: int) -> Entry:
    return Entry(DType.FLOAT32.number, shape, size=size, **more)


def shape_proto(*dims: int) -> bytes:
    return b"".join(bytes_field(2, number_field(1, dim)) for dim in dims)


# V2 bundles


@attack("inspect", "m")
def index_block_of_a_terabyte(folder: Path) -> None:
    """The footer says that the index block has a terabyte, and the file is as long (it is sparse)."""
    write(folder, b"")
    with (folder / "m.index").open("wb") as handle:
        handle.truncate(1 << 40)
        handle.seek(1 << 40)
        handle.write(footer(Handle(0, (1 << 40) - 5)))


@attack("inspect", "m")
def block_outside_the_file(folder: Path) -> None:
    """A handle leads to a block at 2^62."""
    write(folder, table_of(b"", sealed(block_of((b"v", Handle(1 << 62, 100).encode())))))


@attack("inspect", "m")
def index_that_leads_to_itself(folder: Path) -> None:
    """The index block names itself as a block of entries, thousands of times."""
    handle = Handle(0, 0).encode()
    block = sealed(block_of(*((struct.pack(">I", key), handle) for key in range(10_000))))
    write(folder, block + footer(Handle(0, len(block) - 5)))


@attack("inspect", "m")
def varint_without_end(folder: Path) -> None:
    """The length of an entry is a varint that never ends."""
    write(folder, table_of(sealed(b"\x00" + b"\xff" * 100_000 + struct.pack("<II", 0, 1))))


@attack("inspect", "m")
def snappy_block_that_claims_four_gigabytes(folder: Path) -> None:
    """A Snappy block of a few bytes whose length says 4 GiB."""
    write(folder, table_of(sealed(varint(4 * GIB - 1) + b"\x00a", 1)))


@attack("inspect", "m", heavy=True)
def snappy_bomb(folder: Path) -> None:
    """A Snappy block of 10 MB that honestly holds 200 MB of one entry."""
    body = b"\x00\x01" + varint(200 << 20) + b"v" + bytes(200 << 20) + struct.pack("<II", 0, 1)
    write(folder, table_of(sealed(bytes(cramjam.snappy.compress_raw(body)), 1)))


@attack("inspect", "m", heavy=True)
def millions_of_variables(folder: Path) -> None:
    """Two million entries, whose keys share all but their end and whose values are empty, in blocks of Snappy."""
    blocks, entries, place = b"", [], 0
    for start in range(0, 2_000_000, 100_000):
        keys = [b"%07d" % number for number in range(start, start + 100_000)]
        body = b"\x00\x07\x00" + keys[0] + b"".join(b"\x00\x07\x00" + key for key in keys[1:])
        block = sealed(bytes(cramjam.snappy.compress_raw(body + struct.pack("<II", 0, 1))), 1)
        entries.append((keys[-1], Handle(place, len(block) - 5).encode()))
        blocks, place = blocks + block, place + len(block)
    last = sealed(block_of(*entries))
    write(folder, blocks + last + footer(Handle(place, len(last) - 5)))


@attack("inspect", "m")
def shape_that_overflows(folder: Path) -> None:
    """2^32 times 2^32 elements in no bytes: the product is 0 in 64 bits."""
    raw = number_field(1, 1) + bytes_field(2, shape_proto(1 << 32, 1 << 32))
    write(folder, index_of((b"v", raw)))


@attack("inspect", "m")
def shape_with_a_negative_length(folder: Path) -> None:
    """A dimension of -4."""
    write(folder, index_of((b"v", number_field(1, 1) + bytes_field(2, shape_proto(-4)) + number_field(5, 16))))


@attack("inspect", "m")
def shape_of_a_thousand_dimensions(folder: Path) -> None:
    """More dimensions than any tensor can have."""
    write(folder, index_of((b"v", number_field(1, 1) + bytes_field(2, shape_proto(*[1] * 1000)) + number_field(5, 4))))


@attack("inspect", "m")
def value_at_a_negative_place(folder: Path) -> None:
    """An offset of -8."""
    raw = number_field(1, 1) + bytes_field(2, shape_proto(2)) + number_field(4, -8) + number_field(5, 8)
    write(folder, index_of((b"v", raw)))


@attack("read", "m")
def value_of_a_terabyte(folder: Path) -> None:
    """A variable that claims a terabyte of a data file of ten bytes."""
    write(folder, index_of((b"v", float_entry(1 << 38, size=1 << 40))), bytes(10))


@attack("inspect", "m")
def ten_million_data_files(folder: Path) -> None:
    """The header claims ten million shards."""
    write(folder, table_with({b"": format_header(10_000_000)}))


@attack("inspect", "m")
def shard_that_is_not_there(folder: Path) -> None:
    """A variable lies in data file 4,000,000 of one."""
    write(folder, index_of((b"v", float_entry(1, size=4, shard=4_000_000))))


@attack("inspect", "m")
def parts_beyond_the_shape(folder: Path) -> None:
    """A part of a partitioned variable starts at 2^40 of four."""
    write(folder, index_of((b"v", float_entry(4, slices=(((1 << 40, 1),),)))))  # type: ignore[arg-type]


@attack("read", "m")
def parts_that_share_their_bytes(folder: Path) -> None:
    """A data file of 256 KiB, of which 8,192 parts make a variable of two gigabytes."""
    size, count = 256 << 10, 8192
    rows = size // 4
    extents = tuple(((number * rows, rows),) for number in range(count))
    part = format_entry(float_entry(rows, size=size, crc32c=0))
    whole = format_entry(Entry(DType.FLOAT32.number, (rows * count,), crc32c=None, slices=extents))
    name = b"v"
    entries = {slice_key(name, extent): part for extent in extents}
    write(folder, table_with({b"": format_header(1), name: whole, **entries}), bytes(size))


@attack("inspect", "m", code=0)
def names_that_attack_the_reader_of_a_report(folder: Path) -> None:
    """Control characters, terminal escapes, path separators, markup and invalid UTF-8 in a variable's name."""
    name = HOSTILE_NAME.encode("utf-8", "surrogateescape")
    write(folder, index_of((name, float_entry(1, size=4, crc32c=0x48674BC7))), bytes(4))


@attack("inspect", "m")
def index_that_is_a_device(folder: Path) -> None:
    """A link to a device that never ends, in place of the index."""
    (folder / "m.index").symlink_to("/dev/zero")


# object graphs


def object_checkpoint(folder: Path, graph: bytes) -> None:
    raw = join_strings([graph])
    key = b"_CHECKPOINTABLE_OBJECT_GRAPH"
    from ckptmap.checkpoint.values import checksum

    entry = Entry(DType.STRING.number, (), size=len(raw), crc32c=checksum(DType.STRING, (), raw))
    value = float_entry(1, size=4, offset=len(raw), crc32c=0x48674BC7)
    entries = ((key, entry), (b"model/v/.ATTRIBUTES/VARIABLE_VALUE", value))
    write(folder, index_of(*entries), raw + bytes(4))


TO_OBJECTS = ("convert", "old.pb", "--to", "m", "--table", "t.yaml", "--dry-run")


def frozen_source(folder: Path) -> None:
    (folder / "old.pb").write_bytes(GRAPH)
    (folder / "t.yaml").write_text(
        "drop: [{match: conv, reason: x}, {match: shrunk, reason: x}, {match: bias, reason: x}]"
    )


@attack("read", "m", heavy=True)
def object_graph_of_millions(folder: Path) -> None:
    """Three million objects of two bytes each."""
    object_checkpoint(folder, b"\x0a\x00" * 3_000_000)


@attack(*TO_OBJECTS, heavy=True)
def template_of_millions(folder: Path) -> None:
    """The same, as the template of a conversion."""
    frozen_source(folder)
    object_checkpoint(folder, b"\x0a\x00" * 3_000_000)


@attack(*TO_OBJECTS)
def object_graph_with_an_edge_to_nowhere(folder: Path) -> None:
    """A child is object number 2^31."""
    frozen_source(folder)
    object_checkpoint(folder, bytes_field(1, bytes_field(1, number_field(1, 1 << 31) + text_field(2, "a"))))


@attack("read", "m", code=0)
def object_graph_that_is_a_cycle(folder: Path) -> None:
    """Two objects that are each other's children: whoever walks it without an eye on that never ends."""
    there, back = (bytes_field(1, bytes_field(1, number_field(1, 1 - n) + text_field(2, "model"))) for n in (0, 1))
    object_checkpoint(folder, there + back)


# frozen graphs, SavedModels, .meta


def nested(depth: int, number: int = 1) -> bytes:
    raw = b""
    for _ in range(depth):
        raw = bytes_field(number, raw)
        if len(raw) > 1 << 20:
            break
    return raw


@attack("inspect", "graph.pb", heavy=True)
def protobuf_nested_without_end(folder: Path) -> None:
    """A message in a message, a hundred thousand deep."""
    (folder / "graph.pb").write_bytes(nested(100_000))


@attack("inspect", "graph.pb")
def field_longer_than_the_file(folder: Path) -> None:
    """A node that claims 2^63 bytes."""
    (folder / "graph.pb").write_bytes(b"\x0a" + b"\xff" * 8 + b"\x7f")


@attack("inspect", "graph.pb", heavy=True)
def graph_of_millions(folder: Path) -> None:
    """Three million empty nodes."""
    (folder / "graph.pb").write_bytes(GRAPH + b"\x0a\x00" * 3_000_000)


@attack("read", "graph.pb")
def constant_of_a_gigabyte(folder: Path) -> None:
    """Four bytes that stand for a constant of a gigabyte."""
    tensor = number_field(1, 1) + bytes_field(2, shape_proto(GIB // 4)) + bytes_field(4, bytes(4))
    (folder / "graph.pb").write_bytes(node("v", "Const", tensor=tensor) + node("v/read", "Identity", "v"))


@attack("inspect", "saved_model.pb", heavy=True)
def saved_model_without_a_graph(folder: Path) -> None:
    """A SavedModel whose meta graphs are nested without end."""
    (folder / "saved_model.pb").write_bytes(nested(100_000, 2))


@attack("inspect", "m", code=0, heavy=True)
def meta_of_millions_of_names(folder: Path) -> None:
    """A .meta beside a good checkpoint, whose collection of variables has two million names."""
    write(folder, index_of((b"v", float_entry(1, size=4, crc32c=0x48674BC7))), bytes(4))
    (folder / "m.meta").write_bytes(collection("variables", *[b""] * 2_000_000))


# V1


def v1(folder: Path, *tensors: bytes) -> None:
    listing = bytes_field(1, b"".join(bytes_field(1, tensor) for tensor in tensors))
    (folder / "m").write_bytes(table_with({b"": listing}))


@attack("inspect", "m", heavy=True)
def v1_with_millions_of_variables(folder: Path) -> None:
    """Metadata with two million variables of a few bytes."""
    v1(folder, *[text_field(1, "v") + number_field(3, 1)] * 2_000_000)


@attack("inspect", "m")
def v1_shape_that_overflows(folder: Path) -> None:
    """As in V2: the product of the lengths is 0 in 64 bits."""
    v1(folder, text_field(1, "v") + bytes_field(2, shape_proto(1 << 32, 1 << 32)) + number_field(3, 1))


@attack("inspect", "m")
def v1_block_of_a_terabyte(folder: Path) -> None:
    """A sparse file of a terabyte whose index block is all of it."""
    with (folder / "m").open("wb") as handle:
        handle.truncate(1 << 40)
        handle.seek(1 << 40)
        handle.write(footer(Handle(0, (1 << 40) - 5)))


# state files


@attack("inspect", ".", code=0)
def state_file_without_closing_quotes(folder: Path) -> None:
    """A megabyte of backslashes behind an opening quote: exponential for a careless regular expression."""
    write(folder, index_of((b"v", float_entry(1, size=4, crc32c=0x48674BC7))), bytes(4))
    (folder / "checkpoint").write_text('model_checkpoint_path: "' + "\\" * (1 << 20))


@attack("inspect", ".")
def state_file_that_leads_elsewhere(folder: Path) -> None:
    """The latest checkpoint is a device."""
    (folder / "checkpoint").write_text('model_checkpoint_path: "/dev/zero"\n')


# tables

TABLE = ("convert", "old.pb", "--to", "ssd_mobilenet_v2", "--table", "t.yaml", "--dry-run")


def write_table(folder: Path, text: str, name: str = "t") -> None:
    frozen_source(folder)
    (folder / f"{name}.yaml").write_text(text)


@attack(*TABLE)
def yaml_bomb(folder: Path) -> None:
    """A billion laughs: anchors that double ten times over."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    write_table(folder, "\n".join(levels))


@attack(*TABLE)
def yaml_tag(folder: Path) -> None:
    """A tag that makes PyYAML's unsafe loader run a command."""
    write_table(folder, "description: !!python/object/apply:os.system ['touch owned']\n")


@attack(*TABLE)
def yaml_nested_without_end(folder: Path) -> None:
    """Hundreds of thousands of opening brackets."""
    write_table(folder, "[" * 400_000)


@attack(*TABLE)
def yaml_mapping_nested_without_end(folder: Path) -> None:
    """The same, of mappings."""
    write_table(folder, "{a: " * 200_000)


@attack(*TABLE)
def yaml_duplicate_key(folder: Path) -> None:
    """A second list of rules that would silently replace the first."""
    write_table(folder, "drop: [{match: a, reason: x}]\ndrop: [{match: b, reason: x}]\n")


@attack(*TABLE)
def yaml_of_a_hundred_megabytes(folder: Path) -> None:
    """A table far larger than any."""
    write_table(folder, "description: " + "x" * (100 << 20))


@attack(*TABLE)
def include_above_the_folder(folder: Path) -> None:
    """An include path with dots."""
    write_table(folder, "include: [{table: ../../../../etc/passwd}]\n")


@attack(*TABLE)
def include_by_an_absolute_path(folder: Path) -> None:
    """An include path from the root."""
    write_table(folder, "include: [{table: /etc/passwd}]\n")


@attack(*TABLE)
def include_through_a_link(folder: Path) -> None:
    """An include whose name is plain, but is a link out of the folder."""
    (folder / "inside.yaml").symlink_to("/etc/passwd")
    write_table(folder, "include: [{table: inside}]\n")


@attack(*TABLE)
def include_of_itself(folder: Path) -> None:
    """A cycle of includes."""
    write_table(folder, "include: [{table: t}]\n")


@attack(*TABLE[:5], "t0.yaml", "--dry-run")
def includes_that_double(folder: Path) -> None:
    """Thirty tables, each including the next one twice: a bomb without a YAML alias."""
    for level in range(30):
        twice = ", ".join(f"{{table: t{level + 1}, from: {side}, to: {side}}}" for side in "ab")
        write_table(folder, f"include: [{twice}]\n", f"t{level}")
    write_table(folder, "variables: [{from: v, to: v}]\n", "t30")


@attack(*TABLE)
def catastrophic_pattern(folder: Path) -> None:
    """A regular expression that takes exponential time, where patterns are wanted."""
    write_table(folder, "variables: [{from: '(a+)+$', to: b}]\n")


@attack(*TABLE)
def pattern_with_many_ways_to_match(folder: Path) -> None:
    """The same in the language of patterns: neighbouring placeholders that share their text."""
    where = ", ".join(f"n{number}: name" for number in range(20))
    names = "".join(f"{{n{number}}}" for number in range(20))
    write_table(folder, f"where: {{{where}}}\nvariables: [{{from: '{names}x', to: b}}]\n")


@attack(*TABLE)
def alternatives_with_many_ways_to_match(folder: Path) -> None:
    """Alternatives of which each begins with the one before it, ten times in a pattern."""
    choices = "|".join("a" * length for length in range(1, 30))
    where = ", ".join(f"c{number}: '{choices}'" for number in range(10))
    names = "_".join(f"{{c{number}}}" for number in range(10))
    write_table(folder, f"where: {{{where}}}\nvariables: [{{from: '{names}', to: b}}]\n")


@attack(*TABLE)
def arithmetic_with_huge_numbers(folder: Path) -> None:
    """A calculation in a target name with numbers of many digits."""
    number = "9" * 10_000
    write_table(folder, f"where: {{i: int}}\nvariables: [{{from: 'a/{{i}}', to: 'b/{{{number}*i}}'}}]\n")


@attack(*TABLE)
def operation_of_huge_size(folder: Path) -> None:
    """A split into a billion parts."""
    rule = "{from: a, to: [b], ops: [{split: {axis: 0, parts: 1000000000}}]}"
    write_table(folder, f"variables: [{rule}]\n")


@attack(*TABLE)
def scope_of_a_billion_layers(folder: Path) -> None:
    """An ordered list that is written in a few bytes and has a billion names."""
    scope = "{scope: 'b{n}', n: [1, 999999999], of: [a]}"
    write_table(folder, f"where: {{l: {{order: [{scope}]}}}}\nvariables: [{{from: '{{l}}', to: '{{l}}'}}]\n")


@attack(*TABLE, heavy=True)
def thousands_of_rules_that_are_alike(folder: Path) -> None:
    """Rules of which each two must be compared."""
    rules = "\n".join(f"  - {{from: '{{n}}x{number}', to: 'y{number}'}}" for number in range(15_000))
    write_table(folder, f"where: {{n: name}}\nvariables:\n{rules}\n")


# configs and label maps

CONFIG = ("config", "migrate", "p.config", "-o", "new.config")


@attack(*CONFIG)
def config_nested_without_end(folder: Path) -> None:
    """Hundreds of thousands of open braces."""
    (folder / "p.config").write_text("model {" * 250_000)


@attack(*CONFIG)
def config_of_open_lists(folder: Path) -> None:
    """The same, of lists."""
    (folder / "p.config").write_text("a: [" * 400_000)


@attack(*CONFIG)
def config_of_a_hundred_megabytes(folder: Path) -> None:
    """A file far larger than any config."""
    (folder / "p.config").write_text("# " + "x" * (100 << 20))


@attack(*CONFIG, heavy=True)
def config_of_half_a_million_unknown_fields(folder: Path) -> None:
    """As many mistakes as fit, for each of which the nearest name is looked for."""
    (folder / "p.config").write_text("x:1 " * 500_000)


@attack(*CONFIG)
def config_with_an_endless_number(folder: Path) -> None:
    """A class count of a hundred thousand digits."""
    (folder / "p.config").write_text("model { ssd { num_classes: " + "9" * 100_000 + " } }")


LABEL_MAPS = ("convert", "old.pb", "--to", "ssd_mobilenet_v2", "--label-map", "l.pbtxt", "l.pbtxt", "--dry-run")


@attack(*LABEL_MAPS)
def label_with_an_endless_number(folder: Path) -> None:
    """A class whose number has a hundred thousand digits."""
    frozen_source(folder)
    (folder / "l.pbtxt").write_text("item { id: " + "9" * 100_000 + " name: 'a' }")


@attack(*LABEL_MAPS)
def labels_nested_without_end(folder: Path) -> None:
    """Items in items."""
    frozen_source(folder)
    (folder / "l.pbtxt").write_text(LABELS.decode() + "item {" * 200_000)


def main(target: str) -> None:
    """Write every attack into a folder of its own below ``target``."""
    for one in ATTACKS:
        folder = Path(target) / one.name
        folder.mkdir(parents=True)
        one.make(folder)


if __name__ == "__main__":
    main(sys.argv[1])
