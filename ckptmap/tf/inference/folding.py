"""Conditions that are decided: the branch that is taken stays, the other goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ckptmap.tf.inference.nodes import base, in_order, place

_SWITCHES, _MERGES = frozenset({"Switch", "RefSwitch"}), frozenset({"Merge", "RefMerge"})
_SAME, _OPPOSITE = frozenset({"Identity", "Squeeze", "Reshape"}), "LogicalNot"
_ALL = -1
"""Stands for every output of a node."""


def fold_switches(graph: Any, flags: Mapping[str, bool | float]) -> None:
    """Decide the conditions on ``flags``, in place: a Switch hands its value on, a Merge takes the live side.

    A Switch on anything else stays, and so do loops.
    """
    ordered = in_order(graph.node)
    fold = _Fold(decided(ordered, flags))
    for node in ordered:
        fold.follow(node)
    for node in graph.node:
        fold.change(node)


def decided(ordered: list[Any], flags: Mapping[str, bool | float]) -> dict[str, bool]:
    """The value of each predicate that depends on flags alone."""
    known = {name: value for name, value in flags.items() if isinstance(value, bool)}
    for node in ordered:
        source = base(node.input[0]) if node.input else ""
        if source in known and (node.op in _SAME or node.op == _OPPOSITE):
            known[node.name] = known[source] ^ (node.op == _OPPOSITE)
    return known


@dataclass(slots=True)
class _Fold:
    """Which outputs never have a value, by node and place."""

    known: Mapping[str, bool]
    dead: set[tuple[str, int]] = field(default_factory=set)
    switches: set[str] = field(default_factory=set)

    def follow(self, node: Any) -> None:
        """Note which outputs of a node are dead; the nodes before it are known."""
        lost = [self._is_dead(one) for one in node.input]
        if node.op in _SWITCHES and base(node.input[1]) in self.known:
            self.switches.add(node.name)
            self.dead.add((node.name, _ALL if lost[0] else int(not self.known[base(node.input[1])])))
        elif all(lost) if node.op in _MERGES else any(lost):
            self.dead.add((node.name, _ALL))

    def change(self, node: Any) -> None:
        """Rewrite a node: what it reads, and what it is where it is a decided Switch or Merge."""
        alive = [self._source(one) for one in node.input if node.op not in _MERGES or not self._is_dead(one)]
        if node.name in self.switches or (node.op in _MERGES and len(alive) == 1 < len(node.input)):
            become_identity(node, alive[0])
        else:
            del node.input[:]
            node.input.extend(alive)

    def _is_dead(self, name: str) -> bool:
        return not {(base(name), _ALL), (base(name), place(name))}.isdisjoint(self.dead)

    def _source(self, name: str) -> str:
        """A Switch that hands its value on has one output."""
        return base(name) if base(name) in self.switches and not name.startswith("^") else name


def become_identity(node: Any, source: str) -> None:
    """Let ``node`` hand ``source`` on."""
    dtype = node.attr["T"].type
    node.op = "Identity"
    del node.input[:]
    node.input.append(source)
    for name in list(node.attr):
        del node.attr[name]
    node.attr["T"].type = dtype
