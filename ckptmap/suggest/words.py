"""The words of a name: what they are, and which variables they make a layer's kernel, bias, mean."""

from __future__ import annotations

import re
from functools import lru_cache

ROLES = {
    **dict.fromkeys(("weights", "kernel", "w", "weight", "filter", "filters", "matrix"), "kernel"),
    **dict.fromkeys(("biases", "bias", "b"), "bias"),
    **dict.fromkeys(("gamma", "scale"), "gamma"),
    **dict.fromkeys(("beta", "offset", "shift"), "beta"),
    **dict.fromkeys(("moving_mean", "running_mean"), "mean"),
    **dict.fromkeys(("moving_variance", "moving_var", "running_var"), "variance"),
    **dict.fromkeys(("depthwise_weights", "depthwise_kernel"), "depthwise"),
    **dict.fromkeys(("pointwise_weights", "pointwise_kernel"), "pointwise"),
    **dict.fromkeys(("recurrent_kernel", "recurrent_weights"), "recurrent"),
    **dict.fromkeys(("embeddings", "embedding_table", "lookup_table"), "kernel"),
}
"""Last components of names, in lower case and without a leading underscore, to what they hold."""

NORM = frozenset({"gamma", "beta", "mean", "variance"})
"""The roles of a normalization."""
_ROLE_FIRST = re.compile(r"(w|b|weights?|bias|biases|kernel)_?([a-z]{0,3}[0-9]+)")
_ROLE_LAST = re.compile(r"(.+)_(w|b|weights?|bias|biases|kernel|gamma|beta|moving_mean|moving_variance)")
_PIECES = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+\d*[a-z]*|[A-Z]+\d*|\d+[a-z]\w*|\d+")
_NUMBERED = re.compile(r"([a-z]+)(\d+)")
_DIMENSIONS = re.compile(r"([a-z]+)([123]d)")
_SAME = {"bn": "norm", "batchnorm": "norm", "normalization": "norm", "batch": "", "conv2d": "conv", "conv1d": "conv"}
_SAME |= {
    "conv3d": "conv",
    "convolution": "conv",
    "dw": "depthwise",
    "pw": "pointwise",
    "fc": "dense",
    "linear": "dense",
}
_SAME |= {"layernorm": "norm", "ln": "norm", "proj": "projection"}


@lru_cache(maxsize=65536)
def role(leaf: str) -> str:
    """What a leaf of this name holds; empty where the name does not say it."""
    return ROLES.get(leaf.lower().strip("_"), "")


@lru_cache(maxsize=65536)
def numbered_role(leaf: str) -> tuple[str, str]:
    """Which layer a leaf such as ``W1``, ``bc2``, ``conv1_w`` is of and what it holds; nothing for any other."""
    text = leaf.lower().strip("_")
    before, behind = _ROLE_FIRST.fullmatch(text), _ROLE_LAST.fullmatch(text)
    if before:
        return before[2], role(before[1])
    return (behind[1], role(behind[2])) if behind else ("", "")


@lru_cache(maxsize=65536)
def tokens(name: str) -> tuple[str, ...]:
    """The words of a name, each number together with the word before it.

    ``block1/unit_2_0/BatchNorm`` gives block, block#1, unit, unit#2, unit##0, norm.
    """
    found: list[str] = []
    before = ""
    for component in name.split("/"):
        for piece in _pieces(component):
            if piece.isdigit():
                before += "#"
                found.append(f"{before}{int(piece)}")
            elif piece:
                found.append(piece)
                before = piece
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=65536)
def _pieces(component: str) -> tuple[str, ...]:
    pieces: list[str] = []
    for raw in re.split(r"[^A-Za-z0-9]+", component):
        for piece in _PIECES.findall(raw):
            pieces += _split(piece.lower())
    return tuple(pieces)


def _split(piece: str) -> tuple[str, ...]:
    if piece in _SAME:
        return (_SAME[piece],)
    if _DIMENSIONS.fullmatch(piece):
        return (piece,)
    match = _NUMBERED.fullmatch(piece)
    if match:
        return (_SAME.get(match[1], match[1]), match[2])
    return (piece,)


def prefixes(name: str) -> tuple[str, ...]:
    """Every scope that a layer lies in, from the outermost on, the layer itself left out."""
    parts = name.split("/")
    return tuple("/".join(parts[:count]) for count in range(1, len(parts)))
