"""Write every attack into a folder of its own below the one that is named."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.hostile.attacks import ATTACKS

for one in ATTACKS:
    folder = Path(sys.argv[1]) / one.name
    folder.mkdir(parents=True)
    one.make(folder)
