"""Names as evidence: words that both sides use, and words that go together."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ckptmap.suggest.words import tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ckptmap.suggest.layer_values import Layer

_LEAST_TOGETHER = 3
"""How often two words must go together before that counts."""


@dataclass(frozen=True)
class Words:
    """The words of both sides: which layer has which, as index lists, and what each is worth."""

    old: tuple[tuple[int, ...], ...]
    new: tuple[tuple[int, ...], ...]
    old_words: tuple[str, ...]
    new_words: tuple[str, ...]
    old_worth: NDArray[np.float32]
    new_worth: NDArray[np.float32]


def words_of(old: Sequence[Layer], new: Sequence[Layer]) -> Words:
    """The words of every layer's name and object path, and of the scopes that it lies in."""
    old_texts = [_texts(layer) for layer in old]
    new_texts = [_texts(layer) for layer in new]
    old_words, old_lists, old_worth = _indexed(old_texts)
    new_words, new_lists, new_worth = _indexed(new_texts)
    return Words(old_lists, new_lists, old_words, new_words, old_worth, new_worth)


def _texts(layer: Layer) -> tuple[str, ...]:
    own = tokens(layer.scope)
    path = tokens(layer.key) if layer.key != layer.scope else ()
    return tuple(dict.fromkeys((*own, *path)))


def _indexed(
    texts: Sequence[Sequence[str]],
) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...], NDArray[np.float32]]:
    counts = Counter(word for words in texts for word in words)
    words = tuple(counts)
    index = {word: at for at, word in enumerate(words)}
    worth = np.array([_worth(counts[word], len(texts)) for word in words], np.float32)
    return words, tuple(tuple(index[word] for word in found) for found in texts), worth


def _is_word(text: str) -> bool:
    return len(text) > 1 and not any(char.isdigit() for char in text)


def _worth(count: int, layers: int) -> float:
    """Rare words say more."""
    return math.log(1 + layers / count)


def literal(words: Words, *, numbers: bool = True) -> NDArray[np.float32]:
    """How much of two names is the same words, 0 to 1; [old, new]. Words that one side lacks do not count.

    Without ``numbers`` only true words do: no letter alone, and nothing with a digit.
    """
    shared = [word for word in set(words.old_words) & set(words.new_words) if numbers or _is_word(word)]
    at = {word: number for number, word in enumerate(shared)}
    one = _incidence(words.old, words.old_words, at)
    other = _incidence(words.new, words.new_words, at)
    rarer = dict.fromkeys(shared, 0.0)
    for known, worth in ((words.old_words, words.old_worth), (words.new_words, words.new_worth)):
        for word, value in zip(known, worth, strict=True):
            if word in rarer:
                rarer[word] += float(value) / 2
    value = np.array([rarer[word] for word in shared], np.float32)
    both = (one * value) @ other.T
    total = (one @ value)[:, None] + (other @ value)[None, :]
    share: NDArray[np.float32] = np.where(total > 0, 2 * both / np.maximum(total, 1e-6), 0).astype(np.float32)
    return share


def _incidence(lists: Sequence[Sequence[int]], words: Sequence[str], at: dict[str, int]) -> NDArray[np.float32]:
    table = np.zeros((len(lists), len(at)), np.float32)
    for row, found in enumerate(lists):
        for number in found:
            column = at.get(words[number])
            if column is not None:
                table[row, column] = 1
    return table


def learned(words: Words, pairs: Sequence[tuple[int, int]], weights: Sequence[float]) -> NDArray[np.float32]:
    """How well the words of two layers go together by what ``pairs`` say, 0 to 1; [old, new]."""
    shape = (len(words.old), len(words.new))
    together: dict[tuple[int, int], float] = {}
    old_count = np.zeros(len(words.old_words))
    new_count = np.zeros(len(words.new_words))
    for (one, other), weight in zip(pairs, weights, strict=True):
        for word in words.old[one]:
            old_count[word] += weight
        for word in words.new[other]:
            new_count[word] += weight
        for word in words.old[one]:
            for partner in words.new[other]:
                together[word, partner] = together.get((word, partner), 0.0) + weight
    size = max(sum(weights), 1.0)
    links: dict[int, list[tuple[int, float]]] = {}
    for (word, partner), count in together.items():
        if count >= _LEAST_TOGETHER and (phi := _phi(count, old_count[word], new_count[partner], size)) > 0.25:
            links.setdefault(word, []).append((partner, phi * count / (count + 2)))
    forward = _gathered(words.old, words.new, words.old_worth, links, shape)
    turned: dict[int, list[tuple[int, float]]] = {}
    for word, partners in links.items():
        for partner, value in partners:
            turned.setdefault(partner, []).append((word, value))
    backward = _gathered(words.new, words.old, words.new_worth, turned, shape[::-1]).T
    mean: NDArray[np.float32] = (forward + backward) / 2
    return mean


def _phi(both: float, one: float, other: float, size: float) -> float:
    """The correlation of two yes-or-no features."""
    spread = one * (size - one) * other * (size - other)
    if spread <= 0:
        return 0.0
    return float((both * size - one * other) / math.sqrt(spread))


def _gathered(
    lists: Sequence[Sequence[int]],
    others: Sequence[Sequence[int]],
    worth: NDArray[np.float32],
    links: dict[int, list[tuple[int, float]]],
    shape: tuple[int, int],
) -> NDArray[np.float32]:
    """For each layer, the worth of its words times the best link to a word of the other, over what they could have."""
    holders: dict[int, list[int]] = {}
    for column, found in enumerate(others):
        for number in found:
            holders.setdefault(number, []).append(column)
    rows: dict[int, NDArray[np.float32]] = {}
    for word, partners in links.items():
        row = np.zeros(shape[1], np.float32)
        for partner, value in partners:
            held = holders[partner]
            row[held] = np.maximum(row[held], value)
        rows[word] = row * worth[word]
    result = np.zeros(shape, np.float32)
    for at, found in enumerate(lists):
        known = [word for word in found if word in rows]
        if known:
            result[at] = np.sum([rows[word] for word in known], axis=0) / sum(float(worth[word]) for word in known)
    return result
