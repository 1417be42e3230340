"""Where the shipped tables are: inside the installed package, or beside it in a source checkout."""

from __future__ import annotations

from collections.abc import Collection
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


def schema_file() -> Path:
    """The JSON Schema of tables, as editors take it."""
    return mappings_root() / _SCHEMA


def all_tables(folders: Collection[str] = ()) -> dict[str, Path]:
    """Name with its folder (``kinds/slim``) and file of every shipped table; of ``folders`` alone where any are named.

    Raises:
        CkptmapError: there is no such folder of tables.
    """
    root = mappings_root()
    files = {path.relative_to(root).with_suffix("").as_posix(): path for path in sorted(root.rglob("*.yaml"))}
    known = dict.fromkeys(name.partition("/")[0] for name in files)
    for folder in folders:
        if folder not in known:
            raise CkptmapError(f"there is no folder {folder} of tables", hint=f"known: {', '.join(known)}")
    return {name: path for name, path in files.items() if not folders or name.partition("/")[0] in folders}


def table_file(name: str) -> Path:
    """The file of a shipped table by the name that a target gives it: ``ssd_mobilenet_v2``, ``classification/vgg``."""
    own = mappings_root() / f"{name}.yaml"
    return own if "/" in name else shipped_tables().get(name, own)


def shipped_tables(*directories: str) -> dict[str, Path]:
    """Name and file of each shipped table in these directories, sorted by name; without any, those of whole models."""
    chosen = directories or tuple(name for family in contributions() for name in family.tables)
    paths = (path for name in chosen for path in (mappings_root() / name).glob("*.yaml"))
    return {path.stem: path for path in sorted(paths, key=lambda path: path.stem)}
