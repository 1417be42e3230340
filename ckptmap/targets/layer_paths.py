"""Object paths that name a layer instead of counting it.

Keras 3 keeps the layers of a functional model in a list, so the object path of a variable counts them:
``_operations/13/cross_attention/query/_kernel``. The name that is saved with it says the layer, but nothing of what is
inside: ``decoder_layer_0/kernel``. Together they give ``decoder_layer_0/cross_attention/query/kernel``: one for each
variable, which stays when the model gets more layers.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ckptmap.targets.variables import SpecVariable


def layer_paths(variables: Sequence[SpecVariable]) -> Iterator[tuple[str, ...]]:
    """For each variable the paths from a named layer on; none for one that lies in no list.

    A layer's name is how most of the names begin that are saved with its variables, if that is more than half of them.
    """
    names = _layers(variables)
    for variable in variables:
        yield tuple(f"{names[place]}/{plain(rest)}" for place, rest in _places(variable.key) if place in names and rest)


def plain(path: str) -> str:
    """Without the underscores that attributes of Keras begin with (``_kernel``)."""
    return "/".join([part.lstrip("_") for part in path.split("/")])


def _layers(variables: Sequence[SpecVariable]) -> dict[str, str]:
    """By the place in a list, the name of the layer there."""
    begin: dict[str, Counter[str]] = {}
    for variable in variables:
        scope, slash, _ = variable.name.partition("/")
        for place, _rest in _places(variable.key):
            begin.setdefault(place, Counter())[scope if slash else ""] += 1
    most = {place: (scopes.most_common(1)[0], scopes.total()) for place, scopes in begin.items()}
    return {place: scope for place, ((scope, count), total) in most.items() if scope and 2 * count > total}


def _places(key: str) -> Iterator[tuple[str, str]]:
    """(path of an element of a list, the path below it) for each of them that ``key`` leads through."""
    parts = key.split("/")
    for at, part in enumerate(parts):
        if part.isdigit():
            yield "/".join(parts[: at + 1]), "/".join(parts[at + 1 :])
