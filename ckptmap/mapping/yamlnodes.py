"""YAML text to nodes that know their line, and typed access to them that collects every mistake.

Read through PyYAML's node graph with the safe loader: nothing is constructed. Anchors, aliases, tags and merge keys are
refused, so that a table says what it says in one place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import Problem
from ckptmap.basics.nearest import did_you_mean
from ckptmap.basics.regular import open_regular
from ckptmap.mapping.rule_ref import RuleRef

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

Node = Any
"""A yaml.Node; PyYAML is imported only when a table is read."""

_MAX_BYTES = 1_000_000
_MAX_DEPTH = 50
_LARGEST = 3.4e38
_NUMBER = r"[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?"
_INT = "tag:yaml.org,2002:int"
_BOOL = "tag:yaml.org,2002:bool"
_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One YAML file: how it is called in messages, the mistakes found in it so far, the SHA-256 of what was read.

    ``folder`` is where the files that it names are.
    """

    file: str
    problems: list[Problem] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    folder: Path = field(default_factory=Path)

    def ref(self, node: Node) -> RuleRef:
        """Where a node starts."""
        return RuleRef(self.file, node.start_mark.line + 1, node.start_mark.column)

    def error(self, node: Node | None, message: str, hint: str = "") -> None:
        """Note a mistake at a node (None: in the file as a whole)."""
        where = str(self.ref(node)) if node is not None else self.file
        self.problems.append(Problem(message, where, hint))

    def read(self, path: Path) -> Node | None:
        """The root node of a file; None, with the mistake noted, where there is none."""
        try:
            with open_regular(path) as handle:
                data = handle.read(_MAX_BYTES + 1)
        except OSError as error:
            self.error(None, f"cannot be read: {error.strerror}")
            return None
        if len(data) > _MAX_BYTES:
            self.error(None, "is too long", f"a table can have {_MAX_BYTES} bytes")
            return None
        self.digests[self.file] = _sha256(data)
        try:
            return self._compose(data.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            self.error(None, f"is not UTF-8 text (byte {error.start})")
        return None

    def _compose(self, text: str) -> Node | None:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        before = len(self.problems)
        try:
            self._check_events(yaml.parse(text, Loader=loader))
            root = yaml.compose(text, Loader=loader) if len(self.problems) == before else None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            if mark and (deep := _too_deep_before(mark, text, loader)):
                self._refuse_depth(deep)
                return None
            where = f"{self.file}:{mark.line + 1}" if mark else self.file
            self.problems.append(Problem(f"YAML syntax: {error.problem or error.context}", where))
            return None
        except yaml.YAMLError as error:
            self.error(None, f"YAML syntax: {error}")
            return None
        if root is None and len(self.problems) == before:
            self.error(None, "is empty")
        return root

    def _check_events(self, events: Iterable[Any]) -> None:
        """Note anchors, aliases and tags; stop where the text is nested deeper than a table can be."""
        for event, depth in _with_depth(events):
            if depth > _MAX_DEPTH:
                self._refuse_depth(event)
                return
            if getattr(event, "anchor", None):
                hint = "write it out, or include a table"
                self.error(event, f"anchors and aliases are not allowed ({event.anchor})", hint)
            if getattr(event, "tag", None):
                self.error(event, f"tags are not allowed ({event.tag})")

    def _refuse_depth(self, event: Any) -> None:
        self.error(event, "is nested too deeply", f"a table has up to {_MAX_DEPTH} levels")

    def mapping(
        self, node: Node, what: str, allowed: Collection[str], required: Collection[str] = ()
    ) -> dict[str, Node] | None:
        """The fields of a mapping node; None when it is none. Unknown, double and missing fields are noted."""
        pairs = self.pairs(node, what)
        if pairs is None:
            return None
        fields = {}
        for key, (key_node, value) in pairs.items():
            if key not in allowed:
                hint = did_you_mean(key, allowed) or f"known: {', '.join(allowed)}"
                self.error(key_node, f'{what} has no field "{key}"', hint)
            else:
                fields[key] = value
        for key in required:
            if key not in pairs:
                self.error(node, f'{what} lacks the field "{key}"')
        return fields

    def pairs(self, node: Node, what: str) -> dict[str, tuple[Node, Node]] | None:
        """Key text to (key node, value node); None when it is no mapping. Double keys are noted."""
        if node.id != "mapping":
            self.error(node, f"{what} must be a mapping (key: value), not {describe(node)}")
            return None
        pairs: dict[str, tuple[Node, Node]] = {}
        for key_node, value in node.value:
            if key_node.id != "scalar":
                self.error(key_node, f"a key of {what} must be a string, not {describe(key_node)}")
            elif key_node.value in pairs:
                first = pairs[key_node.value][0].start_mark.line + 1
                self.error(key_node, f'{what} has the key "{key_node.value}" twice', f"first in line {first}")
            else:
                pairs[key_node.value] = (key_node, value)
        return pairs

    def items(self, node: Node, what: str) -> list[Node]:
        """The items of a list node."""
        if node.id != "sequence":
            self.error(node, f"{what} must be a list, not {describe(node)}")
            return []
        return list(node.value)

    def text(self, node: Node, what: str) -> str | None:
        """The text of a scalar as it is written (``0`` and ``no`` stay text)."""
        if node.id != "scalar" or (node.tag == _NULL and not node.style):
            self.error(node, f"{what} must be a string, not {describe(node)}")
            return None
        return str(node.value)

    def flag(self, node: Node | None, what: str, default: bool) -> bool:
        """``true`` or ``false``."""
        if node is None:
            return default
        if node.id != "scalar" or node.tag != _BOOL or node.value not in ("true", "false"):
            self.error(node, f"{what} must be true or false, not {describe(node)}")
            return default
        return bool(node.value == "true")

    def integer(self, node: Node, what: str) -> int | None:
        """A whole number."""
        if node.id == "scalar" and node.tag == _INT and re.fullmatch("-?(0|[1-9][0-9]{0,11})", node.value):
            return int(node.value)
        self.error(node, f"{what} must be a whole number, not {describe(node)}")
        return None

    def integers(self, node: Node, what: str) -> tuple[int, ...] | None:
        """A list of whole numbers."""
        numbers = [self.integer(item, f"an item of {what}") for item in self.items(node, what)]
        if node.id != "sequence" or None in numbers:
            return None
        if not numbers:
            self.error(node, f"{what} is empty")
            return None
        return tuple(number for number in numbers if number is not None)

    def number(self, node: Node, what: str) -> float | None:
        """A finite number."""
        if node.id == "scalar" and not node.style and re.fullmatch(_NUMBER, node.value):
            number = float(node.value)
            if abs(number) <= _LARGEST:
                return number
        self.error(node, f"{what} must be a number, not {describe(node)}")
        return None


def _with_depth(events: Iterable[Any]) -> Iterator[tuple[Any, int]]:
    """Each event with the number of what is open after it."""
    depth = 0
    for event in events:
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        yield event, depth


def _too_deep_before(mark: Any, text: str, loader: Any) -> Any | None:
    """The first event that is too deep, of the text before the place that PyYAML refuses.

    PyYAML has a limit of its own, which is higher, and reads ahead: it may refuse before it has told of any level.
    """
    import yaml

    try:
        events = _with_depth(yaml.parse(text[: mark.index], Loader=loader))
        return next((event for event, depth in events if depth > _MAX_DEPTH), None)
    except yaml.YAMLError:
        return None  # the text ends in the middle


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def describe(node: Node) -> str:
    """A node in a few words, for messages."""
    if node.id == "mapping":
        return "a mapping"
    if node.id == "sequence":
        return "a list"
    if node.tag == _NULL and not node.style:
        return "nothing"
    text = str(node.value)
    return f'"{text if len(text) <= 40 else text[:37] + "..."}"'
