"""Words and numbers as people read them, safe to print: control characters in names never reach the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_MOST_CLASSES = 5


def byte_count(count: int) -> str:
    """A size in decimal units, such as ``67.4 MB``."""
    size = float(count)
    for unit in _UNITS:
        if size < 1000 or unit == _UNITS[-1]:
            return f"{count} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def plural(count: int, noun: str, several: str = "") -> str:
    """``1 variable``, ``2 variables``; ``several`` where the plural is irregular."""
    return f"{count:,} {noun if count == 1 else several or noun + 's'}"


def counted(count: int, noun: str, verb: str, verbs: str, several: str = "") -> str:
    """``1 variable is``, ``2 variables are``: a number with its noun, and the verb that agrees with it."""
    return f"{plural(count, noun, several)} {verb if count == 1 else verbs}"


def parameter_count(count: int) -> str:
    """A number of parameters in thousands or millions, such as ``4.5 M``."""
    if count < 1000:
        return str(count)
    return f"{count / 1000:.1f} k" if count < 1_000_000 else f"{count / 1_000_000:.1f} M"


def checked(output: Mapping[str, Any]) -> str:
    """What a conversion's ``output`` says about its checksums."""
    verified = f"{output['verified']:,} of {output['verified']:,} checksums verified after writing"
    if not output["kept"]:
        return verified
    return f"{verified}, {plural(output['kept'], 'value')} untouched ({output['data']})"


def classes_text(classes: Mapping[str, list[str]]) -> str:
    """What became of the classes of two label maps, with the first names of each fate."""
    carried, new, dropped = (classes[fate] for fate in ("carried", "new", "dropped"))
    sides = [(f"{len(carried)} of {len(carried) + len(new)} carried over", carried), ("new", new), ("dropped", dropped)]
    return "; ".join(_with_first_names(text, names) for text, names in sides if names or names is carried)


def _with_first_names(text: str, names: list[str]) -> str:
    more = f", … ({len(names) - _MOST_CLASSES} more)" if len(names) > _MOST_CLASSES else ""
    return f"{text}: {', '.join(names[:_MOST_CLASSES])}{more}" if names else text


def optimizer_text(optimizer: Mapping[str, Any]) -> str:
    """The optimizer of a report: what it was and is, how many slots were carried over, its step."""
    kept = f"{plural(optimizer['carried'], 'slot')} carried over"
    fresh = f", {optimizer['fresh']:,} start anew" if optimizer["fresh"] else ""
    made = f"{optimizer['source']} → {optimizer['kind']} ({optimizer['layout']}) at {optimizer['path']}"
    return f"{made}: {kept}{fresh}; step {optimizer['step']:,}"


def one_line(text: str) -> str:
    """Lines as one, for the cell of a table: set apart by semicolons, unless a line ends with a colon."""
    lines = text.splitlines()
    return "".join(f"{line} " if line.endswith(":") else f"{line}; " for line in lines[:-1]) + "".join(lines[-1:])
