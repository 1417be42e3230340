"""Where the shipped tables are: inside the installed package, or beside it in a source checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ckptmap.basics.errors import CkptmapError

DETECTORS = "detectors"


@cache
def mappings_root() -> Path:
    """The directory of the shipped tables; raises CkptmapError when the installation lacks it."""
    package = Path(__file__).resolve().parent.parent
    for root in (package / "_mappings", package.parent / "mappings"):
        if (root / DETECTORS).is_dir():
            return root
    raise CkptmapError("the mapping tables are missing from this installation", hint="install ckptmap again")


def shipped_tables(directory: str = DETECTORS) -> dict[str, Path]:
    """Name and file of each shipped table in ``detectors`` (or another directory), sorted by name."""
    return {path.stem: path for path in sorted((mappings_root() / directory).glob("*.yaml"))}
