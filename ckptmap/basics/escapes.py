"""Names come from files that anybody may have made: nothing of them reaches a terminal unescaped."""

from __future__ import annotations


def printable(text: str) -> str:
    """``text`` with control characters, bidirectional overrides and lone surrogates shown as escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
