"""Long lines on a terminal: broken between words, and what follows stands below where the text of the line begins."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LABEL = re.compile(r"(?P<indent> *)(?:\S+(?: \S+)*(?P<gap> {2,}))?")
"""Blanks, then a label that two blanks part from the text."""
_WORD = re.compile(r"\S+")
_COMMANDS = ("ckptmap ", "python ", "pip ")
"""What is there to be copied stays one line."""
_LEAST = 20


def parts(line: str, width: int) -> tuple[int, list[tuple[int, int]]]:
    """How far the lines after the first are indented, and where each begins and ends in ``line``.

    A word that is longer than the width stays whole, and so does a command to copy.
    """
    if len(line) <= width:
        return 0, [(0, len(line))]
    found = _LABEL.match(line)
    indent = len(found["indent"]) if found else 0
    hang = found.end() if found and found["gap"] else indent
    if line[hang:].startswith(_COMMANDS):
        return 0, [(0, len(line))]
    longest = max(map(len, line[hang:].split()), default=0)
    if width - hang < max(_LEAST, width // 2):
        hang = indent + 2
    elif width - hang < longest <= width - indent - 2:
        hang = width - longest
    return hang, list(_pieces(line, width, hang))


def folded(line: str, width: int) -> list[str]:
    """The lines that ``line`` becomes on a terminal of this width, in columns."""
    hang, pieces = parts(line, width)
    return [f"{' ' * hang if number else ''}{line[start:end]}" for number, (start, end) in enumerate(pieces)]


def _pieces(line: str, width: int, hang: int) -> Iterator[tuple[int, int]]:
    """Where each line begins and ends; a label is never alone on the first one."""
    start, end = 0, 0
    room, first = width, hang
    for word in _WORD.finditer(line):
        if end > max(start, first) and word.end() - start > room:
            yield start, end
            start, room, first = word.start(), width - hang, 0
        end = word.end()
    yield start, end
