"""Put TF1 variables and shipped targets together to true pairs, by the shipped tables.

    python -m benchmarks.suggest.make_pairs FOLDER …

The folders are those that ``make_detectors`` and ``make_efficientdet`` wrote.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.suggest.flows import direct_flow
from benchmarks.suggest.pairs import TruePair, save_pairs
from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.planning.choices import PlanOptions
from ckptmap.planning.ledger import TargetFate
from ckptmap.planning.name_matching import match
from ckptmap.planning.plan import make_plan
from ckptmap.request.destination import find_destination

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ckptmap.request.destination import Destination


Old = list[tuple[str, tuple[int, ...]]]


def main(*folders: Path) -> None:
    """One pair for each graph in the folders; two for AutoML's, which become AutoML's own Keras model or the API's."""
    pairs = [pair for folder in folders for file in sorted(folder.glob("*.json")) for pair in _pairs(file)]
    save_pairs("detectors", "benchmarks/suggest/make_pairs.py", pairs)
    print(len(pairs), "pairs")


def _pairs(file: Path) -> Iterator[TruePair]:
    old = [(name, tuple(shape)) for name, shape in json.loads(file.read_text(encoding="utf-8"))["old"]]
    config = file.with_suffix(".config")
    for to in (None,) if config.exists() else (file.stem, file.stem.removeprefix("automl_")):
        yield from _attempt(file, to, old, str(config) if to is None else None)


def _attempt(file: Path, to: str | None, old: Old, config: str | None) -> Iterator[TruePair]:
    try:
        yield _pair(file, to or file.stem, old, find_destination(to, None, config, PlanOptions()))
    except CkptmapError as error:
        print(file.stem, to, "left out:", str(error)[:200])


def _pair(file: Path, name: str, old: Old, destination: Destination) -> TruePair:
    graph = file.with_suffix(".graph").read_bytes()
    found = {one: Variable(one, DType.FLOAT32, shape, 4 * math.prod(shape)) for one, shape in sorted(old)}
    matching = match(Inventory(Kind.V2, name, found), destination.table)
    plan = make_plan(matching, destination.target, destination.options)
    new = tuple((r.variable.key, r.variable.name, r.variable.shape) for r in plan.targets)
    truth = {r.variable.key: r.sources for r in plan.targets if r.fate is TargetFate.RESTORED}
    used = {record.rule for record in plan.targets if record.fate is TargetFate.RESTORED}
    return TruePair(name, tuple(old), new, truth, len(used), flow=direct_flow(tuple(old), graph))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
