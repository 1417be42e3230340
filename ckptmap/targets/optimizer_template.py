"""The optimizers in a TF2 checkpoint: whose slots are whose, from the object graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ckptmap.basics.errors import Problem
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.checkpoint.object_graph import OPTIMIZER_SLOT, VALUE_SUFFIX, VARIABLE_VALUE, Node, ObjectGraph, escape_name
from ckptmap.checkpoint.object_paths import ObjectPaths
from ckptmap.targets.optimizer import (
    AVERAGE,
    BUILD,
    KERAS_FORMS,
    LEGACY_FORMS,
    PART,
    LayoutName,
    OptimizersFound,
    SlotVariable,
    TargetOptimizer,
)
from ckptmap.targets.variables import TargetVariable

_NAMES = ("optimizer", "_optimizer")
_KERAS = {"_iterations", "_variables"}
_MOST_SCOPES = 8
"""Before the weight's name in that of its slot: the optimizer, the role, scopes around it."""
_WEIGHTS = "_trainable_variables"
_BESIDE = tuple(f"{name}/" for name in _NAMES)
_COUNTED = f"/_iterations{VALUE_SUFFIX}"
_STEPS = ("step", "global_step")


def template_optimizers(graph: ObjectGraph, known: ObjectPaths, inventory: Inventory, root: str) -> OptimizersFound:
    """The optimizers that ``graph`` holds beside the model at ``root``; paths of weights are those of ``known``."""
    reader = _Reader(graph, known, inventory, root)
    averages = {path: reader.slots(graph.nodes[at]) for path, at in reader.optimizers() if _keeps_averages(graph, at)}
    found = [reader.read(path, number) for path, number in reader.optimizers() if path not in averages]
    built = [one for one in found if isinstance(one, TargetOptimizer)]
    for outer, slots in averages.items():
        built = [_averaged(one, slots) if one.path.startswith(f"{outer}/") else one for one in built]
    return OptimizersFound(tuple(built), tuple(one for one in found if isinstance(one, Problem)))


def _keeps_averages(graph: ObjectGraph, number: int) -> bool:
    """Whether a node is a moving-average optimizer around another one."""
    return {slot.name for slot in graph.nodes[number].slots} == {AVERAGE}


def _averaged(optimizer: TargetOptimizer, slots: Iterable[SlotVariable]) -> TargetOptimizer:
    return replace(optimizer, slots=(*optimizer.slots, *slots))


def is_of_optimizer(key: str) -> bool:
    """Whether a checkpoint key shows that there is an optimizer: legacy ones have slots, those of Keras count steps."""
    return f"/{OPTIMIZER_SLOT}/" in key or key.startswith(_BESIDE) or key.endswith(_COUNTED)


def _children(node: Node) -> dict[str, int]:
    return {child.name: child.node for child in node.children}


@dataclass(frozen=True)
class _Reader:
    graph: ObjectGraph
    known: ObjectPaths
    inventory: Inventory
    root: str

    @cached_property
    def every(self) -> dict[int, str]:
        """The shortest path to each node, through optimizers too."""
        found, waiting = {0: ""}, deque([0])
        while waiting:
            at = waiting.popleft()
            for child in self.graph.nodes[at].children:
                if child.node not in found:
                    above = found[at]
                    found[child.node] = f"{above}/{escape_name(child.name)}" if above else escape_name(child.name)
                    waiting.append(child.node)
        return found

    def optimizers(self) -> Iterator[tuple[str, int]]:
        """Path and node of each, the shortest path first; what only wraps another is left to that."""
        for number, path in self.every.items():
            node = self.graph.nodes[number]
            named = path.rpartition("/")[2] in _NAMES and "/" not in path
            if path and (node.slots or children_of_keras(node) or named):
                yield path, number

    def read(self, path: str, number: int) -> TargetOptimizer | Problem:
        """The optimizer at a node; a Problem where it cannot be used."""
        node = self.graph.nodes[number]
        if children_of_keras(node):
            return self._of_keras(path, node)
        return self._legacy(path, node) if node.slots else self._unbuilt(path)

    def _unbuilt(self, path: str) -> Problem:
        return Problem(f"the optimizer at {path} was not built when it was saved: it has no slots", self._where, BUILD)

    @property
    def _where(self) -> str:
        return self.inventory.path

    def _key(self, number: int) -> str:
        """The checkpoint key of a variable; empty for what is none, or has no value in the checkpoint."""
        keys = (tensor.key for tensor in self.graph.nodes[number].tensors if tensor.name == VARIABLE_VALUE)
        return next((key for key in keys if key in self.inventory.variables), "")

    def _variable(self, number: int, path: str) -> TargetVariable:
        key = self._key(number)
        held, name = self.inventory.variables[key], self.known.names.full_names.get(key, "")
        return TargetVariable(f"/{path}", name or path, held.dtype, held.shape, trainable=False, part=PART, saved=key)

    def _owner(self, number: int) -> str:
        """The key of a weight below the root; empty where it is no variable of the model."""
        path = self.known.paths.get(self._key(number), "")
        prefix = f"{self.root}/" if self.root else ""
        return path.removeprefix(prefix) if path.startswith(prefix) else ""

    def _numbers(self, path: str, node: Node, counter: str) -> tuple[TargetVariable | None, list[TargetVariable]]:
        """The counter of steps and the other numbers right below an optimizer."""
        found: dict[str, TargetVariable] = {}
        for name, number in _children(node).items():
            key = self._key(number)
            if key and not self.inventory.variables[key].shape:
                found[name] = self._variable(number, f"{path}/{escape_name(name)}")
        return found.pop(counter, None), list(found.values())

    @property
    def _step(self) -> TargetVariable | None:
        """The trainer's own counter beside the model."""
        beside = _children(self.graph.nodes[0])
        number = next((beside[name] for name in _STEPS if name in beside), None)
        if number is None or not self._key(number):
            return None
        made = self._variable(number, self.every[number])
        whole = made.dtype in (DType.INT32, DType.INT64) and not made.shape
        return made._replace(part="training step") if whole else None

    def _legacy(self, path: str, node: Node) -> TargetOptimizer | Problem:
        names = {slot.name for slot in node.slots}
        kind = next((kind for kind, needed in LEGACY_FORMS if needed <= names), None)
        if kind is None:
            return Problem(
                f"the optimizer at {path} keeps {', '.join(sorted(names))}: ckptmap knows no such optimizer", path
            )
        counter, numbers = self._numbers(path, node, "iter")
        if counter is None:
            return self._unbuilt(path)
        settings = tuple((number, None) for number in numbers)
        return TargetOptimizer("legacy", kind, path, counter, self.slots(node), settings, {}, self._step)

    def slots(self, node: Node) -> tuple[SlotVariable, ...]:
        """The slots of a legacy optimizer."""
        weights = {self._key(slot.variable_node): self._owner(slot.variable_node) for slot in node.slots}
        made = [
            SlotVariable(
                self._variable(slot.slot_node, self._key(slot.slot_node).removesuffix(VALUE_SUFFIX)),
                self._owner(slot.variable_node),
                slot.name,
            )
            for slot in node.slots
            if self._key(slot.slot_node)
        ]
        return tuple(self._moved(slot, weights) for slot in made)

    def _moved(self, slot: SlotVariable, weights: Mapping[str, str]) -> SlotVariable:
        """The slot below the path that its weight is written at, which may be another than it was saved at."""
        above, mark, below = slot.variable.key.partition(f"/{OPTIMIZER_SLOT}/")
        if slot.owner and weights.get(above[1:] + VALUE_SUFFIX) == slot.owner:
            owner = f"{self.root}/{slot.owner}" if self.root else slot.owner
            return SlotVariable(slot.variable._replace(key=f"/{owner}{mark}{below}"), slot.owner, slot.role)
        return slot

    def _of_keras(self, path: str, node: Node) -> TargetOptimizer | Problem:
        children = _children(node)
        form = next((form for form in KERAS_FORMS if form.told_by in children), None)
        held = _children(self.graph.nodes[children["_variables"]])
        counter, numbers = self._numbers(path, node, "_iterations")
        if form is None or counter is None:
            return self._unbuilt(path)
        weights = self._weights(children)
        places = {number: f"{path}/_variables/{name}" for name, number in held.items()}
        slots: list[SlotVariable] = []
        links: dict[str, str] = {}
        for attribute, role in form.lists.items():
            for place, number in self._listed(children, attribute).items():
                if number not in places or not self._key(number):
                    continue
                owner = weights.get(place, "") if weights is not None else self._named(number)
                slots.append(SlotVariable(self._variable(number, places[number]), owner, role))
                links[f"{path}/{escape_name(attribute)}/{place}"] = places[number]
        if not slots:
            return self._unbuilt(path)
        lost = [slot for slot in slots if not slot.owner]
        if lost:
            message = (
                f"nothing shows whose slot {lost[0].variable.name} is: no single variable of the model has that name"
            )
            return Problem(message, self._where, "give the layers different names")
        links.update(self._further(path, children, held, {slot.variable.key[1:] for slot in slots}))
        settings = tuple((number, None) for number in numbers)
        layout: LayoutName = "keras 2.11" if weights is None else "keras 3"
        return TargetOptimizer(layout, form.kind, path, counter, tuple(slots), settings, links, self._step)

    def _listed(self, children: Mapping[str, int], attribute: str) -> dict[str, int]:
        """The nodes in a list that an optimizer holds, by their places; none where it has no such list."""
        return _children(self.graph.nodes[children[attribute]]) if attribute in children else {}

    def _weights(self, children: Mapping[str, int]) -> dict[str, str] | None:
        """The weights that an optimizer of Keras 3 lists, by their places; None: it does not."""
        if _WEIGHTS not in children:
            return None
        return {place: self._owner(number) for place, number in self._listed(children, _WEIGHTS).items()}

    def _named(self, number: int) -> str:
        """The weight whose readable name a slot's ends with: ``SGD/m/<weight>``; empty where several have it."""
        parts = self.known.names.full_names.get(self._key(number), "").split("/")
        rests = ("/".join(parts[first:]) for first in range(1, min(len(parts), _MOST_SCOPES)))
        return next((self._by_name[rest] for rest in rests if rest in self._by_name), "")

    @cached_property
    def _by_name(self) -> dict[str, str]:
        found: dict[str, list[str]] = {}
        prefix = f"{self.root}/" if self.root else ""
        for key, path in self.known.paths.items():
            if path.startswith(prefix):
                found.setdefault(self.known.names.full_names.get(key, ""), []).append(path.removeprefix(prefix))
        return {name: paths[0] for name, paths in found.items() if len(set(paths)) == 1}

    def _further(
        self, path: str, children: Mapping[str, int], held: Mapping[str, int], slots: set[str]
    ) -> Iterator[tuple[str, str]]:
        """The further paths to the counter, the other numbers and the weights."""
        direct = {number: f"{path}/{escape_name(name)}" for name, number in children.items()}
        for name, number in held.items():
            way = f"{path}/_variables/{name}"
            if number in direct and way not in slots:
                yield way, direct[number]
        for place, owner in (self._weights(children) or {}).items():
            if owner:
                yield f"{path}/{_WEIGHTS}/{place}", f"{self.root}/{owner}" if self.root else owner


def children_of_keras(node: Node) -> bool:
    """Whether a node is an optimizer of Keras 2.11 or later."""
    return len(node.children) > 1 and {child.name for child in node.children} >= _KERAS
