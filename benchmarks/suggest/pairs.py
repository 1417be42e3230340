"""True pairs: a TF1 checkpoint's variables, a TF2 model's variables, and which becomes which."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA = Path(__file__).parent / "data"
Shape = tuple[int, ...]


@dataclass(frozen=True)
class TruePair:
    """Both sides' variables and the truth: new object path to the old variables it is made from."""

    name: str
    old: tuple[tuple[str, Shape], ...]
    """Name and shape, in the order in which they are made."""
    new: tuple[tuple[str, str, Shape], ...]
    """Object path, readable name and shape."""
    truth: Mapping[str, tuple[str, ...]]
    rules: int = 0
    """How many rules the hand-written table has for it."""
    graph: Mapping[str, tuple[str, ...]] | None = None
    """The Keras model's layers with those whose results they take, where that is known."""
    flow: tuple[tuple[int, tuple[int, ...]], ...] = ()
    """The TF1 graph's data flow: a variable's number, and the variables of the layers straight before it."""


def load_pairs(*files: str) -> list[TruePair]:
    """The pairs of these files in ``benchmarks/suggest/data``; of all where none is named."""
    paths = [DATA / f"{file}.json.gz" for file in files] or sorted(DATA.glob("*.json.gz"))
    return [_pair(item) for path in paths for item in json.loads(gzip.decompress(path.read_bytes()))]


def save_pairs(file: str, generator: str, pairs: list[TruePair]) -> None:
    """Write pairs to ``benchmarks/suggest/data``, the same bytes for the same pairs."""
    items = [{**_item(pair), "generator": generator} for pair in pairs]
    text = json.dumps(items, separators=(",", ":"))
    (DATA / f"{file}.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def _pair(item: dict[str, Any]) -> TruePair:
    old = tuple((name, tuple(shape)) for name, shape in item["old"])
    new = tuple((key, name or key, tuple(shape)) for key, name, shape in item["new"])
    truth = {new[int(at)][0]: tuple(old[place][0] for place in places) for at, places in item["truth"].items()}
    flow = tuple((at, tuple(before)) for at, before in item["flow"])
    return TruePair(item["name"], old, new, truth, item["rules"], item["graph"], flow)


def _item(pair: TruePair) -> dict[str, Any]:
    place = {name: at for at, (name, _) in enumerate(pair.old)}
    key = {key: at for at, (key, _, _) in enumerate(pair.new)}
    return {
        "name": pair.name,
        "old": pair.old,
        "new": [[key, "" if name == key else name, shape] for key, name, shape in pair.new],
        "truth": {key[new]: [place[name] for name in names] for new, names in pair.truth.items()},
        "rules": pair.rules,
        "flow": pair.flow,
        "graph": pair.graph,
    }
