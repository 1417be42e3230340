"""How much memory this process has taken at most."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_bytes() -> int:
    """The peak of this program alone: on Linux ru_maxrss begins with what the process that started it held."""
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
