"""Any TF2 checkpoint as the target: keys and shapes from its index, readable names from its object graph.

Where its keys and shapes are those of a shipped spec under some settings, the spec's names, initializers and parts
are used: the names that a table speaks of. Else names are those stored with the variables, or their object paths.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from ckptmap.basics.contributions import contributions
from ckptmap.basics.errors import TargetError
from ckptmap.checkpoint.object_graph import OPTIMIZER_SLOT, VALUE_SUFFIX, unescape_name
from ckptmap.mapping.roles import roles
from ckptmap.targets.dims import Dim
from ckptmap.targets.target import Target, Template
from ckptmap.targets.variables import Initializer, SpecVariable, TargetVariable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ckptmap.basics.errors import Problem
    from ckptmap.checkpoint.inventory import Inventory, Variable
    from ckptmap.checkpoint.object_paths import ObjectPaths

_SLOT = f"/{OPTIMIZER_SLOT}/"
_BOOKKEEPING = ("save_counter", "step", "global_step", "iter", "learning_rate", "decay", "momentum")
_NOT_TRAINED = ("moving_mean", "moving_variance")
_KERNELS = ("kernel", "depthwise_kernel", "weights", "depthwise_weights", "pointwise_weights")
_LEAVES = {"moving_variance": "ones", "gamma": "ones", **dict.fromkeys(_KERNELS, "glorot")}
_GLOROT = Initializer("variance_scaling", {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform"})
OBJECT_GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"


def template_target(inventory: Inventory, known: ObjectPaths | None, obstacle: Problem | None = None) -> Target:
    """The target that a TF2 checkpoint stands for; ``known`` None: the data file is not there to read it from.

    ``obstacle`` says why its values cannot be read, where that is so. Optimizer slots, ``save_counter``, steps and the
    object graph are left out; a variable that the file names by its optimizer goes by the model's own path. Raises
    TargetError where the checkpoint is one of names (TF1), or holds no variable of a model.
    """
    if not inventory.object_based:
        raise TargetError(
            "a TF1 checkpoint cannot be the target",
            where=inventory.path,
            hint="give a TF2 checkpoint (tf.train.Checkpoint) or the name of a shipped target; "
            "a TF1 checkpoint is the source",
        )
    slots = known.names.slot_keys if known else frozenset()
    values = {key: v for key, v in inventory.variables.items() if key not in slots and _is_value(key)}
    paths = {path: v for key, v in values.items() if (path := _path(key, known))}
    root, paths = _below_root(paths)
    if not paths:
        hint = "Keras 3 saves no layers that a subclassed model holds in a list: make each an attribute of its own"
        raise TargetError("holds no variable of a model", where=inventory.path, hint=hint)
    saved = known.names.full_names if known else {}
    variables = tuple([_variable(path, held, saved.get(held.name, "")) for path, held in paths.items()])
    links, beside = (known.links, known.beside) if known else ({}, frozenset())
    template = Template(inventory.path, obstacle, links, optimized=tuple(sorted(set(_owners(beside)))))
    return Target(inventory.path, variables, root=root, origin=inventory.path, template=template)


def file_target(inventory: Inventory) -> Target:
    """The target that a file of Keras or of safetensors stands for; the variables of an optimizer are left out.

    Raises TargetError where it holds no variable of a model.
    """
    slots = roles(inventory)
    variables = tuple(_file_variable(v, inventory) for name, v in inventory.variables.items() if name not in slots)
    if not variables:
        raise TargetError("holds no variable of a model", where=inventory.path)
    template = Template(inventory.path, kind=inventory.kind)
    return Target(inventory.path, variables, root="", origin=inventory.path, template=template)


def _file_variable(variable: Variable, inventory: Inventory) -> SpecVariable:
    """Its key is where it lies in the file, the last of its names."""
    names = inventory.names.get(variable.name, ())
    made = _variable(names[-1] if names else variable.name, variable, variable.name)
    return made._replace(others=names[:-1])


def as_shipped(plain: Target, specs: Iterable[Target]) -> Target:
    """``plain`` with the names and the table of the first of ``specs`` that has its keys and shapes; else as it is."""
    return next((found for spec in specs if (found := _as_spec(plain, spec))), plain)


def _part_of(path: str) -> str:
    """What part of a model a family says that this is; empty where none does."""
    for family in contributions():
        if part := family.part_of(path):
            return part
    return ""


def _path(key: str, known: ObjectPaths | None) -> str:
    """The object path of a variable; empty where only an optimizer holds it."""
    plain = key.removesuffix(VALUE_SUFFIX)
    if known is None:
        return plain
    return "" if key in known.beside else known.paths.get(key, plain)


def _owners(keys: Iterable[str]) -> Iterator[str]:
    """The paths of the objects whose optimizers these ``keys`` belong to."""
    for key in keys:
        above, found, _ = f"/{key}".partition("/optimizer/")
        if found:
            yield above.removeprefix("/")


def _is_value(key: str) -> bool:
    return key.endswith(VALUE_SUFFIX) and _SLOT not in key


def _below_root(paths: Mapping[str, Variable]) -> tuple[str, dict[str, Variable]]:
    """The one name that all variables of the model lie below, and their paths below it."""
    kept: dict[str, Variable] = {}
    below: dict[str, Variable] = {}
    roots = set()
    for path, variable in paths.items():
        first, slash, rest = path.partition("/")
        if not _is_bookkeeping(first, rest):
            kept[path] = below[rest] = variable
            roots.add(first if slash else "")
    return (roots.pop(), below) if len(roots) == 1 and "" not in roots else ("", kept)


def _is_bookkeeping(first: str, rest: str) -> bool:
    """A counter of its own at the root, or anything of an object that is named as an optimizer.

    ``first`` is the first part of its path, ``rest`` what follows.
    """
    return first in ("optimizer", "_optimizer") or (not rest and first in _BOOKKEEPING)


def _variable(path: str, variable: Variable, full_name: str) -> SpecVariable:
    leaf = _leaf(path)
    return SpecVariable(
        path,
        full_name or path,
        variable.dtype,
        _fixed(variable.shape),
        is_trained(leaf),
        usual_initializer(leaf),
        _part_of(path),
        saved=variable.name,
    )


def _leaf(path: str) -> str:
    """What a layer calls the variable: of ``…/_vars/net.Sbn.Sgamma``, which holds a TF1 name, and of ``…/_gamma``."""
    return unescape_name(path.rpartition("/")[2]).rpartition("/")[2].lstrip("_")


@lru_cache(maxsize=4096)
def _fixed(shape: tuple[int, ...]) -> tuple[Dim, ...]:
    """Lengths that nothing changes; the same value for all variables of a shape."""
    return tuple(Dim(length) for length in shape)


def is_trained(leaf: str) -> bool:
    """Whether a layer trains its variable of this name: all but moving statistics."""
    return leaf not in _NOT_TRAINED


@lru_cache(maxsize=256)
def usual_initializer(leaf: str) -> Initializer:
    """What layers of Keras and slim start such a variable with when told nothing; a checkpoint does not say it."""
    kind = _LEAVES.get(leaf, "zeros")
    return _GLOROT if kind == "glorot" else Initializer(kind)


def _as_spec(plain: Target, spec: Target) -> Target | None:
    """The template with the spec's names, initializers and parts; None where it is not that model."""
    keys = {variable.key: variable for variable in plain.variables}
    if len(keys.keys() & {variable.key for variable in spec.variables}) < len(keys):
        return None
    layout = spec.layout(keys)
    if {variable.key for variable in layout.variables} != keys.keys():
        return None
    solution = layout.solve({key: [dim.coefficient for dim in variable.dims] for key, variable in keys.items()})
    if solution.problems:
        return None
    named = {variable.key: variable for variable in layout.variables_with(solution)}
    variables = tuple(_renamed(keys[key], variable) for key, variable in named.items())
    return replace(plain, variables=variables, table=spec.table)


def _renamed(own: SpecVariable, known: TargetVariable) -> SpecVariable:
    return own._replace(name=known.name, trainable=known.trainable, initializer=known.initializer, part=known.part)
