"""A lossless reader of the protobuf text format, without the protobuf package.

The grammar is that of https://protobuf.dev/reference/protobuf/textformat-spec/ with the tolerance of the Python
implementation that the Object Detection API reads its files with: either quote, adjacent strings, ``;`` or ``,``
after any field, ``{…}`` or ``<…>``, a colon or none before a message, ``[pkg.Ext.field]``, lists. No schema is
needed; names are judged elsewhere. Time is linear in the length of the text and nesting is bounded by MAX_DEPTH.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.basics.errors import ConfigError
from ckptmap.basics.nearest import nearest_file
from ckptmap.basics.regular import open_regular
from ckptmap.families.detection.pipeline.syntax import Document, Field, Message, Scalar, ScalarKind

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 100
"""Messages in messages; the deepest pipeline.config has 9, and protobuf itself stops at 100."""

MAX_BYTES = 1 << 21
"""The label map of ImageNet's 21,000 classes has 1.5 MB, a pipeline.config a few kilobytes."""

BYTE_ORDER_MARK = "\ufeff"
_STRING = r"""(?:"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"|'[^'\\\n]*(?:\\[^\n][^'\\\n]*)*')"""
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f\v]+|\#[^\n]*)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>(?:0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]?))(?![A-Za-z0-9_.])
    |(?P<string>{string})
    |(?P<symbol>[\[\]{}<>:;,.\-/])""".replace("{string}", _STRING),
    re.VERBOSE,
)
_NEXT_STRING = re.compile(r"(?:[ \t\r\n\f\v]|\#[^\n]*\n)*" + _STRING)
_CLOSE = {"{": "}", "<": ">"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(slots=True)
class _Open:
    """A message or a list that is being read, with what must be known when its bracket closes."""

    start: int
    close: str
    head: _Head | None = None
    """The field it is the value of; None for the root, and for a message in a list."""
    fields: list[Field] = field(default_factory=list)
    items: list[Scalar | Message] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Head:
    """The name of a field whose value comes next."""

    name: str
    start: int
    end: int


def parse(text: str, path: str = "") -> Document:
    """The tree of a protobuf text. Raises ConfigError with ``file:line`` and what was expected."""
    return _Parser(text, path).document()


def parse_part(text: str, start: int, end: int, path: str = "") -> tuple[Field, ...]:
    """The fields between two offsets of a text, which lie in no field; their offsets and lines are those of the text.

    Raises ConfigError as :func:`parse` does.
    """
    return _Parser(text, path, start, end).document().root.fields


def read(path: str | Path) -> Document:
    """Read a file: UTF-8; bytes that are not are kept as they are. Raises ConfigError when it cannot be read."""
    place = Path(path)
    if place.exists() and not place.is_file():
        what = "a folder" if place.is_dir() else "not a regular file"
        raise ConfigError(f"cannot read the file: it is {what}", where=str(path))
    try:
        with open_regular(path) as handle:
            raw = handle.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot read the file: {error.strerror or error}"
        raise ConfigError(message, where=str(path), hint=nearest_file(place)) from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"is larger than {MAX_BYTES} bytes", where=str(path), hint="is it the right file?")
    if raw.lstrip().startswith(b"{"):
        raise ConfigError("this is JSON, not the text of a protobuf", where=str(path), hint="is it the right file?")
    return parse(raw.decode("utf-8", "surrogateescape"), str(path))


def encode(text: str) -> bytes:
    """The bytes of a text that :func:`read` has read, the same ones where nothing was edited."""
    return text.encode("utf-8", "surrogateescape")


def _end_of_strings(text: str, position: int, end: int) -> int:
    """Where the strings end that follow the one before ``position``: adjacent ones are one value."""
    while (another := _NEXT_STRING.match(text, position, end)) is not None:
        position = another.end()
    return position


class _Parser:
    def __init__(self, text: str, path: str, start: int = 0, end: int | None = None) -> None:
        self.blank = Document(text, Message((), 0, len(text), root=True), path)
        self.tokens = self._scan(text, start, len(text) if end is None else end)
        self.open = [_Open(0, "")]
        self.end = 0
        self.token = next(self.tokens)

    def document(self) -> Document:
        while True:
            if self._at("end") and len(self.open) == 1:
                break
            if self.token.text == self.open[-1].close and self._at("symbol"):
                self._close()
            elif self.open[-1].close == "]":
                self._list_item()
            else:
                self._field()
        root = Message(tuple(self.open[0].fields), 0, len(self.blank.text), root=True)
        return Document(self.blank.text, root, self.blank.path)

    # tokens

    def _scan(self, text: str, position: int, end: int) -> Iterator[_Token]:
        if not position and text.startswith(BYTE_ORDER_MARK):
            position = len(BYTE_ORDER_MARK)
        while position < end:
            match = _TOKEN.match(text, position, end)
            if match is None:
                raise self._unreadable(text, position)
            last = match.end()
            if match.lastgroup == "string":
                last = _end_of_strings(text, last, end)
            if match.lastgroup != "space":
                yield _Token(str(match.lastgroup), text[position:last], position, last)
            position = last
        while True:
            yield _Token("end", "", end, end)

    def _unreadable(self, text: str, position: int) -> ConfigError:
        where = self.blank.where(position)
        if text[position] in "\"'":
            return ConfigError("a string is not closed on its line", where=where, hint="add the closing quote")
        shown = re.split(r"[\s{}<>:;,]", text[position : position + 40], maxsplit=1)[0] or text[position]
        return ConfigError(f"unexpected {shown!r}: no name, value or brace begins like this", where=where)

    def _at(self, kind: str, text: str = "") -> bool:
        return self.token.kind == kind and (not text or self.token.text == text)

    def _take(self) -> _Token:
        token, self.end = self.token, self.token.end
        self.token = next(self.tokens)
        return token

    def _expected(self, what: str, *, behind: bool = False) -> ConfigError:
        """The error that something else stands here, or, ``behind``, that it does not follow what was read last."""
        at = self.end - 1 if behind else self.token.start
        found = f"{self.token.text!r}" if self.token.kind != "end" else "the end of the file"
        hint = ""
        if self.token.kind == "end" and len(self.open) > 1:
            opened = self.open[-1]
            name = opened.head.name if opened.head else "block"
            hint = f"{name} of line {self.blank.line(opened.start)} has no {opened.close!r}"
        return ConfigError(f"expected {what}, found {found}", where=self.blank.where(at), hint=hint)

    # grammar

    def _field(self) -> None:
        head = self._head()
        colon = self._at("symbol", ":")
        if colon:
            self._take()
        if self._at("symbol", "{") or self._at("symbol", "<"):
            self._open_message(head)
        elif not colon:
            raise self._expected(f"':' or '{{' after {head.name}", behind=True)
        elif self._at("symbol", "["):
            start = self._take().start
            self._push(_Open(start, "]", head))
        else:
            self._finish(head, (self._scalar(),), listed=False)

    def _head(self) -> _Head:
        if self._at("word") or self._at("number"):
            token = self._take()
            return _Head(token.text, token.start, token.end)
        if not self._at("symbol", "["):
            close = self.open[-1].close
            raise self._expected(f"a field name or {close!r}" if close else "a field name")
        start = self._take().start
        while self._at("word") or self._at("symbol", ".") or self._at("symbol", "/") or self._at("symbol", "-"):
            self._take()
        if not self._at("symbol", "]"):
            raise self._expected("']' after the name of an extension", behind=True)
        end = self._take().end
        return _Head("".join(self.blank.text[start:end].split()), start, end)

    def _scalar(self) -> Scalar:
        start = self.token.start
        if self._at("string"):
            self._take()
            return self._scalar_of(ScalarKind.STRING, start)
        if self._at("symbol", "-"):
            self._take()
        if self._at("number"):
            self._take()
            return self._scalar_of(ScalarKind.NUMBER, start)
        if self._at("word"):
            self._take()
            return self._scalar_of(ScalarKind.WORD, start)
        raise self._expected("a value", behind=True)

    def _scalar_of(self, kind: ScalarKind, start: int) -> Scalar:
        return Scalar(kind, self.blank.text[start : self.end], start, self.end)

    def _list_item(self) -> None:
        if self._at("symbol", "{") or self._at("symbol", "<"):
            self._open_message(None)
        else:
            self.open[-1].items.append(self._scalar())
            self._list_comma()

    def _list_comma(self) -> None:
        if self._at("symbol", ","):
            self._take()
            if self._at("symbol", "]"):
                raise self._expected("a value after ','")
        elif not self._at("symbol", "]"):
            raise self._expected("',' or ']' in a list", behind=True)

    def _open_message(self, head: _Head | None) -> None:
        token = self._take()
        self._push(_Open(token.start, _CLOSE[token.text], head))

    def _push(self, opened: _Open) -> None:
        if len(self.open) > MAX_DEPTH:
            raise ConfigError(f"messages are nested deeper than {MAX_DEPTH}", where=self.blank.where(opened.start))
        self.open.append(opened)

    def _close(self) -> None:
        end = self._take().end
        closed = self.open.pop()
        if closed.close == "]" and closed.head is not None:
            self._finish(closed.head, tuple(closed.items), listed=True)
            return
        message = Message(tuple(closed.fields), closed.start, end)
        if closed.head is not None:
            self._finish(closed.head, (message,), listed=False)
        else:
            self.open[-1].items.append(message)
            self._list_comma()

    def _finish(self, head: _Head, values: tuple[Scalar | Message, ...], *, listed: bool) -> None:
        if self._at("symbol", ";") or self._at("symbol", ","):
            self._take()
        line = self.blank.line(head.start)
        self.open[-1].fields.append(Field(head.name, values, head.start, head.end, self.end, line, listed))
