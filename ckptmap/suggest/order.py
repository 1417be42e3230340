"""Order as evidence: sequences of the new side aligned with the order in which the old layers were made.

The alignment is that of Needleman and Wunsch with free gaps, forwards and backwards, so that it says of each pair how
much the best alignment through it falls short of the best one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ckptmap.suggest.natural import Key, natural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from ckptmap.suggest.layer_values import Layer

_LAST_NUMBER = re.compile(r"^(.*?)(?:(?<=[A-Za-z0-9])_|-|/|(?<=[A-Za-z]))?(\d+)?$")
_LISTED = re.compile(r"((?:[^/]*/)*?(?:[a-z_]+-)?)\d+(?:/|$)")
"""What lies before the first number of a list: ``layer_with_weights-`` of ``layer_with_weights-3``, ``convs/``."""
_COUNTED = re.compile(r"(?<![^_/-])[0-9]+(?![^_/-])")
"""A number that counts, and is no part of a word: the first of ``_tf1_store/cell_3/sep_5x5`` is that of the cell."""
_NUMBERS = re.compile(r"\d+")
_GUESS = 0.25
"""How much the order of such runs counts."""
_KERAS_LISTS = ("layer_with_weights-", "_operations/")
"""The object paths of a functional model's layers in Keras 2 and 3."""


@dataclass(frozen=True, slots=True)
class Run:
    """Layers of the new side that are numbered one after the other: their places among the new layers, in order."""

    label: str
    members: tuple[int, ...]
    weight: float = 1.0
    """How much its order counts."""
    alike: tuple[tuple[int, ...], ...] = ()
    """Members that only words tell apart: among them there is no order."""

    @property
    def topological(self) -> bool:
        """Whether Keras itself numbered the layers, each behind those whose results it takes."""
        return self.label.endswith(_KERAS_LISTS)


def key_runs(layers: Sequence[Layer]) -> list[Run]:
    """Runs by object path: all layers below one numbered list (``layer_with_weights-N``, ``_operations/N``).

    Where a place of the list holds several layers, nothing says their order: then there is a run for each kind of path.
    """
    groups: dict[str, list[tuple[str, int]]] = {}
    for at, layer in enumerate(layers):
        match = _LISTED.match(layer.key)
        if match:
            groups.setdefault(match[1], []).append((layer.key[match.end(1) :], at))
    found = []
    for label, members in groups.items():
        parts: dict[str, list[tuple[str, int]]] = {"": members}
        if len({tuple(_NUMBERS.findall(rest)) for rest, _ in members}) < len(members):
            parts = {}
            for rest, at in members:
                parts.setdefault(_NUMBERS.sub("#", rest), []).append((rest, at))
        found += [_run(label, part) for part in parts.values() if len(part) > 1]
    return found


def _run(label: str, members: Sequence[tuple[str, int]]) -> Run:
    return Run(label, tuple(at for _, at in sorted(members, key=lambda member: natural(member[0]))))


def other_runs(layers: Sequence[Layer], listed: Iterable[Run]) -> list[Run]:
    """What is in no list, in the order of the numbers in its object paths: little more than a guess.

    By what lies before the first number (``cell_1``, ``cell_2`` …), and all of one root together. Words have no order:
    each run is there twice, once with the words in the order of the alphabet and once the other way round.
    """
    members = {at for run in listed for at in run.members}
    groups: dict[str, list[int]] = {}
    for at, layer in enumerate(layers):
        number = _COUNTED.search(layer.key)
        if at not in members and any(char.isdigit() for char in layer.key):
            groups.setdefault(f"{layer.key.split('/')[0]} as a whole", []).append(at)
            if number:
                groups.setdefault(layer.key[: number.start()], []).append(at)
    keys = [natural(layer.key) for layer in layers]
    turned = _turned(keys)
    return [
        Run(label, tuple(sorted(group, key=order.__getitem__)), _GUESS, _alike(layers, group))
        for label, group in groups.items()
        for order in (keys, turned)
        if len(group) > 1
    ]


def _alike(layers: Sequence[Layer], group: Iterable[int]) -> tuple[tuple[int, ...], ...]:
    """The layers with the same numbers in their object paths and the same shapes."""
    found: dict[object, list[int]] = {}
    for at in group:
        shapes = tuple(sorted((role, item.shape) for role, item in layers[at].leaves.items()))
        found.setdefault((tuple(_NUMBERS.findall(layers[at].key)), shapes), []).append(at)
    return tuple(tuple(members) for members in found.values() if len(members) > 1)


def _turned(keys: Sequence[Key]) -> list[tuple[tuple[tuple[int, int], ...], ...]]:
    """Keys to sort by with the order of words turned round, and that of numbers kept."""
    words = sorted({text for key in keys for component in key for _, text in component})
    rank = {text: -place for place, text in enumerate(words)}
    return [tuple(tuple((number, rank[text]) for number, text in component) for component in key) for key in keys]


def name_runs(layers: Sequence[Layer]) -> list[Run]:
    """Runs by automatic numbers: ``conv2d``, ``conv2d_1``, ``conv2d_2`` … in the order in which they were made."""
    groups: dict[str, list[tuple[int, int]]] = {}
    for at, layer in enumerate(layers):
        match = _LAST_NUMBER.match(layer.scope)
        if match:
            groups.setdefault(match[1].rstrip("_-/"), []).append((int(match[2] or 0), at))
    return [Run(label, tuple(at for _, at in sorted(found))) for label, found in groups.items() if len(found) > 1]


def shortfall(score: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """How much the best alignment through each pair falls short of the best of all, and the score of that.

    ``score`` is [old, new], both in order; 0 means that two never go together: the shortfall there is infinite.
    """
    through = _table(score)
    best = float(through[-1, -1])
    through = through[:-1, :-1]
    through += score
    through += _table(score[::-1, ::-1])[::-1, ::-1][1:, 1:]
    lost = np.subtract(best, through, out=through).astype(np.float32)
    lost[score <= 0] = np.inf
    return lost, best


def alignment(score: NDArray[np.float32]) -> float:
    """The score of the best alignment; see ``shortfall``."""
    if score.shape[1] < len(score):
        score = score.T  # each row is a step in Python
    table = np.zeros(score.shape[1] + 1)
    for row in score:
        step = np.where(row > 0, table[:-1] + row, 0.0)
        np.maximum.accumulate(np.maximum(table[1:], step), out=table[1:])
    return float(table[-1])


def _table(score: NDArray[np.float32]) -> NDArray[np.float64]:
    """The best score of aligning the first i with the first j; one row and one column more than ``score``."""
    if score.shape[1] < len(score):
        turned: NDArray[np.float64] = _table(score.T).T
        return turned
    rows, columns = score.shape
    table = np.zeros((rows + 1, columns + 1))
    for row in range(rows):
        step = np.where(score[row] > 0, table[row, :-1] + score[row], 0.0)
        table[row + 1, 1:] = np.maximum.accumulate(np.maximum(table[row, 1:], step))
    return table


def order_evidence(
    fits: NDArray[np.float32],
    names: NDArray[np.float32],
    places: NDArray[np.intp],
    runs: Iterable[Run],
    *,
    whole: bool = True,
) -> tuple[NDArray[np.float32], float]:
    """What order says of each pair, [old, new]: 0 for the best place, less for what makes an alignment worse.

    ``places`` are the old layers in order; without ``whole`` only the order of those of one kind counts. Also gives
    the share of the layers of the runs that the alignments take in.
    """
    evidence = np.zeros(fits.shape, np.float32)
    taken, there = 0.0, 0
    for run in runs:
        members = np.array(run.members)
        block = fits[np.ix_(places, members)]
        weighted = np.float32(0.5) * names[np.ix_(places, members)]
        weighted += 1
        weighted[block <= 0] = 0
        lost = np.minimum(_by_kind(block, weighted), np.float32(2))
        if whole:
            along, best = shortfall(weighted)
            lost += np.minimum(along, np.float32(2))
        else:
            best = alignment(weighted)
        columns = {at: column for column, at in enumerate(run.members)}
        for alike in run.alike:
            same = [columns[at] for at in alike]
            lost[:, same] = lost[:, same].min(axis=1, keepdims=True)
        trust = max(0.0, 2 * min(1.0, best / weighted.max(axis=0).sum()) - 1) if best else 0.0
        evidence[np.ix_(places, members)] -= np.float32(run.weight * trust) * lost
        taken += min(best, len(members))
        there += len(members)
    return evidence, taken / there if there else 0.0


def _by_kind(block: NDArray[np.float32], weighted: NDArray[np.float32]) -> NDArray[np.float32]:
    """The shortfall within the layers of one kind: of all that fit the same layers of the other side."""
    found = np.full(block.shape, np.inf, np.float32)
    kinds: Mapping[bytes, list[int]] = {}
    good = block > 0
    packed = np.packbits(good, axis=0)
    for column in range(block.shape[1]):
        if good[:, column].any():
            kinds.setdefault(packed[:, column].tobytes(), []).append(column)  # type: ignore[attr-defined]
    for columns in kinds.values():
        rows = np.flatnonzero(good[:, columns[0]])
        part = np.ix_(rows, np.array(columns))
        found[part] = shortfall(weighted[part])[0]
    return found
