"""Planning alone: ``python -m benchmarks.planning SOURCE TEMPLATE TABLE`` prints the seconds that the plan took."""

from __future__ import annotations

import sys
import time

from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.planning.choices import PlanOptions
from ckptmap.request.resolve import find_destination
from ckptmap.verbs.conversion import plan_to


def main(source: str, template: str, table: str) -> None:
    """Read the indexes and the table, then plan."""
    destination = find_destination(template, table, None, PlanOptions())
    with open_checkpoint(source) as checkpoint:
        inventory = checkpoint.inventory
    start = time.perf_counter()
    plan = plan_to(inventory, destination)
    seconds = time.perf_counter() - start
    if plan.summary["restored"] != len(inventory.variables):
        raise SystemExit(f"{plan.summary}")
    print(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
