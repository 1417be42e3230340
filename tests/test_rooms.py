"""The folders of ckptmap are in one order, and every import leads down it: this is what docs/architecture.md draws.

``python -m pytest tests/test_rooms.py -rP`` prints the rooms and how many imports lead from one to another.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "ckptmap"

ORDER = (
    "basics",
    "checkpoint",
    "mapping",
    "targets",
    "planning",
    "execution",
    "families",
    "request",
    "report",
    "inspection",
    "diff",
    "audit",
    "suggest",
    "verbs",
    "beam",
    "tf",
    "cli",
)
"""From the bottom up: a room knows only those before it."""

UNDER_EVERY_ROOM = {"ckptmap", "ckptmap.version"}
"""The package itself, which offers the verbs by name and imports none of them, and its version."""


def _modules() -> dict[str, Path]:
    paths = {path: path.relative_to(ROOT).with_suffix("").parts for path in PACKAGE.rglob("*.py")}
    return {".".join(parts[:-1] if parts[-1] == "__init__" else parts): path for path, parts in paths.items()}


def _imported(source: str, modules: Mapping[str, object], *, types: bool) -> Iterator[str]:
    """The modules of ckptmap that a module's text imports, anywhere in it; those for its types where ``types``."""
    for node in _imports(ast.parse(source), types=types):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif node.module is not None and node.module.partition(".")[0] == "ckptmap":
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from (names & modules.keys()) or {node.module}


def _imports(tree: ast.AST, *, types: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif types or not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from _imports(node, types=types)


def _graph(*, types: bool) -> dict[str, set[str]]:
    modules = _modules()
    return {
        name: {found for found in _imported(path.read_text("utf-8"), modules, types=types) if found != name}
        for name, path in modules.items()
    }


def _modules_in_strings(source: str, modules: Mapping[str, object]) -> Iterator[str]:
    """The modules that a text names in strings, as ``module`` or ``module:function``: imported when they are needed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.partition(":")[0]
            if name in modules:
                yield name


def _room(module: str) -> str:
    return module.split(".")[1]


def _arrows() -> dict[tuple[str, str], list[str]]:
    """The imports between rooms, as text."""
    arrows = defaultdict(list)
    modules = _modules()
    single = {name: path for name, path in modules.items() if path.stem != "__init__"}
    for name, imported in _graph(types=True).items():
        if name in UNDER_EVERY_ROOM or name == "ckptmap.__main__":
            continue
        named = _modules_in_strings(modules[name].read_text("utf-8"), single)
        for other in (imported | set(named)) - UNDER_EVERY_ROOM:
            if _room(name) != _room(other):
                arrows[_room(name), _room(other)].append(f"{name} imports {other}")
    return arrows


def test_every_room_has_its_place_in_the_order() -> None:
    rooms = {_room(name) for name in _modules() if name not in UNDER_EVERY_ROOM | {"ckptmap.__main__"}}
    assert rooms == set(ORDER)


def test_every_import_leads_down() -> None:
    arrows = _arrows()
    count = sum(map(len, arrows.values()))
    sys.stdout.write(f"{len(ORDER)} rooms, {len(arrows)} arrows between them, {count} imports\n")
    for (room, other), imports in sorted(arrows.items(), key=lambda arrow: -len(arrow[1])):
        sys.stdout.write(f"{len(imports):4} {room} -> {other}\n")
    up = [text for (room, other), texts in arrows.items() if ORDER.index(other) > ORDER.index(room) for text in texts]
    assert sorted(up) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter(_graph(types=True)).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_modules_lie_in_rooms() -> None:
    loose = {path.name for path in PACKAGE.glob("*.py")}
    assert loose == {"__init__.py", "__main__.py", "version.py"}


def test_the_reader_of_imports_sees_every_way_to_write_one() -> None:
    modules = dict.fromkeys(["ckptmap", "ckptmap.a", "ckptmap.a.b", "ckptmap.c"])
    source = (
        "import ckptmap.c\nfrom ckptmap.a import b, other\ndef f():\n    from ckptmap.a.b import g\n"
        "if TYPE_CHECKING:\n    from ckptmap import c\n"
    )
    assert Counter(_imported(source, modules, types=False)) == {"ckptmap.c": 1, "ckptmap.a.b": 2}
    assert Counter(_imported(source, modules, types=True)) == {"ckptmap.c": 2, "ckptmap.a.b": 2}
    strings = 'A = {"ckptmap.c/1": "ckptmap.a.b:f"}\nB = "of ckptmap.c"'
    assert list(_modules_in_strings(strings, modules)) == ["ckptmap.a.b"]


def test_one_module_looks_for_the_nearest_names() -> None:
    asking = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "import difflib" in path.read_text("utf-8")
    }
    assert asking == {"basics/nearest.py"}


def test_the_page_lists_the_rooms_in_this_order() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    assert tuple(re.findall(r"^\| `(\w+)/` \|", page, re.MULTILINE)) == ORDER


def test_the_page_names_every_family() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| `families/` |"))
    folders = {path.parent.name for path in (PACKAGE / "families").glob("*/family.py")}
    assert {folder for folder in folders if f"`{folder}/`" not in row} == set()
