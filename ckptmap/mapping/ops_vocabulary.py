"""Rows of an embedding moved to the places that another vocabulary gives their tokens.

A vocabulary is a text file with one token a line, as BERT's ``vocab.txt``; the line says the row. A ``.vocab`` file of
SentencePiece has a score behind each token, after a tab.
"""

# ruff: noqa: ARG002, RUF012  (operations have one signature; what a class says of itself is only read)

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ckptmap.basics.escapes import printable
from ckptmap.basics.regular import open_regular
from ckptmap.mapping.arguments import WHOLE, WHOLES, Argument
from ckptmap.mapping.op import LARGEST, Op, operation
from ckptmap.mapping.ops_classes import FRESH, Classes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ckptmap.checkpoint.dtypes import DType
    from ckptmap.mapping.op import Array, Fault, Pulled, Shape, Tensor
    from ckptmap.mapping.yamlnodes import Node, YamlDocument

_MAX_BYTES = 1 << 26
_SCORE = re.compile(r"-?[0-9.]+(e-?[0-9]+)?")


def _moves(doc: YamlDocument, node: Node, what: str) -> tuple[int, tuple[int, ...]] | None:
    """The old row of each new token, from the two files that a table names, and how many rows there were."""
    named = [doc.text(item, f"an item of {what}") for item in doc.items(node, what)]
    if len(named) != 2:
        doc.error(node, f"{what} needs two files", "[old/vocab.txt, new/vocab.txt]")
        return None
    old, new = (None if name is None else _tokens(doc, node, name) for name in named)
    if old is None or new is None:
        return None
    if not old.keys() & new.keys():
        doc.error(node, f"{named[0]} and {named[1]} have no token in common", "one token a line")
        return None
    return len(old), tuple(old.get(token, FRESH) for token in new)


def _tokens(doc: YamlDocument, node: Node, name: str) -> dict[str, int] | None:
    """The tokens of a vocabulary file with their rows; None, with the mistake noted, where it is none."""
    try:
        with open_regular(doc.folder / name) as handle:
            data = handle.read(_MAX_BYTES + 1)
    except OSError as error:
        doc.error(node, f"{printable(name)} cannot be read: {error.strerror}", "paths are relative to the table")
        return None
    if len(data) > _MAX_BYTES:
        doc.error(node, f"{printable(name)} is too long", f"a vocabulary can have {_MAX_BYTES} bytes")
        return None
    doc.digests[name] = hashlib.sha256(data).hexdigest()
    try:
        lines = data.decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        doc.error(node, f"{printable(name)} is not UTF-8 text (byte {error.start})")
        return None
    rows: dict[str, int] = {}
    for row, token in enumerate(_without_scores(lines)):
        first = rows.setdefault(token, row)
        if first != row:
            doc.error(node, f'{printable(name)} has "{printable(token)}" in lines {first + 1} and {row + 1}')
            return None
    return rows


def _without_scores(lines: list[str]) -> list[str]:
    """The tokens alone, where each line has a tab and a number behind it."""
    cut = [line.rpartition("\t") for line in lines]
    scored = all(tab and _SCORE.fullmatch(score) for _, tab, score in cut)
    return [token for token, _, _ in cut] if scored else lines


@operation
@dataclass(frozen=True, slots=True)
class Vocabulary(Op):
    """Give each token of the new vocabulary its row of the old one; the target fills the rows of new tokens.

    ``tokens`` holds the old row for each new one, or FRESH; ``old`` is how many rows the source has.
    """

    axis: int
    old: int
    tokens: tuple[int, ...]
    name = "vocabulary"
    arguments = {
        "axis": WHOLE,
        "old": WHOLE,
        "tokens": Argument(_moves, WHOLES.holds, WHOLES.to_json, WHOLES.from_json),
    }
    given = needed = ("axis", "tokens")
    leaves_open = True

    def __str__(self) -> str:
        return f"vocabulary: {self.kept}"

    @classmethod
    def from_table(cls, arguments: Mapping[str, Any]) -> Op:
        """With the rows that the two files say."""
        old, tokens = arguments["tokens"]
        return cls(arguments["axis"], old, tokens)

    @property
    def kept(self) -> str:
        """How many tokens come from the source."""
        return f"{sum(row != FRESH for row in self.tokens)} of {len(self.tokens)} tokens from the source's {self.old}"

    def runs(self, most: int) -> Iterator[tuple[int, int]]:
        """Where runs of up to ``most`` tokens begin and end whose old rows follow each other, or which are all new."""
        start = 0
        for at in range(1, len(self.tokens) + 1):
            if at == len(self.tokens) or at - start >= most or self.tokens[at] != self._following(start, at):
                yield start, at
                start = at

    def _following(self, start: int, at: int) -> int:
        first = self.tokens[start]
        return FRESH if first == FRESH else first + at - start

    @property
    def _slots(self) -> Classes:
        return Classes(self.axis, 1, self.old, self.tokens)

    def _infer(self, shape: Shape, dtype: DType) -> Tensor:
        length = shape[self._axis(self.axis, shape)]
        if length != self.old:
            raise self._fail(
                f"axis {self.axis} of shape {list(shape)} has {length} rows, the old vocabulary {self.old}"
            )
        return self._slots._infer(shape, dtype)

    def _run(self, array: Array) -> Array:
        return self._slots._run(array)

    def fresh(self, values: Array) -> Array:
        """The rows of new tokens."""
        return self._slots.fresh(values)

    def unsound(self) -> Fault | None:
        """Each token has a row of the source, or none."""
        fits = 0 < self.old <= LARGEST and len(self.tokens) > 0
        if fits and all(FRESH <= row < self.old for row in self.tokens):
            return None
        return "vocabulary needs rows of the source", ""

    def undo(self, before: Sequence[Tensor], at: int) -> tuple[Op, ...] | None:
        """Each row back in its place; None where one of the old tokens is nowhere."""
        return self._slots.undo(before, at)

    def pull(self, axis: int, before: Shape, after: Shape) -> Pulled | None:
        """None: what it leaves open is filled in the whole value, or row by row from the template."""
        return None
