"""Put TF1 variables and shipped targets together to true pairs, by the shipped tables.

    python -m benchmarks.suggest.make_pairs DETECTORS

``DETECTORS`` is the folder that ``make_detectors`` wrote.
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
from ckptmap.request.config_destination import configured

if TYPE_CHECKING:
    from ckptmap.request.destination import Destination


def main(folder: Path) -> None:
    """One pair for each graph in the folder."""
    pairs = []
    for file in sorted(folder.glob("*.json")):
        old = [(name, tuple(shape)) for name, shape in json.loads(file.read_text(encoding="utf-8"))["old"]]
        try:
            pairs.append(
                _pair(file, old, configured(str(file.with_suffix(".config")), None, None, PlanOptions(), "exact"))
            )
        except CkptmapError as error:
            print(file.stem, "left out:", str(error)[:200])
    save_pairs("detectors", "benchmarks/suggest/make_pairs.py", pairs)
    print(len(pairs), "pairs")


def _pair(file: Path, old: list[tuple[str, tuple[int, ...]]], destination: Destination) -> TruePair:
    name, graph = file.stem, file.with_suffix(".graph").read_bytes()
    found = {one: Variable(one, DType.FLOAT32, shape, 4 * math.prod(shape)) for one, shape in sorted(old)}
    matching = match(Inventory(Kind.V2, name, found), destination.table)
    plan = make_plan(matching, destination.target, destination.options)
    new = tuple((r.variable.key, r.variable.name, r.variable.shape) for r in plan.targets)
    truth = {r.variable.key: r.sources for r in plan.targets if r.fate is TargetFate.RESTORED}
    used = {record.rule for record in plan.targets if record.fate is TargetFate.RESTORED}
    return TruePair(name, tuple(old), new, truth, len(used), direct_flow(tuple(old), graph))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
