"""Match names with patterns. ``ckptmap.families.detection.freezing.pattern_matching`` starts this module as a process.

It reads ``{"patterns": [...], "names": [...]}`` and answers each pattern with a line as soon as it is done: the numbers
of the names that it matches from their beginning, and of those that it finds anywhere in ``name:0``; or why it is no
regular expression.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence


def answer(text: str, names: Sequence[str]) -> list[list[int]] | str:
    """The numbers of the names for ``re.match`` and for ``re.search``, or what is wrong with the pattern."""
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError) as error:
        return str(error)
    except RecursionError:
        return "too many groups in groups"
    starts = [number for number, name in enumerate(names) if pattern.match(name)]
    return [starts, [number for number, name in enumerate(names) if pattern.search(f"{name}:0")]]


def main() -> None:
    """Answer what stands on the standard input, on the standard output."""
    asked = json.load(sys.stdin)
    for text in asked["patterns"]:
        sys.stdout.write(f"{json.dumps(answer(text, asked['names']))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
