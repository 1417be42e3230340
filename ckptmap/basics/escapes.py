"""Names come from files that anybody may have made: nothing of them reaches a terminal or a log unescaped."""

from __future__ import annotations

import re

_COMMAND = re.compile(r"\A(?P<blank>\s*):(?=:)|#(?=#\w*\[)")
"""What starts a command in the log of a CI: GitHub reads ``::name`` at the start of a line, blanks aside, and
``##[name]`` anywhere in it, Azure ``##vso[…]``, TeamCity ``##teamcity[…]``."""


def printable(text: str) -> str:
    """``text`` with control characters, bidirectional overrides and lone surrogates shown as escapes.

    So is the first character of what a CI would take for a command, wherever the text comes to stand.
    """
    if not text.isprintable():
        text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
    return _COMMAND.sub(_escaped, text) if "::" in text or "##" in text else text


def _escaped(match: re.Match[str]) -> str:
    return "\\x23" if match[0] == "#" else f"{match['blank']}\\x3a"


def quiet_json(text: str) -> str:
    """JSON ``text`` with ASCII escapes, in which no CI finds a command: the same values, ``##`` written as escapes."""
    return text.replace("##", "\\u0023\\u0023")
