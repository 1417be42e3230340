"""Where the bytes of unchanged values come from: linked or cloned data files that the index points into, or copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ckptmap.basics.errors import OutputError
from ckptmap.basics.text import byte_count, plural
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.cloning import How
from ckptmap.checkpoint.inventory import Span
from ckptmap.checkpoint.reader import Checkpoint
from ckptmap.checkpoint.remote import is_remote
from ckptmap.checkpoint.staging import Staging, Waiting
from ckptmap.checkpoint.store import StorePath
from ckptmap.checkpoint.writer import BundleWriter
from ckptmap.mapping.ops_rows import keeps_bytes
from ckptmap.planning.ledger import Plan, TargetFate, TargetRecord

DataMode = Literal["auto", "copy", "reflink", "link"]
"""How the bytes of unchanged values get into the new checkpoint.

``copy``: only the wanted bytes, in the order of the target. ``reflink``: the whole old data file as a copy-on-write
clone. ``link``: the old data file under a second name; whoever writes into the old file later changes the new
checkpoint too. ``auto``: ``reflink`` where the file system can, else ``copy``.
"""

_FEW = 0.1
"""The share of unused bytes that nobody minds, of those that are used."""

Stored = Mapping[str, tuple[str, Span]]
"""By source variable: the data file and the place in it where the value lies as the new checkpoint wants it."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What was adopted: the shard of each data file by its path, the mode that came of it, and what to say about it."""

    shards: Mapping[str, int] = field(default_factory=dict)
    mode: How | Literal["store"] = "copy"
    notes: tuple[str, ...] = ()


def unchanged(record: TargetRecord) -> bool:
    """Whether the value is the source's, byte for byte, perhaps under another shape."""
    return record.fate is TargetFate.RESTORED and keeps_bytes(record.ops)


def stored_values(plan: Plan, checkpoint: Checkpoint, staging: Waiting, mode: DataMode) -> Stored:
    """The places of all unchanged values that lie whole in a data file of this machine, or of the store that they go
    to, where that may copy it.

    Raises:
        CheckpointError: a data file is missing, something else, or too short.
    """
    names = [record.sources[0] for record in plan.targets if unchanged(record)]
    reaches = staging.reaches if mode in ("auto", "reflink") else lambda _: False
    return {name: place for name in names if (place := checkpoint.stored(name, reaches)) is not None}


def place_data(writer: BundleWriter, plan: Plan, stored: Stored, mode: DataMode, staging: Waiting) -> Placement:
    """Makes the data files that hold ``stored`` values shards of the new checkpoint, where ``mode`` wants that.

    Into a store go copies that the store makes, and else only the bytes that are wanted. A file that cannot be linked
    or cloned is left out, for its values to be copied; the notes say why, except with ``auto``, which promises nothing.
    """
    if mode == "copy":
        return Placement()
    if not isinstance(staging, Staging):
        return _in_store(writer, plan, stored, mode)
    how: How = "link" if mode == "link" else "reflink"
    shards: dict[str, int] = {}
    refused: dict[str, None] = {}
    for path in dict.fromkeys(path for path, _ in stored.values()):
        shard = _adopt(writer, path, how)
        if isinstance(shard, str):
            refused[shard] = None
        else:
            shards[path] = shard
    notes = [] if mode == "auto" else [f"copied, {how} is not possible here: {reason}" for reason in refused]
    notes += _scattered(plan, stored, mode)
    notes += _idle(stored, {path: Path(path).stat().st_size for path in shards}, "old data files")
    return Placement(shards, how if shards else "copy", tuple(notes))


def _in_store(writer: BundleWriter, plan: Plan, stored: Stored, mode: DataMode) -> Placement:
    sizes = {
        path: StorePath(path).size() or 0
        for path in dict.fromkeys(path for path, _ in stored.values())
        if is_remote(path)
    }
    shards = {path: writer.adopt_remote(path) for path in sizes}
    notes = [] if mode == "auto" or shards else [f"copied, {mode} is not possible from here into a store"]
    if shards:
        notes += _scattered(plan, stored, mode)
    notes += _idle(stored, sizes, "copied data files")
    return Placement(shards, "store" if shards else "copy", tuple(notes))


def _adopt(writer: BundleWriter, path: str, how: How) -> int | str:
    """The shard that the file became, or why it did not."""
    try:
        return writer.adopt(path, how)
    except OutputError as error:
        return error.problem.message.removeprefix("cannot be written: ")


def _scattered(plan: Plan, stored: Stored, mode: DataMode) -> Iterator[str]:
    """Values that no index can point to."""
    count = sum(record.sources[0] not in stored for record in plan.targets if unchanged(record))
    if count and mode != "auto":
        them = "it" if count == 1 else "them"
        yield f"{plural(count, 'value')} copied: a {plan.source.kind.value} does not hold {them} whole on this machine"


def _idle(stored: Stored, sizes: Mapping[str, int], what: str) -> Iterator[str]:
    """Bytes that come along unused, such as those of optimizer slots, where they are more than a few."""
    used: dict[str, set[tuple[int, int]]] = {path: set() for path in sizes}
    for path, span in stored.values():
        if path in used:
            used[path].add((span.offset, span.size))
    needed = sum(size for places in used.values() for _, size in places)
    idle = sum(sizes.values()) - needed
    if idle > needed * _FEW:
        yield f"{byte_count(idle)} of the {what} belong to no variable; {argument('copy')} omits them"
