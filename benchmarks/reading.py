"""Reading alone: ``python -m benchmarks.reading SOURCE`` prints the seconds that reading every value took."""

from __future__ import annotations

import sys
import time

from ckptmap.checkpoint.reader import open_checkpoint


def main(source: str) -> None:
    """Read the index, then every value, as a conversion reads back what it wrote."""
    with open_checkpoint(source) as checkpoint:
        start = time.perf_counter()
        for name in checkpoint.inventory.variables:
            for _ in checkpoint.chunks(name):
                pass
        print(time.perf_counter() - start)


if __name__ == "__main__":
    main(*sys.argv[1:])
