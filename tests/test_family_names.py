"""The core names no family of models: it moves names, shapes and bytes of any model, and families know the models."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ckptmap.families.classification.models import CLASSIFIERS
from ckptmap.families.detection.operations import AUTOML, EFFICIENTDET, Anchors, BoxCoder
from ckptmap.families.detection.pipeline.models import EXTRACTORS
from ckptmap.families.detection.recognition import architecture
from ckptmap.families.detection.recognition.backbones import SLIM
from ckptmap.families.language.models import LANGUAGES
from ckptmap.families.registry import families

PACKAGE = Path(__file__).resolve().parents[1] / "ckptmap"
CORE = ("basics", "checkpoint", "mapping", "targets", "planning", "execution")

_COMMON = {"b", "keras", "large", "mask", "recurrent", "small", "v", architecture.CLASSIFICATION}
"""Words of the families' own names that mean something without them."""
_OTHER_MEANING = {"mapping/yamlnodes.py": {"anchor", "anchors"}}
"""YAML has anchors of its own."""
WORDS = {
    *(family.name for family in families()),
    *(value for name, value in vars(architecture).items() if name.isupper() and isinstance(value, str)),
    *(word for name in EXTRACTORS for word in re.findall("[a-z]+", name)),
    *(word for network in SLIM for word in re.findall("[a-z]+", network.name)),
    *(word for name in CLASSIFIERS for word in re.findall("[a-z]+", name)),
    *LANGUAGES,
    *(operation.name for operation in (Anchors, BoxCoder)),
    *(AUTOML.strip("_"), EFFICIENTDET.strip("_")),
    *("anchor", "box_head", "box_net", "boxes", "detector", "extractor", "pipeline", "predictor", "train_config"),
} - _COMMON


def _strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every identifier and every string of a module but its docstrings, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        for name in ("id", "attr", "arg", "name", "module"):
            if isinstance(found := getattr(node, name, None), str):
                yield getattr(node, "lineno", 0), found


def _without_docstrings(tree: ast.AST) -> ast.AST:
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            node.body = [one for one in body if not _is_string(one)]  # type: ignore[attr-defined]
    return tree


def _is_string(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _named(text: str) -> set[str]:
    """The families' words in a text: whole ones, as they stand in ``BoxPredictor``, ``box_predictor`` and ``boxes``."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()
    return {word for word in WORDS if re.search(rf"(?<![a-z]){re.escape(word)}(?:s|es)?(?![a-z])", parts)}


def test_the_core_names_no_family() -> None:
    found = [
        f"{path.relative_to(PACKAGE.parent).as_posix()}:{line}: {', '.join(sorted(words))} in {text!r}"
        for room in CORE
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for line, text in _strings(_without_docstrings(ast.parse(path.read_text("utf-8"))))
        if (words := _named(text) - _OTHER_MEANING.get(path.relative_to(PACKAGE).as_posix(), set()))
    ]
    assert found == []


def test_no_string_alone_names_a_module_of_a_family() -> None:
    """A module that is imported by its name in a string would be an arrow that nobody sees."""
    found = [
        f"{path.relative_to(PACKAGE.parent).as_posix()}: {text!r}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] != "families"
        for text in _family_modules_in_strings(path.read_text("utf-8"))
    ]
    assert found == []


def _family_modules_in_strings(source: str) -> list[str]:
    """Those of families that the text does not import openly too."""
    tree = ast.parse(source)
    opened = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    strings = {text for _, text in _strings(_without_docstrings(tree)) if text not in opened}
    named = {text: match for text in strings if (match := re.match(r"ckptmap\.families\.(\w+)\.", text))}
    return sorted(text for text, match in named.items() if not any(one.startswith(match[0]) for one in opened))


def test_a_family_that_is_named_in_a_string_is_seen() -> None:
    name = "ckptmap.families.detection.c:d"
    assert _family_modules_in_strings(f'A = {{"b": "{name}"}}') == [name]
    assert _family_modules_in_strings('A = "ckptmap.families"\nB = "ckptmap.families.registry"') == []
    assert _family_modules_in_strings(f'from ckptmap.families.detection.a import b\nA = "{name}"') == []


def test_the_words_are_seen_however_they_are_written() -> None:
    assert _named("BoxPredictor_0/ClassPredictor") == {"predictor"}
    assert _named("ssd_mobilenet_v2") == {"ssd", "mobilenet"}
    assert _named("anchors_0*num_classes") == {"anchor", "anchors"}
    assert _named("assd unboxes") == set()
    source = '"""About an SSD."""\ndef f(anchor: int) -> str:\n    """An anchor."""\n    return "fpn"\n'
    tree = _without_docstrings(ast.parse(source))
    assert sorted(text for _, text in _strings(tree) if _named(text)) == ["anchor", "fpn"]


ALONE = """\
import json, sys
from ckptmap.mapping import op
from ckptmap.mapping.ops_json import op_from_json, op_to_json
before = [name for name in sys.modules if name.startswith("ckptmap.families")]
item = {"operation": "anchors", "axis": -1, "scales": 3, "ratios": 2}
again = op_to_json(op_from_json(item)) == item and op_from_json({"operation": "squeeze", "axes": [0]}).axes == (0,)
print(json.dumps([before, again]))
"""


def test_the_core_finds_the_operations_of_families_by_itself() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert json.loads(done.stdout) == [[], True]
