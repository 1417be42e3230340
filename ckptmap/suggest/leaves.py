"""What happens to the leaves of two layers: which becomes which, by which operations, and of what kind that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.suggest.shapes import role_partners

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ckptmap.mapping.table import Kind
    from ckptmap.suggest.layer_values import Item, Layer, Shape


@dataclass(frozen=True, slots=True)
class Move:
    """One old leaf that becomes a new leaf; ``ops`` as a table writes them, empty for none."""

    old: str
    new: str
    ops: str = ""


@dataclass(frozen=True, slots=True)
class Leaves:
    """What becomes of the variables of a pair: moved, left over of the old layer, without a source in the new one."""

    moves: tuple[tuple[Item, Item, str], ...]
    spare_old: tuple[Item, ...]
    spare_new: tuple[Item, ...]


def leaves_of(old: Layer, new: Layer) -> Leaves:
    """The variables of two layers put together by what they hold; the operations of a cell are those of its kind."""
    if old.cell and new.cell:
        kernel, bias = old.leaves.values()
        sources = (kernel, kernel, bias)
        moves_of_cell = zip(sources, new.cell.items, (old.cell.kind,) * 3, strict=True)
        return Leaves(tuple(moves_of_cell), (), ())
    partners = role_partners(tuple(old.leaves), tuple(new.leaves)) or {}
    moves = [(old.leaves[a], new.leaves[b]) for a, b in partners.items()]
    return Leaves(
        tuple((one, other, _whole(one, other)) for one, other in moves),
        tuple(item for role, item in old.leaves.items() if role not in partners),
        tuple(item for role, item in new.leaves.items() if role not in partners.values()),
    )


def _whole(old: Item, new: Item) -> str:
    """The operations of a move; those that join several variables come first, those that cut into several last."""
    steps = (old.join, operations(old.shape, new.shape)[1:-1], new.join)
    told = ", ".join(step for step in steps if step)
    return f"[{told}]" if told else ""


def operations(old: Shape, new: Shape) -> str:
    """The operations that make one shape of another, as a table writes them."""
    if old == new or None in old or None in new:
        return ""
    ones = [at for at, length in enumerate(old) if length == 1]
    if len(new) < len(old) and tuple(length for length in old if length != 1) == new:
        return f"[{{squeeze: [{', '.join(map(str, ones))}]}}]"
    return f"[{{reshape: [{', '.join(map(str, _general(old, new)))}]}}]"


def _general(old: Shape, new: Shape) -> Sequence[int]:
    """The new lengths, the first one that the old shape lacks left open, so that one kind serves several widths."""
    lengths = [length or 0 for length in new]
    strange = [at for at, length in enumerate(new) if length not in old and length != 1]
    at = strange[0] if len(strange) == 1 else 0
    return [-1 if place == at else length for place, length in enumerate(lengths)]


def as_layer(old: Layer, new: Layer, leaves: Leaves) -> tuple[Move, ...] | None:
    """The leaves of a pair that a layer rule can name; None where the names do not lie in one scope on each side.

    A cell has none: its kind is known.
    """
    moves: list[Move] = []
    if old.cell:
        return ()
    for one, other, ops in leaves.moves:
        if (
            one.parts
            or other.parts
            or not one.name.startswith(f"{old.scope}/")
            or not other.name.startswith(f"{new.scope}/")
        ):
            return None
        moves.append(Move(one.name[len(old.scope) + 1 :], other.name[len(new.scope) + 1 :], ops))
    return tuple(sorted(moves, key=lambda move: move.old))


def fits_kind(kind: Kind, moves: Sequence[Move], spare: Iterable[str]) -> bool:
    """Whether a known kind does exactly these moves for a layer that has the leaves ``spare`` besides."""
    here = {move.old: move for move in moves}
    if any(leaf in kind.leaves for leaf in spare) or not kind.demanded <= here.keys():
        return False
    known: Mapping[str, str] = {leaf.source: leaf.target for leaf in kind.leaves.values() if not leaf.ops}
    return all(not move.ops and known.get(move.old) == move.new for move in moves)
