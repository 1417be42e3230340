"""Print constraints that hold every requirement of pyproject.toml at its lower bound, for ``pip install -c``.

``python3 .ci/lowest.py EXTRA …``: the requirements of the package, of these extras, and of the extras that they name.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(\[(?P<extras>[\w,-]+)\])?(?P<bounds>[^;]*)(?P<marker>;.*)?")
LOWER = re.compile(r"[>~=]=\s*([\w.]+)")


def requirements(project: dict[str, Any], extras: Iterable[str]) -> Iterator[re.Match[str]]:
    """Those of the extras; where one names more extras of the package, theirs."""
    for text in (text for extra in extras for text in project["optional-dependencies"][extra]):
        found = parse(text)
        if found["name"] == project["name"]:
            yield from requirements(project, found["extras"].split(","))
        else:
            yield found


def parse(text: str) -> re.Match[str]:
    """A requirement's name, extras, bounds and marker."""
    found = REQUIREMENT.fullmatch(text)
    if found is None:
        raise SystemExit(f"pyproject.toml: {text!r} is no requirement")
    return found


def constraint(requirement: re.Match[str]) -> str:
    """``numpy>=1.26`` is held at ``numpy==1.26``."""
    lower = LOWER.search(requirement["bounds"])
    if lower is None:
        raise SystemExit(f"pyproject.toml: {requirement[0]!r} has no lower bound")
    return f"{requirement['name']}=={lower[1]}{requirement['marker'] or ''}\n"


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*map(parse, project["dependencies"]), *requirements(project, sys.argv[1:])]
    sys.stdout.writelines(map(constraint, wanted))
