"""A table of the names on which a source and a target agree: nobody has to write down that a kernel is that kernel.

A variable has a readable name (``dense/kernel``) and a path (``layer_with_weights-0/kernel``, ``d1/_kernel``). Versions
of Keras differ in leaves (``depthwise_kernel`` and ``kernel``, ``kernel`` and ``_kernel``), and its own files number a
layer's variables (``dense/0``): so leaves are compared by what they mean as well. A name that two variables of a side
could mean agrees with nothing, and what does not agree is left over: findings of the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.checkpoint.naming import distinct
from ckptmap.mapping.patterns import Pattern, Template
from ckptmap.mapping.roles import roles
from ckptmap.mapping.rule_ref import RuleRef
from ckptmap.mapping.table import DropRule, InitRule, Table, TargetPart, VariableRule
from ckptmap.targets.target import Target
from ckptmap.targets.variables import SpecVariable

NAME = "names that agree"
AGREEMENT = Table(NAME, "", "Whatever source and target call alike.", (), ())
"""Stands for the table before both sides are known."""
_REF = RuleRef(NAME, 0)
_SAME_LEAF = {"depthwise_kernel": "kernel"}
_LEAVES = (
    *("embeddings", "depthwise_kernel", "pointwise_kernel", "kernel", "recurrent_kernel"),
    *("gamma", "beta", "bias", "moving_mean", "moving_variance"),
)
"""In the order in which layers of Keras make them, and in which its files number them."""
_SEEDS = "seed_generator/"
_SEED = "state of a random number generator: not a weight"
_INTEGERS = (DType.UINT32, DType.INT32, DType.INT64, DType.UINT64)


_Names: TypeAlias = "Mapping[str, Sequence[str]]"


@dataclass(frozen=True, slots=True)
class _Side:
    """The variables of one side by their own names: what they are called, and their shapes."""

    readable: _Names
    paths: _Names
    shapes: Mapping[str, tuple[int, ...]]


def agreement(inventory: Inventory, target: Target) -> Table:
    """The table that brings each variable of ``inventory`` to the one of ``target`` that is called alike.

    It is without rules where nothing agrees. The kind of name on which more variables agree counts first: names that
    are numbered in the order of their making shift from model to model, and paths do not.
    """
    source = _source_side(inventory)
    wanted = {variable.key: variable for variable in target.variables if not _is_seed(variable)}
    pairs = _paired(source, _target_side(target, wanted))
    rules = [_rule(name, key) for name, key in sorted(pairs.items())]
    drops = [DropRule(Pattern.literal(name), _SEED, True, _REF) for name in inventory.variables if _SEEDS in name]
    inits = [
        InitRule(Pattern.literal(v.key), "initializer", _SEED, _REF) for v in target.variables if v.key not in wanted
    ]
    return Table(NAME, "", AGREEMENT.description, (*rules, *drops) if rules else (), tuple(inits))


def _is_seed(variable: SpecVariable) -> bool:
    """The state of Keras' random layers, such as Dropout."""
    return variable.dtype in _INTEGERS and _SEEDS in variable.key


def _rule(name: str, key: str) -> VariableRule:
    part = TargetPart(Template(key, (key,)), ())
    return VariableRule((Pattern.literal(name),), (part,), None, None, False, _REF)


def _source_side(inventory: Inventory) -> _Side:
    slots = roles(inventory)
    weights = [name for name in inventory.variables if name not in slots and _SEEDS not in name]
    return _Side(
        {name: (name, *_plain(inventory, name)) for name in weights},
        {name: (name, *inventory.names.get(name, ())) for name in weights},
        {name: inventory.variables[name].shape for name in weights},
    )


def _plain(inventory: Inventory, name: str) -> Iterator[str]:
    """The name without that of its checkpoint, where there are several."""
    label, colon, rest = name.partition(":")
    if colon and label in inventory.parts:
        yield rest


def _target_side(target: Target, wanted: Mapping[str, SpecVariable]) -> _Side:
    return _Side(
        {key: (variable.name,) for key, variable in wanted.items()},
        {key: (key, f"{target.root}/{key}" if target.root else "", *v.others) for key, v in wanted.items()},
        {key: tuple(dim.coefficient for dim in variable.dims) for key, variable in wanted.items()},
    )


def _paired(source: _Side, target: _Side) -> dict[str, str]:
    """The target's variable for each of the source's."""
    by_name = _by(source, target, source.readable, target.readable, exact=True)
    by_path = _by(source, target, source.paths, target.paths, exact=False)
    first, second = (by_path, by_name) if len(by_path) > len(by_name) else (by_name, by_path)
    taken = set(first.values())
    return {**{name: key for name, key in second.items() if name not in first and key not in taken}, **first}


def _by(source: _Side, target: _Side, names: _Names, others: _Names, *, exact: bool) -> dict[str, str]:
    """Pairs by one kind of name: as it is, by the meaning of its leaf, by its number in the layer.

    ``exact``: a pair whose whole name agrees is one whatever the shapes are, so that the plan says that they differ.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for form in (_whole, _folded, _numbered):
        keys = {said: key for key, known in distinct(form(others)).items() for said in known}
        for name, known in distinct(form(names)).items():
            key = next((keys[said] for said in known if said in keys), None)
            if key is None or name in found or key in taken:
                continue
            if source.shapes[name] == target.shapes[key] or (exact and form is _whole):
                found[name] = key
                taken.add(key)
    return found


def _whole(names: _Names) -> _Names:
    """The names, and without the scope that all of them share."""
    known = [name for own in names.values() for name in own[:1]]
    scope = known[0].partition("/")[0] + "/" if known else ""
    if not all(name.startswith(scope) for name in known):
        return names
    return {owner: (*own, *(name.removeprefix(scope) for name in own[:1])) for owner, own in names.items()}


def _folded(names: _Names) -> _Names:
    return {owner: [_fold(name) for name in own] for owner, own in _whole(names).items()}


def _fold(name: str) -> str:
    above, slash, leaf = name.rpartition("/")
    leaf = leaf.removeprefix("_")
    return f"{above}{slash}{_SAME_LEAF.get(leaf, leaf)}"


def _numbered(names: _Names) -> _Names:
    """The layer and the number of each variable in it; none where a layer has a leaf of which no order is known."""
    layers: dict[str, set[str]] = {}
    for own in _whole(names).values():
        for name in own:
            layer, _, leaf = name.rpartition("/")
            layers.setdefault(layer, set()).add(leaf.removeprefix("_"))
    return {owner: [_number(name, layers) for name in own] for owner, own in _whole(names).items()}


def _number(name: str, layers: Mapping[str, set[str]]) -> str:
    layer, _, leaf = name.rpartition("/")
    if leaf.isdecimal():
        return f"{layer}/{leaf}"
    leaves = layers[layer]
    if not leaves <= set(_LEAVES):
        return ""
    return f"{layer}/{sorted(leaves, key=_LEAVES.index).index(leaf.removeprefix('_'))}"
