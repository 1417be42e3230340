"""Many names as few lines: numbered groups fold to ``ConvolutionalClassHead_{0..5}``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Group:
    """Names that differ in their numbers only: ``label`` shows the numbers as ranges, ``names`` keeps their order."""

    label: str
    names: tuple[str, ...]


def fold(names: Iterable[str]) -> tuple[Group, ...]:
    """Groups of names that are alike but for their numbers, in the order of first appearance."""
    members: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        members.setdefault(tuple(_NUMBER.split(name)), []).append(name)
    return tuple(Group(_label(group), tuple(group)) for group in members.values())


def layer(name: str) -> str:
    """The layer that a variable belongs to: its name without the last component."""
    return name.rpartition("/")[0] or name


def _label(names: list[str]) -> str:
    texts = _NUMBER.split(names[0])
    columns = list(zip(*(_NUMBER.findall(name) for name in names), strict=True))
    ranges = [_range(sorted(set(map(int, column))), column[0]) for column in columns]
    return "".join(text + number for text, number in zip(texts, [*ranges, ""], strict=True))


def _range(numbers: list[int], as_written: str) -> str:
    if len(numbers) == 1:
        return as_written
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{{{numbers[0]}..{numbers[-1]}}}"
    shown = ",".join(map(str, numbers[:6]))
    return f"{{{shown},…}}" if len(numbers) > 6 else f"{{{shown}}}"
