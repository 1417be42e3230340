"""Which names regular expressions match, in bounded time.

A pattern comes from a config that anybody may have written, and Python's ``re``, which TF1 asks, can go on forever with
one such as ``(a+)+b``. No other engine has all that ``re`` has, so it is ``re`` that decides, in a process that is
ended when its time is over.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ckptmap.basics.errors import CkptmapError, Problem, ProblemsError
from ckptmap.families.detection.freezing.frozen_weights import Pattern

SECONDS = 10.0
"""For all patterns together; those of real configs take a few milliseconds."""
MOST_PATTERNS = 1000
_PROCESS = Path(__file__).with_name("match_process.py")
_NO_PATTERN = "a pattern is a Python regular expression: '.*' stands for anything, a lone '*' is a mistake"
_TOO_LONG = "a repeat in a repeat, as in (a+)+, makes Python try every way to divide a name, and TF1 too: write one"


@dataclass(frozen=True, slots=True)
class Hits:
    """The names that a pattern matches from their beginning (``train``), and those with ``:0`` that it finds itself in
    (``model_main``)."""

    train: frozenset[str] = frozenset()
    model_main: frozenset[str] = frozenset()


def find_hits(patterns: Sequence[Pattern], names: Sequence[str]) -> dict[str, Hits]:
    """What each pattern's text matches among ``names``.

    Raises:
        ProblemsError: a pattern is not a regular expression, as TF1 would fail with it, or the patterns
            take longer than ``SECONDS``, or there are more than ``MOST_PATTERNS``.
    """
    texts = list(dict.fromkeys(pattern.text for pattern in patterns))
    if len(texts) > MOST_PATTERNS:
        raise _unusable(
            Problem(f"there are {len(texts):,}, at most {MOST_PATTERNS:,} are looked at", patterns[0].where)
        )
    answers = dict(zip(texts, _answers(texts, names, SECONDS), strict=False))
    if problems := [problem for pattern in patterns if (problem := _unreadable(pattern, answers))]:
        raise _unusable(*problems)
    if unanswered := [pattern for pattern in patterns if pattern.text not in answers]:
        first = unanswered[0]
        raise _unusable(Problem(f"{_shown(first)} was not done after {SECONDS:g} seconds", first.where, _TOO_LONG))
    return {text: _hits(found, names) for text, found in answers.items() if not isinstance(found, str)}


def try_hits(texts: Sequence[str], names: Sequence[str]) -> dict[str, Hits]:
    """The same for patterns that nobody wrote: those that cannot be used, or not in a short time, are left out."""
    answers = zip(texts, _answers(texts, names, SECONDS / 3), strict=False)
    return {text: _hits(found, names) for text, found in answers if not isinstance(found, str)}


_Answer = list[list[int]] | str


def _answers(texts: Sequence[str], names: Sequence[str], seconds: float) -> list[_Answer]:
    """The answers of the process, in order; those that it has no time for are missing."""
    if not texts:
        return []
    asked = json.dumps({"patterns": texts, "names": names}).encode()
    command = [sys.executable, "-I", "-S", "-W", "ignore", str(_PROCESS)]
    try:
        # the command is Python on a file of ours; patterns and names are its input
        done = subprocess.run(command, input=asked, capture_output=True, check=True, timeout=seconds)  # noqa: S603
        told = done.stdout
    except subprocess.TimeoutExpired as error:
        told = error.stdout or b""
    except (OSError, subprocess.CalledProcessError) as error:
        raise CkptmapError("patterns cannot be matched: Python does not start as a process") from error
    # a process that is ended may leave a line behind that is none yet
    return [json.loads(line) for line in told.splitlines(keepends=True) if line.endswith(b"\n")]


def _unusable(*problems: Problem) -> ProblemsError:
    return ProblemsError("patterns that cannot be used", problems)


def _unreadable(pattern: Pattern, answers: Mapping[str, _Answer]) -> Problem | None:
    found = answers.get(pattern.text)
    if not isinstance(found, str):
        return None
    return Problem(f"{_shown(pattern)} is not a regular expression: {found}", pattern.where, _NO_PATTERN)


def _shown(pattern: Pattern) -> str:
    return repr(pattern.text if len(pattern.text) <= 200 else f"{pattern.text[:200]}…")


def _hits(found: list[list[int]], names: Sequence[str]) -> Hits:
    train, model_main = (frozenset(names[number] for number in numbers) for numbers in found)
    return Hits(train, model_main)
