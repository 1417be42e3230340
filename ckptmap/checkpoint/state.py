"""The ``checkpoint`` state file: which checkpoint of a folder is the latest (checkpoint_state.proto, as text)."""

from __future__ import annotations

import re
from dataclasses import dataclass

STATE_FILE = "checkpoint"

# no character can be matched in two ways, and none beyond its line: the time is linear in the length of the text
_FIELD = re.compile(r"""^[ \t]*(\w+)[ \t]*:[ \t]*(["'])((?:\\.|(?!\2)[^\\\n])*)\2[ \t\r]*$""", re.MULTILINE)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)
_PLAIN_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


@dataclass(frozen=True, slots=True)
class CheckpointState:
    """What a state file names: prefixes, often absolute and of another machine."""

    latest: str
    kept: tuple[str, ...] = ()


def parse_state(text: str) -> CheckpointState | None:
    """The state in ``text``; None where it names no checkpoint."""
    values = [(match[1], _unescape(match[3])) for match in _FIELD.finditer(text)]
    latest = [value for name, value in values if name == "model_checkpoint_path"]
    kept = tuple(value for name, value in values if name == "all_model_checkpoint_paths")
    return CheckpointState(latest[-1], kept) if latest else None


def format_state(latest: str, kept: tuple[str, ...] = ()) -> str:
    """The text of a state file whose latest checkpoint is ``latest``, kept ones in order (``latest`` alone if none)."""
    lines = [f'model_checkpoint_path: "{_escape(latest)}"']
    lines += [f'all_model_checkpoint_paths: "{_escape(path)}"' for path in kept or (latest,)]
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    """Quotes, backslashes and control characters in the text format's own escapes; the rest stays UTF-8."""
    return "".join(f"\\{ord(c):03o}" if c < " " or c == "\x7f" else f"\\{c}" if c in '"\\' else c for c in text)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_escaped_bytes, text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def _escaped_bytes(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[:1] in b"01234567":
        return bytes([int(code, 8) & 0xFF])
    if len(code) > 1:
        return bytes([int(code[1:], 16)])
    return _PLAIN_ESCAPES.get(code, code)
