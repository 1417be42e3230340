"""What the programs share that prove a family's rows: their command line, the results that they keep, the table."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
REACHED = 1e-3
"""Of the output's spread: two hundred times what an equal model may differ by."""


@dataclass(frozen=True)
class Proof:
    """What came of a row: ``restored`` of the TF2 model's ``variables``; ``difference`` in the output's spread."""

    verdict: str
    variables: int
    restored: int
    unused: int
    difference: float


def outputs_that_depend(run: Callable[[Array], Array], inputs: Array) -> Array:
    """What ``run`` makes of ``inputs``, which has to depend on them.

    Random weights may close a network's gates, or outweigh what the input adds. Then a wrong model gives the same.
    """
    found = run(inputs)
    reached = float(np.abs(run(np.flip(inputs, 1)) - found).max() / found.std())
    assert reached > REACHED, f"the input hardly changes the output ({reached:.1e} of its spread): this proves nothing"
    return found


def markdown(header: str, proofs: Iterable[tuple[Any, Any]], cells: Callable[[Any, Any], Iterator[str]]) -> str:
    """The proofs in Markdown, a line a row."""
    return header + "".join(f"| {' | '.join(cells(row, proof))} |\n" for row, proof in proofs)


def prove_rows(
    program: str,
    rows: Mapping[str, Any],
    prove: Callable[[Any, Path], Any],
    as_expected: Callable[[Any, Any], bool],
    table: Callable[[Sequence[tuple[Any, Any]]], str],
    arguments: Sequence[str],
    kind: type[Any] = Proof,
) -> int:
    """Prove the rows and write their table; 1 where one is not as expected."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=prove_rows.__doc__)
    parser.add_argument("--only", default="*", help="rows whose names match")
    parser.add_argument("--work", type=Path, help="keep results here, and take those that are there")
    parser.add_argument("table", type=Path)
    options = parser.parse_args(arguments)
    proofs = []
    with tempfile.TemporaryDirectory() as own:
        kept = options.work or Path(own)
        kept.mkdir(parents=True, exist_ok=True)
        for name in (name for name in rows if fnmatch(name, options.only)):
            file = kept / f"{name}.json"
            if not file.exists():
                with tempfile.TemporaryDirectory() as folder:
                    file.write_text(json.dumps(asdict(prove(rows[name], Path(folder)))), encoding="utf-8")
            proof = kind(**json.loads(file.read_text(encoding="utf-8")))
            proofs.append((rows[name], proof))
            print(name, proof, as_expected(rows[name], proof), file=sys.stderr, flush=True)  # noqa: T201
    options.table.write_text(table(proofs), encoding="utf-8")
    return 0 if all(as_expected(*one) for one in proofs) else 1
