"""The data flow of a TF1 graph in a form that is small enough to keep, and back from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.suggest.graphs import Flow, flow, graph_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.suggest.pairs import Shape

Direct = tuple[tuple[int, tuple[int, ...]], ...]


def direct_flow(old: Sequence[tuple[str, Shape]], graph: bytes) -> Direct:
    """For the first variable of each scope, the first variables of the scopes that it comes straight after."""
    first: dict[str, int] = {}
    layer_of = {name: first.setdefault(name.rpartition("/")[0] or name, at) for at, (name, _) in enumerate(old)}
    found = flow(graph_nodes(graph), layer_of)
    if found is None:
        return ()
    return tuple((at, _places(bits, at)) for at, bits in enumerate(found.direct) if bits)


def _places(bits: int, own: int) -> tuple[int, ...]:
    return tuple(at for at in range(bits.bit_length()) if bits >> at & 1 and at != own)


def whole_flow(direct: Direct, old: Sequence[tuple[str, Shape]], layer_of: Mapping[str, int]) -> Flow | None:
    """The flow between layers that ``layer_of`` says; the variables of ``old`` are numbered as in ``direct``."""
    if not direct:
        return None
    size = max(layer_of.values()) + 1
    near = [0] * size
    for at, sources in direct:
        one = layer_of.get(old[at][0])
        if one is not None:
            for source in sources:
                other = layer_of.get(old[source][0], one)
                near[one] |= 1 << other if other != one else 0
    return Flow(tuple(_closure(near)), tuple(near))


def _closure(near: Sequence[int]) -> list[int]:
    """Everything that leads to each, by any number of steps."""
    reach = list(near)
    changed = True
    while changed:
        changed = False
        for at, bits in enumerate(reach):
            whole = bits
            rest = bits
            while rest:
                low = rest & -rest
                whole |= reach[low.bit_length() - 1]
                rest ^= low
            if whole != bits:
                reach[at] = whole
                changed = True
    return reach
