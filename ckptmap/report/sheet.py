"""What every report has in common, whatever it reports on: the formats render this and nothing else.

A sheet is made of a document (``ckptmap.report/1``, ``ckptmap.diff/1``, ``ckptmap.verify/1`` …) by
:func:`ckptmap.report.sheets.sheet_of`; a format that can render a sheet can render all.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ckptmap.basics.fold import fold, layer

Cell = str | int | float | bool | None


class Level(enum.IntEnum):
    """How much a row or a message asks for attention."""

    FAILURE = 0
    """It makes the command exit with 1."""
    WARNING = 1
    NOTE = 2
    OK = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One variable, or what else the sheet's unit is.

    ``record`` is its line in a table, the same columns for every row of a sheet. ``side`` says which list of several it
    stands in (``target`` or ``source`` of a conversion), empty where there is one. ``detail`` is what differs from row
    to row, ``reason`` what whole groups share. Within a fate the rows stand worst first where the sheet knows a worst.
    ``messages`` are what there is to say of this row alone.
    """

    name: str
    fate: str
    level: Level
    record: Mapping[str, Cell]
    side: str = ""
    reason: str = ""
    detail: str = ""
    parameters: int = 0
    messages: tuple[Message, ...] = ()
    module: str = ""
    """What it stands with where its name does not say so."""

    @property
    def told(self) -> str:
        """Its fate and why, in a few words."""
        failures = (message.text for message in self.messages if message.level is Level.FAILURE)
        return ", ".join(filter(None, (self.fate.replace("_", " "), self.reason, self.detail, *failures)))


@dataclass(frozen=True, slots=True)
class FateCount:
    """How many rows of a side met a fate."""

    fate: str
    count: int
    level: Level
    side: str = ""

    @property
    def label(self) -> str:
        """The fate in words."""
        return self.fate.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Message:
    """Something to say: ``where`` is ``file:line``, a file, or a variable's name."""

    level: Level
    text: str
    where: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ConfigEdit:
    """One edit of a pipeline.config: ``old`` is empty for a new field, ``new`` for one to remove."""

    path: str
    old: str
    new: str
    reason: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """An image beside the report: ``file`` is its name there."""

    file: str
    caption: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one side whose layers differ in numbers only: ``label`` is ``block_{1..16}_expand``."""

    label: str
    side: str
    rows: tuple[Row, ...]

    @property
    def level(self) -> Level:
        """That of the worst row."""
        return min(row.level for row in self.rows)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One report, ready to be rendered.

    ``title`` names the command, ``subject`` what was looked at; ``verdict`` is one sentence, ``passed`` whether the
    command exits with 0; ``facts`` are labels and values for the head of the report. ``unit`` is what a row is, where
    it is no variable; its counts are then told by side. ``folded`` rows stand together by module, others each for
    itself: a line, a test case, an annotation a row.
    """

    schema: str
    generator: str
    title: str
    subject: str
    passed: bool
    verdict: str
    facts: tuple[tuple[str, str], ...]
    counts: tuple[FateCount, ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    messages: tuple[Message, ...] = ()
    edits: tuple[ConfigEdit, ...] = ()
    advice: tuple[str, ...] = field(default=())
    pictures: tuple[Picture, ...] = ()
    unit: str = "variable"
    folded: bool = True

    @property
    def groups(self) -> tuple[Group, ...]:
        """The rows as the formats show them."""
        return self.grouped(self.rows)

    def grouped(self, rows: Iterable[Row]) -> tuple[Group, ...]:
        """Some of the rows as the formats show them."""
        return groups(rows) if self.folded else tuple(Group(row.name, row.side, (row,)) for row in rows)

    @property
    def all_messages(self) -> tuple[Message, ...]:
        """The messages of the whole, then those of the rows, each under its row's name."""
        return (*self.messages, *(_named(row, message) for row in self.rows for message in row.messages))


def _named(row: Row, message: Message) -> Message:
    """The message under the name of its row; a file below a row's folder says which row it is."""
    place, name = message.where.rstrip("/\\"), row.name.rstrip("/\\")
    if place.startswith((f"{name}/", f"{name}\\")):
        return message
    text = f"{message.where}: {message.text}" if place not in ("", name) else message.text
    return Message(message.level, text, row.name, message.hint)


def groups(rows: Iterable[Row]) -> tuple[Group, ...]:
    """The rows by module: layers that are alike but for their numbers come together, each side for itself."""
    by_layer: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_layer.setdefault((row.side, row.module or layer(row.name)), []).append(row)
    found = []
    for side in dict.fromkeys(side for side, _ in by_layer):
        for folded in fold(name for of, name in by_layer if of == side):
            members = tuple(row for name in folded.names for row in by_layer[side, name])
            found.append(Group(folded.label, side, members))
    return tuple(found)


def shape_text(shape: list[int]) -> str:
    """A shape of a document, as a cell shows it: ``[3, 3, 64]``."""
    return f"[{', '.join(map(str, shape))}]"


def fate_counts(rows: Iterable[Row], order: Iterable[tuple[str, str, Level]]) -> tuple[FateCount, ...]:
    """How many rows met each of the fates ``(side, fate, level)``, in their order, zeros included."""
    met: dict[tuple[str, str], int] = {}
    for row in rows:
        met[row.side, row.fate] = met.get((row.side, row.fate), 0) + 1
    return tuple(FateCount(fate, met.get((side, fate), 0), level, side) for side, fate, level in order)
