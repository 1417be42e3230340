"""The data flow of a Keras model, from ``model.to_json()`` or a ``.keras`` archive: which layer takes whose results.

Both forms are read: ``inbound_nodes`` of Keras 2, lists ``[layer, node, tensor, …]``, and of Keras 3, where a
``keras_history`` holds the same. The layers of a sequential model follow each other.
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.nearest import nearest_file
from ckptmap.suggest.graphs import Flow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ckptmap.suggest.layer_values import Layer

_MAX_BYTES = 1 << 26
_CONFIG = "config.json"


def read_keras_graph(path: str | os.PathLike[str]) -> dict[str, tuple[str, ...]]:
    """The layers of the model, each with those whose results it takes.

    Raises:
        CkptmapError: the file is no such model, or is larger than 64 MiB.
    """
    try:
        data = json.loads(_text(Path(path)))
        layers = data["config"]["layers"]
        found = {_name(layer): tuple(_sources(layer.get("inbound_nodes", []))) for layer in layers}
    except FileNotFoundError as error:
        raise CkptmapError("no such file", where=os.fspath(path), hint=nearest_file(os.fspath(path))) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, RecursionError) as error:
        hint = 'write it with `open("model.json", "w").write(model.to_json())`, or save the model as model.keras'
        raise CkptmapError("is not a graph of a Keras model", where=os.fspath(path), hint=hint) from error
    if not any(found.values()):
        names = list(found)
        return {name: tuple(names[at - 1 : at]) if at else () for at, name in enumerate(names)}
    return found


def _text(path: Path) -> str:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_CONFIG).file_size > _MAX_BYTES:
                raise ValueError("too large")
            return archive.read(_CONFIG).decode()
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError("too large")
    return path.read_text(encoding="utf-8")


def _name(layer: Mapping[str, Any]) -> str:
    return str(layer.get("name") or layer["config"]["name"])


def _sources(value: Any) -> Iterator[str]:
    """The layers that are named in inbound nodes, however deep."""
    if isinstance(value, dict):
        history = value.get("keras_history")
        if isinstance(history, list) and history:
            yield str(history[0])
            return
        for inner in value.values():
            yield from _sources(inner)
    elif isinstance(value, list):
        if len(value) >= 3 and isinstance(value[0], str) and all(isinstance(one, int) for one in value[1:3]):
            yield value[0]
            yield from _sources(value[3:])  # the arguments that Keras 2 keeps by name
        else:
            for inner in value:
                yield from _sources(inner)


def keras_flow(graph: Mapping[str, Sequence[str]], layers: Sequence[Layer]) -> Flow | None:
    """Which of ``layers`` lie before which; None where the graph has fewer than half of them by name."""
    holders: dict[str, list[int]] = {}
    for at, layer in enumerate(layers):
        name = next((part for part in reversed(layer.scope.split("/")) if part in graph), None)
        if name is not None:
            holders.setdefault(name, []).append(at)
    if 2 * sum(map(len, holders.values())) < len(layers):
        return None
    before, direct = [0] * len(layers), [0] * len(layers)
    reached: dict[str, int] = {}
    nearest: dict[str, int] = {}
    for name in _in_order(graph):
        upstream = near = 0
        for source in graph[name]:
            upstream |= reached.get(source, 0)
            near |= nearest.get(source, 0)
        own = 0
        for at in holders.get(name, ()):
            before[at], direct[at] = upstream, near
            own |= 1 << at
        reached[name], nearest[name] = upstream | own, own or near
    return Flow(tuple(before), tuple(direct))


def _in_order(graph: Mapping[str, Sequence[str]]) -> list[str]:
    """The layers, each behind its sources; what goes in circles is left out."""
    waiting = {name: sum(source in graph for source in set(sources)) for name, sources in graph.items()}
    takers: dict[str, list[str]] = {}
    for name, sources in graph.items():
        for source in set(sources):
            takers.setdefault(source, []).append(name)
    ready = [name for name, count in waiting.items() if not count]
    for name in ready:
        for taker in takers.get(name, ()):
            waiting[taker] -= 1
            if not waiting[taker]:
                ready.append(taker)
    return ready
