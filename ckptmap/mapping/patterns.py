"""Patterns of variable names, and templates that render the names they map to.

A pattern is literal text with placeholders in braces, each declared beforehand; it matches whole names only. The
declarations are restricted so that matching one name takes time linear in its length: placeholders never touch, a
component of a name holds at most one ``name`` placeholder, a pattern at most one ``path``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from ckptmap.basics.nearest import did_you_mean

MAX_CHOICES = 1000
_MAX_AMBIGUITY = 64
_MAX_NUMBER = 10**9
_NOT_LITERAL = frozenset("*?|^$()[]\\")
_PIECE = re.compile(r"\{([^{}]*)\}|([{}])")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PADDED = re.compile("0([1-9])")
_TERM = re.compile(r"([+-]?)(?:([0-9]{1,6})(?:\*([A-Za-z][A-Za-z0-9_]*))?|([A-Za-z][A-Za-z0-9_]*))")

Bindings = Mapping[str, str]
"""What each placeholder stands for in one name: the text as it is in the source."""


class PatternError(ValueError):
    """A pattern or template is not one; ``hint`` says how to write it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Type(Enum):
    """What a placeholder can stand for."""

    INT = "int"
    """A number, with leading zeros or without."""
    AUTO = "auto"
    """TensorFlow's numbering of equal names: nothing, ``_1``, ``_2``, …"""
    NAME = "name"
    """One component of a name, or a part of one: no slash, not empty."""
    PATH = "path"
    """One or more whole components."""
    CHOICE = "choice"
    """One of a list of texts, each with the text it becomes in the target."""


_REGEX = {
    Type.INT: "[0-9]{1,9}",
    Type.AUTO: "|_[1-9][0-9]{0,8}",
    Type.NAME: "[^/]+",
    Type.PATH: "[^/]+(?:/[^/]+)*",
}


@dataclass(frozen=True)
class Placeholder:
    """A declared placeholder; ``choices`` maps each text in the source to its text in the target.

    Without slots, for the properties that are calculated once for all patterns that hold it.
    """

    name: str
    type: Type
    choices: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def regex(self) -> str:
        """What it matches, as a regular expression without groups."""
        if self.type is Type.CHOICE:
            return "|".join(re.escape(text) for text in sorted(self.choices, key=lambda text: (-len(text), text)))
        return _REGEX[self.type]

    @cached_property
    def numeric(self) -> bool:
        """True when it can be calculated with."""
        if self.type is Type.CHOICE:
            return all(re.fullmatch("0|[1-9][0-9]{0,8}", value) for value in self.choices.values())
        return self.type in (Type.INT, Type.AUTO)

    @cached_property
    def ambiguity(self) -> int:
        """In how many ways it can match at one place, at most."""
        if self.type is Type.AUTO:
            return 2
        deepest, prefixes = 1, [""]
        for text in sorted(self.choices):
            while not text.startswith(prefixes[-1]):
                prefixes.pop()
            prefixes.append(text)
            deepest = max(deepest, len(prefixes) - 1)
        return deepest

    def value(self, text: str) -> str:
        """What the matched text becomes in the target: a number is written without leading zeros."""
        if self.type is Type.CHOICE:
            return self.choices[text]
        return str(int(text)) if self.type is Type.INT else text

    def number(self, text: str) -> int:
        """The number that the matched text stands for."""
        if self.type is Type.AUTO:
            return int(text[1:]) if text else 0
        return int(self.value(text))


Where = Mapping[str, Placeholder]
Parts = tuple["str | Placeholder", ...]
"""Literal texts and placeholders in turn."""


@dataclass(frozen=True)
class Pattern:
    """A full-match pattern: ``parts`` are literal texts and placeholders."""

    text: str
    parts: Parts

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """Compiled when a name is first tried against it: many a pattern of a table never is."""
        return re.compile(self.expression)

    @property
    def expression(self) -> str:
        """What it matches, as a regular expression with a group for each placeholder."""
        return _regex(self.parts)

    @property
    def prefix(self) -> str:
        """The literal text that every match starts with."""
        first = self.parts[0]
        return first if isinstance(first, str) else ""

    @property
    def suffix(self) -> str:
        """The literal text that every match ends with."""
        last = self.parts[-1]
        return last if isinstance(last, str) else ""

    @property
    def alternatives(self) -> int:
        """How many alternatives its placeholders have together."""
        return sum(len(part.choices) for part in self.parts if isinstance(part, Placeholder))

    @property
    def names(self) -> frozenset[str]:
        """The placeholders it binds."""
        return frozenset(part.name for part in self.parts if isinstance(part, Placeholder))

    def placeholder(self, name: str) -> Placeholder:
        """The placeholder of this name; KeyError when it has none."""
        return {part.name: part for part in self.parts if isinstance(part, Placeholder)}[name]

    def match(self, name: str) -> Bindings | None:
        """The bindings under which the pattern is this whole name, None when it is not."""
        found = self.regex.fullmatch(name)
        return found.groupdict() if found else None

    def render(self, bindings: Bindings) -> str:
        """The name that the pattern matches with these bindings."""
        return "".join(part if isinstance(part, str) else bindings[part.name] for part in self.parts)

    @classmethod
    def literal(cls, text: str) -> Pattern:
        """The pattern that is this one name."""
        return cls(text, (text,))

    def __str__(self) -> str:
        return self.text


def components(parts: Parts) -> tuple[tuple[str | None, ...], bool]:
    """The components of what matches: a literal one as it is, one with placeholders as None.

    False beside them when more can follow: the first placeholder that can hold a slash ends the list.
    """
    found: list[str | None] = [""]
    for part in parts:
        if isinstance(part, str):
            first, *others = part.split("/")
            found[-1] = None if found[-1] is None else found[-1] + first
            found += others
        elif part.type is Type.PATH or any("/" in text for text in part.choices):
            return tuple(found[:-1]), False
        else:
            found[-1] = None
    return tuple(found), True


def parse_pattern(text: str, where: Where) -> Pattern:
    """Read a pattern whose placeholders are declared in ``where``; raises PatternError."""
    parts = [piece if literal else _placeholder(piece, where) for piece, literal in _pieces(text)]
    _check_literals(text)
    _check_linear(parts)
    return Pattern(text, tuple(parts))


def join_pattern(prefix: Pattern | None, pattern: Pattern) -> Pattern:
    """``prefix/pattern``, under the same restrictions; raises PatternError."""
    if prefix is None:
        return pattern
    clash = prefix.names & pattern.names
    if clash:
        raise PatternError(f"{{{min(clash)}}} is used by the included table too", "rename it")
    parts = _merge([*prefix.parts, "/", *pattern.parts])
    _check_linear(parts)
    return Pattern(f"{prefix.text}/{pattern.text}", tuple(parts))


@dataclass(frozen=True, slots=True)
class Expression:
    """A sum of placeholders times whole numbers, plus a constant; rendered plain, as ``auto`` or with leading zeros."""

    terms: tuple[tuple[int, Placeholder], ...]
    constant: int
    auto: bool
    plain: bool
    """True for a lone placeholder: its own text in the target is used."""
    width: int = 0
    """The digits that a number has at least, leading zeros among them."""
    same: bool = False
    """True where no ``to`` is written: numbers keep the zeros that they have in the source."""

    def render(self, bindings: Bindings) -> str:
        """The text for these bindings; raises PatternError for a number below zero."""
        if self.plain:
            placeholder = self.terms[0][1]
            if self.same and placeholder.type is Type.INT:
                return bindings[placeholder.name]
            return placeholder.value(bindings[placeholder.name])
        number = self.constant + sum(factor * item.number(bindings[item.name]) for factor, item in self.terms)
        if not 0 <= number <= _MAX_NUMBER:
            raise PatternError(f"a number in the target name would be {number}")
        if self.auto:
            return f"_{number}" if number else ""
        return str(number).zfill(self.width)


@dataclass(frozen=True, slots=True)
class Template:
    """A target name with expressions over the placeholders of the rule's pattern."""

    text: str
    parts: tuple[str | Expression, ...]

    @property
    def names(self) -> frozenset[str]:
        """The placeholders it uses."""
        return frozenset(item.name for part in self.parts if isinstance(part, Expression) for _, item in part.terms)

    def render(self, bindings: Bindings) -> str:
        """The target name for these bindings; raises PatternError for a number below zero."""
        return "".join([part if isinstance(part, str) else part.render(bindings) for part in self.parts])

    def __str__(self) -> str:
        return self.text


def parse_template(text: str, where: Where, *, same: bool = False) -> Template:
    """Read a target name such as ``conv{b+1}_block{u}_{c}``, or a pattern whose target is the ``same`` name.

    Raises:
        PatternError: it is none.
    """
    parts = [piece if literal else _expression(piece, where, same) for piece, literal in _pieces(text)]
    _check_literals(text)
    return Template(text, tuple(parts))


def join_template(prefix: Template | None, template: Template) -> Template:
    """``prefix/template``."""
    if prefix is None:
        return template
    return Template(f"{prefix.text}/{template.text}", (*prefix.parts, "/", *template.parts))


def is_placeholder_name(text: str) -> bool:
    """True when a placeholder may be called so."""
    return _NAME.fullmatch(text) is not None


def _pieces(text: str) -> list[tuple[str, bool]]:
    """Literal texts (True) and the insides of braces (False), in order."""
    pieces, end = [], 0
    for found in _PIECE.finditer(text):
        if found[2]:
            raise PatternError(f'"{text}" has a brace without its partner')
        if found.start() > end:
            pieces.append((text[end : found.start()], True))
        pieces.append((found[1].strip(), False))
        end = found.end()
    if end < len(text):
        pieces.append((text[end:], True))
    return pieces


def _placeholder(inside: str, where: Where) -> Placeholder:
    if inside in where:
        return where[inside]
    if _NAME.fullmatch(inside):
        raise PatternError(
            f"the placeholder {{{inside}}} is not declared", did_you_mean(inside, where) or "declare it under `where`"
        )
    raise PatternError(f"{{{inside}}} is not a placeholder", "calculations and formats belong in `to`")


def _expression(inside: str, where: Where, same: bool) -> Expression:
    body, _, style = inside.partition(":")
    body, style = body.replace(" ", ""), style.strip()
    padded = _PADDED.fullmatch(style)
    if style not in ("", "int", "auto") and not padded:
        hint = "it can be `int`, `auto`, or `03` for a number of three digits"
        raise PatternError(f"{{{inside}}}: the format is {style!r}", hint)
    if not style and _NAME.fullmatch(body):
        return Expression(((1, _placeholder(body, where)),), 0, False, True, same=same)
    terms, constant, position = [], 0, 0
    while position < len(body):
        found = _TERM.match(body, position)
        if found is None or (position > 0 and not found[1]):
            raise PatternError(f"{{{inside}}} cannot be calculated", "write sums like {b+1} or {8*c+f+2}")
        sign, name = -1 if found[1] == "-" else 1, found[3] or found[4]
        factor = sign * int(found[2] or 1)
        if name:
            terms.append((factor, _number(name, where)))
        else:
            constant += factor
        position = found.end()
    if not terms:
        raise PatternError(f"{{{inside}}} holds no placeholder")
    return Expression(tuple(terms), constant, style == "auto", False, int(padded[1]) if padded else 0)


def _number(name: str, where: Where) -> Placeholder:
    placeholder = _placeholder(name, where)
    if not placeholder.numeric:
        raise PatternError(f"{{{name}}} does not stand for a number", "declare it `int` or map it to numbers")
    return placeholder


def _check_literals(text: str) -> None:
    literal = _PIECE.sub("", text)
    bad = sorted(_NOT_LITERAL.intersection(literal))
    if bad:
        raise PatternError(
            f'"{text}" holds {bad[0]!r}', "this is not a regular expression: use a placeholder in braces"
        )
    if not text or text != text.strip("/ ") or "//" in text:
        raise PatternError(f'"{text}" is not a variable name', "no empty components, no slash at either end")


def _check_linear(parts: Sequence[str | Placeholder]) -> None:
    """Refuse what could be matched in many ways, or slowly."""
    if sum(isinstance(part, Placeholder) and part.type is Type.PATH for part in parts) > 1:
        raise PatternError("a pattern can hold one `path` placeholder only")
    ways, free = 1, ""
    for before, part, after in zip(("", *parts), parts, (*parts[1:], ""), strict=False):
        if isinstance(part, str):
            free = free if "/" not in part else ""
            continue
        if isinstance(before, Placeholder):
            raise PatternError(f"{{{before.name}}} and {{{part.name}}} touch", "put a literal between them")
        _check_neighbors(before, part, after)
        if part.type is Type.NAME and free:
            raise PatternError(
                f"{{{free}}} and {{{part.name}}} share a component", "declare one of them more precisely"
            )
        free = part.name if part.type is Type.NAME else free
        ways *= part.ambiguity
    if ways > _MAX_AMBIGUITY:
        raise PatternError("the alternatives can be matched in too many ways", "declare them more precisely")


def _check_neighbors(before: str | Placeholder, part: Placeholder, after: str | Placeholder) -> None:
    left, right = before if isinstance(before, str) else "", after if isinstance(after, str) else ""
    if part.type is Type.PATH and not (left[-1:] in ("", "/") and right[:1] in ("", "/")):
        raise PatternError(f"{{{part.name}}} stands for whole components", "put slashes around it")
    if part.type is Type.INT and (left[-1:].isdigit() or right[:1].isdigit()):
        raise PatternError(f"{{{part.name}}} touches another digit", "nothing shows where the number ends")


def _regex(parts: Sequence[str | Placeholder]) -> str:
    seen: set[str] = set()
    pieces = []
    for part in parts:
        if isinstance(part, str):
            pieces.append(re.escape(part))
        elif part.name in seen:
            pieces.append(f"(?P={part.name})")
        else:
            seen.add(part.name)
            pieces.append(f"(?P<{part.name}>{part.regex})")
    return "".join(pieces)


def _merge(parts: Sequence[str | Placeholder]) -> list[str | Placeholder]:
    """The same parts with neighboring literals joined."""
    merged: list[str | Placeholder] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return merged
