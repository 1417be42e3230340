"""weightbridge (PyPI) on the same pairs: ``python peer.py families language`` in an environment that has it.

Imports nothing of ckptmap. Prints a line of JSON for each pair: name, how many variables got their right partner, how
many there are, and why it gave up where it did. weightbridge pairs all of two models or nothing; it says no certainty.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import weightbridge

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.suggest.pairs import TruePair, load_pairs

SMALLEST = 18
"""How many pairs are tried: for the larger ones it has no answer in minutes."""
SECONDS = 20
"""For one pair, of the processor's own time."""


class TooLongError(Exception):
    """The time for a pair is over."""


def _over(*_: Any) -> None:
    raise TooLongError(f"no answer in {SECONDS} s")


def main() -> None:
    """Try the smallest pairs."""
    signal.signal(signal.SIGPROF, _over)
    for pair in sorted(load_pairs(*sys.argv[1:]), key=lambda one: len(one.old))[:SMALLEST]:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            right, why = _right(pair), ""
        except Exception as error:  # noqa: BLE001  whatever it raises: the others go on
            right, why = 0, f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps({"name": pair.name, "right": right, "count": len(pair.truth), "gave_up": why}), flush=True)


def _right(pair: TruePair) -> int:
    """How many new variables get the old one that they come from; values are numbers that say which is which."""
    old = [(name, shape) for name, shape in pair.old if name != "global_step"]
    number = {name: at + 1 for at, (name, _) in enumerate(old)}
    given = {name: np.broadcast_to(np.float32(number[name]), shape) for name, shape in old}
    readable = len({name for _, name, _ in pair.new}) == len(pair.new)
    called = {key: name if readable else key for key, name, _ in pair.new}
    wanted = {called[key]: np.broadcast_to(np.float32(0), shape) for key, _, shape in pair.new}
    found = weightbridge.adapt(
        given,
        wanted,
        in_format="tensorflow",
        out_format="tensorflow",
        in_separator="/",
        out_separator="/",
        ignore_unmatched_inputs=True,
        ignore_unmatched_outputs=True,
    )
    return sum(
        called[key] in found and int(np.asarray(found[called[key]]).flat[0]) == number[names[0]] and len(names) == 1
        for key, names in pair.truth.items()
    )


if __name__ == "__main__":
    main()
