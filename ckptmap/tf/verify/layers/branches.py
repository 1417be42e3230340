"""What has no value in a graph with conditions: the branches that are not taken.

Conditions inside loops are not asked: a loop is one unit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from ckptmap.tf.verify.general.side import Node, Running

    Array = np.ndarray[Any, Any]

SWITCHES = frozenset({"Switch", "RefSwitch", "_SwitchN"})
"""They hand their first input on to the output that their second one chooses."""
MERGES = frozenset({"Merge", "RefMerge"})
"""They hand on which of their inputs has a value."""
_BACK = "NextIteration"


def find_dead(running: Running, feeds: Mapping[str, Array], looping: Collection[str]) -> frozenset[str]:
    """The nodes without a value when the model is run on ``feeds``, and outputs (``scope/cond/Switch:1``) without one.

    ``looping`` are the nodes inside loops. Raises CkptmapError where the model cannot be run.
    """
    nodes = running.side.nodes
    switches = [node for node in nodes if node.op in SWITCHES and node.name not in looping]
    taken: dict[str, int] = {}
    while True:
        dead = _dead(nodes, taken)
        undecided = _undecided(nodes, {node.name for node in switches} - taken.keys())
        asked = {
            node.name: _tensor(node.inputs[1])
            for node in switches
            if node.name not in dead | taken.keys() and node.inputs[1].partition(":")[0] not in undecided
        }
        if not asked:
            return dead
        values = running.run(feeds, list(dict.fromkeys(asked.values())))
        taken |= {name: int(values[tensor]) for name, tensor in asked.items()}


def is_dead(name: str, dead: Collection[str]) -> bool:
    """Whether what a node's input names has no value."""
    plain = name.removeprefix("^")
    return plain.partition(":")[0] in dead or _tensor(plain) in dead


def _undecided(nodes: Sequence[Node], switches: Collection[str]) -> set[str]:
    """The nodes that may or may not have a value: they stand behind ``switches``."""
    found = set(switches)
    for node in nodes:
        if any(one.removeprefix("^").partition(":")[0] in found for one in node.inputs):
            found.add(node.name)
    return found


def _dead(nodes: Sequence[Node], taken: Mapping[str, int]) -> frozenset[str]:
    """All that is dead when the switches choose what ``taken`` says. Each node stands behind those that it reads."""
    dead: set[str] = set()
    back = {node.name for node in nodes if node.op == _BACK}
    for node in nodes:
        lost = [is_dead(one, dead) for one in node.inputs if one.partition(":")[0] not in back]
        if lost and (all(lost) if node.op in MERGES else any(lost)):
            dead.add(node.name)
        elif node.name in taken:
            count, chosen = int(node.attributes.get("num_outs", 2)), taken[node.name]
            live = chosen if 0 <= chosen < count else count - 1
            dead |= {f"{node.name}:{at}" for at in range(count) if at != live}
    return frozenset(dead)


def _tensor(name: str) -> str:
    return name if ":" in name else f"{name}:0"
