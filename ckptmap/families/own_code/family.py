"""Networks that go on by their own code, as the other rooms ask for them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from ckptmap.basics.text import plural
from ckptmap.families.family import Family
from ckptmap.families.known import Known
from ckptmap.families.own_code.models import NETWORKS, Network
from ckptmap.families.verdict import Kind, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ckptmap.families.family import Shapes

NAME = "own_code"
TARGET = "own_code"
_TAKES = "what its TF1 code takes: that code goes on"
_FILM = 5
"""The rank of a kernel that moves over time, too."""


def recognize(shapes: Shapes) -> Known | None:
    """The network with these variables of TF1; None where it is none of them."""
    roots = {name.partition("/")[0] for name in shapes}
    found = next((one for one in NETWORKS if _is(one, roots, shapes)), None)
    if found is None:
        return None
    classes, width = _classes(found, shapes), _width(found, shapes)
    told = (found.title, f"depth multiplier {width:g}" if width else "")
    counted = plural(classes, "class", "classes") if classes else ""
    return Known(
        found.name,
        NAME,
        "; ".join(filter(None, (*told, counted))),
        {"classes": classes} if classes else {},
        targets=(TARGET,),
        remark="\n".join(_remark(found, classes, width)),
    )


def _is(network: Network, roots: set[str], shapes: Shapes) -> bool:
    scopes = [_pattern(scope) for scope in network.scopes]
    if not all(any(scope.fullmatch(root) for root in roots) for scope in scopes):
        return False
    if network.alone and not all(any(scope.fullmatch(root) for scope in scopes) for root in roots):
        return False
    film = any(len(shape) == _FILM for shape in shapes.values())
    shown = all(any(name.startswith(start) for name in shapes) for start in network.shows)
    return shown and film == network.film and not any(name.startswith(network.lacks) for name in shapes)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _classes(network: Network, shapes: Shapes) -> int | None:
    kernels = (shapes.get(f"{network.last}/{leaf}") for leaf in ("weights", "biases"))
    return next((shape[-1] for shape in kernels if network.last and shape), None)


def _width(network: Network, shapes: Shapes) -> float:
    """The depth multiplier where it is another than 1; else 0."""
    kernel, channels = network.wide
    shape = shapes.get(kernel) if channels else None
    width = round(shape[-1] / channels, 2) if shape else 1.0
    return width if width != 1.0 else 0.0


def _remark(network: Network, classes: int | None, width: float) -> Iterator[str]:
    function, call = network.code.partition("(")[0], network.code.format(classes=classes)
    if width:
        call = f"{call[:-1]}, depth_multiplier={width:g})"
    yield f"from ckptmap.tf.own_code import {function}"
    yield f"model = {call}  # {verdict_here()}"
    yield f"its own code goes on in Keras 2, with the names of TF1; it takes {network.takes}"
    if network.minds:
        yield network.minds


def verdict_here() -> Verdict:
    """Equal: it is the same code."""
    advice = "the model is made by ckptmap.tf.own_code, of the TF1 code"
    return Verdict(Kind.EQUAL, extractor_type="own_code(function)", advice=advice, unconfigured=True)


def _recognize(shapes: Shapes, object_based: bool) -> Known | None:
    return None if object_based else recognize(shapes)


def _verdict(target: str, _settings: Mapping[str, object], _lengths: Mapping[str, int]) -> Verdict | None:
    return verdict_here() if target == TARGET else None


def _preprocessing(target: str) -> str:
    return _TAKES if target == TARGET else ""


OWN_CODE = Family(NAME, _recognize, _verdict, preprocessing=_preprocessing)
