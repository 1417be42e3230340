"""The sheet of a comparison's document (``ckptmap.diff/1``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

from ckptmap.basics.fold import layer
from ckptmap.basics.text import byte_count, counted, plural
from ckptmap.report.conversion_document import Document
from ckptmap.report.sheet import Cell, Level, Message, Row, Sheet, fate_counts, shape_text

_FATES = (
    ("", "only_in_a", Level.FAILURE),
    ("", "only_in_b", Level.FAILURE),
    ("", "shape", Level.FAILURE),
    ("", "dtype", Level.FAILURE),
    ("", "changed", Level.FAILURE),
    ("", "within_tolerance", Level.NOTE),
    ("", "expected", Level.NOTE),
    ("", "equal", Level.OK),
)
_LEVELS = {fate: level for _, fate, level in _FATES}
_COLUMNS = (
    "name", "fate", "source", "operations", "shape_a", "shape_b", "dtype_a", "dtype_b", "different", "max_delta",
    "rms", "cosine", "incomparable", "reason", "role", "parameters",
)  # fmt: skip
_ROLES = {
    "slot": "optimizer slots",
    "ema": "moving averages",
    "bookkeeping": "bookkeeping",
    "quantization": "ranges of quantization",
}
VALUE_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def sheet(document: Document) -> Sheet:
    """The sheet of a comparison."""
    rows = tuple(map(_row, document["variables"]))
    return Sheet(
        schema=document["schema"],
        generator=document["generator"],
        title="ckptmap diff",
        subject=f"{document['a']['path']} ↔ {document['b']['path']}",
        passed=document["equal"],
        verdict=_verdict(document),
        facts=tuple(_facts(document)),
        counts=fate_counts(rows, _FATES),
        columns=_COLUMNS,
        rows=rows,
        messages=tuple(Message(Level.NOTE, note) for note in _notes(document)),
        advice=tuple(document.get("advice", ())),
    )


class _Record(Mapping[str, Cell]):
    """The line of a variable in a table, made when a format asks for it: most reports show few lines of many."""

    __slots__ = ("_cells", "_item")

    def __init__(self, item: Document) -> None:
        self._item = item
        self._cells: dict[str, Cell] | None = None

    def __getitem__(self, column: str) -> Cell:
        if self._cells is None:
            self._cells = _cells(self._item)
        return self._cells[column]

    def __iter__(self) -> Iterator[str]:
        return iter(_COLUMNS)

    def __len__(self) -> int:
        return len(_COLUMNS)


def _row(item: Document) -> Row:
    name = _name(item)
    # across a migration the old names fold into modules, the new ones are numbered paths
    shown = item["sources"][0] if len(item["sources"]) == 1 else name
    level, reason = _LEVELS[item["fate"]], item["reason"] or _role(item)
    record, parameters = _Record(item), _parameters(item)
    return Row(shown, item["fate"], level, record, "", reason, _detail(item), parameters, module=_module(item))


def _name(item: Document) -> str:
    name: str = item["name"]
    return name.removesuffix(VALUE_SUFFIX)


def _parameters(item: Document) -> int:
    return prod((item["b"] or item["a"] or {}).get("shape", ()))


def _cells(item: Document) -> dict[str, Cell]:
    return {
        "name": _name(item),
        "fate": item["fate"],
        "source": " + ".join(item["sources"]),
        "operations": "; ".join(item["operations"]),
        **{f"shape_{side}": _shape(item[side]) for side in ("a", "b")},
        **{f"dtype_{side}": item[side]["dtype"] if item[side] else None for side in ("a", "b")},
        **{name: item[name] for name in ("different", "max_delta", "rms", "cosine", "incomparable", "reason")},
        "role": item.get("role"),
        "parameters": _parameters(item),
    }


def _role(item: Document) -> str:
    return _ROLES.get(item.get("role") or "", "")


def _module(item: Document) -> str:
    """A slot stands with those of its kind beside it, not below the weight that it belongs to; empty for a weight."""
    owner, name = item.get("owner"), item["name"]
    return f"{layer(owner)}/*/{name.rpartition('/')[2]}" if owner else ""


def _shape(variable: Document | None) -> str | None:
    return shape_text(variable["shape"]) if variable else None


def _detail(item: Document) -> str:
    """What differs, in a few words: both shapes, both dtypes, or how far the values are apart."""
    if item["fate"] == "equal":
        return ""
    a, b = item["a"], item["b"]
    if item["fate"] == "shape":
        return f"{_shape(a) or 'computed'} → {_shape(b)}"
    types = f"{a['dtype'] if a else 'computed'} → {b['dtype']}" if item["fate"] == "dtype" else ""
    return ", ".join(filter(None, (types, *_distance(item))))


def _distance(item: Document) -> Iterator[str]:
    if not item["different"]:
        return
    if item["max_delta"] is not None:
        yield f"max |Δ| {item['max_delta']:.3g}"
        yield f"RMS {item['rms']:.3g}" if item["rms"] is not None else ""
    yield f"cosine {_cosine(item['cosine'])}" if item["cosine"] is not None else ""
    if item["incomparable"]:
        yield f"{plural(item['incomparable'], 'element')} not finite on one side"
    if item["max_delta"] is None and not item["incomparable"]:
        yield counted(item["different"], "element", "differs", "differ")


def _cosine(value: float) -> str:
    """Enough digits to tell a small angle from none."""
    return f"1 - {1 - value:.2g}" if 0 < 1 - value < 1e-4 else f"{value:.5g}"


def _verdict(document: Document) -> str:
    count = len(document["variables"])
    if count and document["summary"]["expected"] == count:
        return f"nothing was compared: {plural(count, 'variable')} without a counterpart, as expected"
    if document["equal"]:
        known = [fate for fate in ("within_tolerance", "expected") if document["summary"][fate]]
        details = ", ".join(f"{document['summary'][fate]:,} {fate.replace('_', ' ')}" for fate in known)
        return f"equal: {plural(count, 'variable')} compared" + (f" ({details})" if details else "")
    differing = sum(number for fate, number in document["summary"].items() if _LEVELS[fate] is Level.FAILURE)
    return f"different: {differing:,} of {plural(count, 'variable')}"


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    for side in ("a", "b"):
        one = document[side]
        yield side, f"{one['path']} ({one['kind']}, {plural(one['variables'], 'variable')}, {byte_count(one['bytes'])})"
    options = document["options"]
    if options["map"]:
        yield "map", options["map"]
    if options["match"]:
        yield "match", ", ".join(options["match"])
    if options["tolerance"]:
        yield "tolerance", f"{options['tolerance']:g}"
    yield "compared", "every byte" if options["read"] else "by checksum; values if checksums differ"


def _notes(document: Document) -> Iterator[str]:
    yield from document["notes"]
    for side in ("a", "b"):
        yield from (f"{side}: {note}" for note in document[side]["notes"])
