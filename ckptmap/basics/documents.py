"""Files that ckptmap or a user wrote, read as untrusted: texts of bounded size, JSON, reports."""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.escapes import printable
from ckptmap.basics.nearest import nearest_file
from ckptmap.basics.regular import open_regular

REPORT_NAME = "report.json"
_REPORTS = (REPORT_NAME, "batch.json")
"""The report beside what a command wrote."""
LARGEST = 512 << 20
"""Bytes of a document: a conversion of a million variables has as many."""
_DIGITS = 40
"""Of a whole number; all of 128 bits, such as a file's number on Windows, have fewer."""


def read_text(path: Path, most: int, encoding: str = "utf-8") -> str:
    """The text of a file of at most ``most`` bytes.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is larger, or no text.
    """
    with open_regular(path) as file:
        raw = file.read(most + 1)
    if len(raw) > most:
        raise ValueError(f"it is larger than {most} bytes")
    return raw.decode(encoding)


def parse_json(text: str) -> Any:
    """The JSON value.

    Raises:
        ValueError: it is none, is nested too deeply, or has a whole number that no file could hold.
    """
    try:
        return json.loads(text, parse_int=_integer)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"what begins on line {error.lineno}, column {error.colno} is not JSON") from None


def reason(error: Exception) -> str:
    """Why a file could not be read, without Python's own words."""
    if isinstance(error, OSError):
        return error.strerror or "the system does not say why"
    if isinstance(error, UnicodeDecodeError):
        return f"it is not {error.encoding.upper()} text from byte {error.start:,} on"
    return "it is not UTF-8 text" if isinstance(error, UnicodeError) else str(error)


def unforeseen(error: Exception) -> str:
    """What one item of many brought up that nobody foresaw: the system's reason, or what Python calls it."""
    return reason(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def read_document(path: Path) -> dict[str, Any]:
    """The document in a JSON file.

    Raises:
        CkptmapError: the file cannot be read, or holds something else.
    """
    try:
        text = read_text(path, LARGEST)
    except (OSError, ValueError) as error:
        raise _unreadable(error, str(path)) from error
    return document_in(text, str(path))


def document_in(text: str | bytes, where: str) -> dict[str, Any]:
    """The document that ``text`` is, which was read from ``where``.

    Raises:
        CkptmapError: it is something else.
    """
    try:
        document = parse_json(text.decode("utf-8") if isinstance(text, bytes) else text)
    except ValueError as error:
        raise _unreadable(error, where) from error
    if not isinstance(document, dict) or "schema" not in document:
        raise CkptmapError("is not a report of ckptmap", where=where, hint="give the report.json of a conversion")
    return document


def _unreadable(error: Exception, where: str) -> CkptmapError:
    hint = _report_near(where) or (nearest_file(where) if isinstance(error, FileNotFoundError) else "")
    if not hint and isinstance(error, ValueError) and not where.lower().endswith(".json"):
        hint = "give the report in JSON, such as report.json: the other formats are made from it"
    return CkptmapError(f"cannot be read as a report: {reason(error)}", where=where, hint=hint)


def _report_near(where: str) -> str:
    """The report in a folder, or beside the checkpoint, that was given in place of it; empty where there is none."""
    is_folder = os.path.isdir(where)  # noqa: PTH112  (names that no folder can have)
    if not is_folder and not os.path.isfile(f"{where}.index"):  # noqa: PTH113
        return ""
    folder = Path(where) if is_folder else Path(where).parent
    found = next((folder / name for name in _REPORTS if (folder / name).is_file()), None)
    return f"give its report: {printable(str(found))}" if found else ""


class MisstatedError(ValueError):
    """What a document says contradicts itself; the message says how, in words for its reader."""


@contextmanager
def following(schema: str, where: str = "") -> Iterator[None]:
    """For the work with a document that was read from ``where`` and says that it follows ``schema``.

    Not for documents that we made: what is wrong with them is no mistake of the user's.

    Raises:
        CkptmapError: a member that the schema asks for is missing, or is something else.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise CkptmapError(f"does not follow the schema {schema}: {_wrong(error)}", where=where) from error


def _wrong(error: Exception) -> str:
    if isinstance(error, KeyError) and error.args:
        return f"{reprlib.repr(error.args[0])} is missing"
    if isinstance(error, MisstatedError):
        return str(error)
    return "a value has the wrong type"
