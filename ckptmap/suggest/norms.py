"""Which layer a normalization belongs to: the one whose output it normalizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.suggest.natural import natural
from ckptmap.suggest.order import name_runs
from ckptmap.suggest.words import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ckptmap.suggest.layer_values import Layer

_NOT_TELLING = frozenset({"norm", "conv", "", "dense", "layer", "depthwise", "separable"})
_MANY = 6
"""How many layers and norms must be counted alike before that says which belong together."""
_NEAR = 4
"""How far back in the order the layer of a norm is looked for."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The layer that a norm belongs to; -1 for what is no norm, or where none is found.

    ``basis`` is 2 where the names say it, 1 where the norm comes straight behind the layer, else 0.
    """

    at: int = -1
    basis: int = 0


_NOBODY = Owner()


def owners(layers: Sequence[Layer], orders: Iterable[Sequence[int]]) -> list[Owner]:
    """For each layer the one that it normalizes.

    It is the layer of the scope around it, or the one whose name has the same words, or the one before it in the first
    of ``orders`` that has both.
    """
    scopes = {layer.scope: at for at, layer in enumerate(layers) if not layer.is_norm}
    by_words: dict[frozenset[str], list[int]] = {}
    for at, layer in enumerate(layers):
        if not layer.is_norm:
            by_words.setdefault(_telling(layer), []).append(at)
    before = {**_before(layers, orders), **_counted(layers)}
    return [_owner(at, layers, scopes, by_words, before) for at in range(len(layers))]


def _counted(layers: Sequence[Layer]) -> dict[int, Owner]:
    """Norms and layers that are counted alike, ``conv2d_7`` and ``batch_normalization_7``, where all of them fit."""
    runs = [run.members for run in name_runs(layers) if len(run.members) >= _MANY]
    found: dict[int, Owner] = {}
    for norms in runs:
        fitting = [others for others in runs if _all_follow(layers, others, norms)]
        if len(fitting) == 1:
            found |= {norm: Owner(layer, 2) for layer, norm in zip(fitting[0], norms, strict=True)}
    return found


def _all_follow(layers: Sequence[Layer], others: Sequence[int], norms: Sequence[int]) -> bool:
    """Whether each norm of a run is as long as its counterpart in another run is wide, and they are not all equal."""
    if len(others) != len(norms):
        return False
    pairs = [(layers[one], layers[norm]) for one, norm in zip(others, norms, strict=True)]
    if not all(norm.is_norm and not one.is_norm and follows(one, norm) for one, norm in pairs):
        return False
    return len({next(iter(norm.leaves.values())).shape for _, norm in pairs}) > 2


def _owner(
    at: int,
    layers: Sequence[Layer],
    scopes: dict[str, int],
    by_words: dict[frozenset[str], list[int]],
    before: dict[int, Owner],
) -> Owner:
    layer = layers[at]
    if not layer.is_norm:
        return _NOBODY
    around = scopes.get(layer.scope, scopes.get(layer.scope.rpartition("/")[0], -1))
    if around >= 0 and follows(layers[around], layer):
        return Owner(around, 2)
    words = _telling(layer)
    alike = [one for one in by_words.get(words, ()) if follows(layers[one], layer)] if words else []
    return Owner(alike[0], 2) if len(alike) == 1 else before.get(at, _NOBODY)


def _telling(layer: Layer) -> frozenset[str]:
    """The words that a layer shares with its norm."""
    return frozenset(word for word in tokens(layer.scope) if word not in _NOT_TELLING)


def _before(layers: Sequence[Layer], orders: Iterable[Sequence[int]]) -> dict[int, Owner]:
    found: dict[int, Owner] = {}
    for order in orders:
        recent: list[int] = []
        last = -1
        for at in order:
            if not layers[at].is_norm:
                recent = [*recent[-_NEAR:], at]
            elif at not in found:
                fitting = [one for one in reversed(recent) if follows(layers[one], layers[at])]
                if fitting:
                    found[at] = Owner(fitting[0], int(fitting[0] == last))
            last = at
    return found


def follows(layer: Layer, norm: Layer) -> bool:
    """Whether a norm is as long as a layer's output is wide."""
    widths = {item.shape for role, item in norm.leaves.items() if role != "value"}
    length = next(iter(widths))[-1:] if len(widths) == 1 else ()
    return bool(length) and length[0] in widths_of(layer)


def widths_of(layer: Layer) -> tuple[int | None, ...]:
    """How wide a layer's output can be."""
    pointwise, depthwise = layer.leaves.get("pointwise"), layer.leaves.get("depthwise")
    item = pointwise or layer.leaves.get("kernel") or depthwise or layer.leaves.get("value")
    if item is None or not item.shape:
        return ()
    if len(item.shape) == 4 and item.shape[-1] is not None and item.shape[-2] is not None:
        return (item.shape[-1], item.shape[-2], item.shape[-1] * item.shape[-2])
    return (item.shape[-1],)


def natural_order(layers: Sequence[Layer]) -> list[int]:
    """The layers in the order of the numbers in their object paths."""
    return sorted(range(len(layers)), key=lambda at: natural(layers[at].key))
