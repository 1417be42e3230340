"""Where the shipped tables are: inside the installed package, or beside it in a source checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ckptmap.basics.contributions import contributions
from ckptmap.basics.errors import CkptmapError

_SCHEMA = "table.schema.json"


@cache
def mappings_root() -> Path:
    """The directory of the shipped tables; raises CkptmapError when the installation lacks it."""
    package = Path(__file__).resolve().parent.parent
    for root in (package / "_mappings", package.parent / "mappings"):
        if (root / _SCHEMA).is_file():
            return root
    raise CkptmapError("the mapping tables are missing from this installation", hint="install ckptmap again")


def table_file(name: str) -> Path:
    """The file of a shipped table by the name that a target gives it: ``ssd_mobilenet_v2``, ``classification/vgg``."""
    own = mappings_root() / f"{name}.yaml"
    return own if "/" in name else shipped_tables().get(name, own)


def shipped_tables(*directories: str) -> dict[str, Path]:
    """Name and file of each shipped table in these directories, sorted by name; without any, those of whole models."""
    chosen = directories or tuple(name for family in contributions() for name in family.tables)
    paths = (path for name in chosen for path in (mappings_root() / name).glob("*.yaml"))
    return {path.stem: path for path in sorted(paths, key=lambda path: path.stem)}
