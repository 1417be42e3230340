"""A report for a person at a terminal: counts first, then folded groups, then one line of advice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from math import prod
from operator import itemgetter
from typing import TYPE_CHECKING

from ckptmap.basics.errors import Problem
from ckptmap.basics.escapes import printable
from ckptmap.basics.fold import fold, layer
from ckptmap.basics.text import byte_count, checked, classes_text, optimizer_text, parameter_count, plural
from ckptmap.checkpoint.naming import told_names
from ckptmap.report.conversion_document import Document
from ckptmap.report.next_step import next_lines
from ckptmap.report.terminal import print_line

if TYPE_CHECKING:
    from rich.console import Console

_COLORS = {
    "restored": "green",
    "partly restored": "yellow",
    "mapped": "green",
    "reinitialized": "yellow",
    "missing": "red",
    "superseded": "cyan",
    "dropped": "dim",
    "unused": "red",
}
_MARKUP = re.compile(r"\\(\[)|\[(?:/|[a-z]+)\]")
"""A bracket of a text, which ``_safe`` escapes, or a color that begins or ends."""
_TARGET_FATES = ("restored", "partly restored", "reinitialized", "missing")
_SOURCE_FATES = ("mapped", "superseded", "dropped", "unused")
_MOST_LAYERS = 3
_MOST_SCOPES = 6


def print_report(report: Document, console: Console) -> None:
    """Print ``report`` on ``console``; names are escaped, colors follow the terminal and NO_COLOR."""
    for line in _lines(report):
        print_line(console, line)


def plain_report(report: Document) -> Iterator[str]:
    """The same lines without colors, made without rich, whose import takes as long as a small conversion."""
    return (_MARKUP.sub(r"\1", line) for line in _lines(report))


def _lines(report: Document) -> Iterator[str]:
    yield from _heading(report)
    yield ""
    yield _counts(report["summary"], _TARGET_FATES, len(report["target_variables"]), "target")
    yield _counts(report["summary"], _SOURCE_FATES, len(report["source_variables"]), "source")
    yield ""
    yield from _parts(report)
    told = told_names((variable["key"], variable["name"]) for variable in report["target_variables"])
    for fate in _TARGET_FATES[1:]:
        yield from _groups(report["target_variables"], fate, lambda variable: told[variable["key"]])
    for fate in _SOURCE_FATES[1:]:
        yield from _groups(report["source_variables"], fate, itemgetter("name"))
    yield from _classes(report)
    yield from _optimizer(report)
    yield from _assumptions(report)
    yield from _verdict(report)
    yield from _outcome(report)


def _heading(report: Document) -> Iterator[str]:
    source, target = report["source"], report["target"]
    size = byte_count(source["bytes"])
    held = f"{source['kind']}, {plural(source['variables'], 'variable')}, {size}"
    yield f"[bold]source[/]  {_safe(source['path'])}  ({held})"
    for note in source["notes"]:
        yield f"        [dim]{_safe(note)}[/]"
    known = ", ".join(f"{name} {_value(value)}" for name, value in {**target["settings"], **_named(target)}.items())
    yield (
        f"[bold]target[/]  {_safe(target['name'])}  ({_safe(known)})"
        if known
        else f"[bold]target[/]  {_safe(target['name'])}"
    )


def _named(target: Document) -> Document:
    """The solved dimensions that a person would know by name: the class count first of all."""
    dimensions = target["dimensions"]
    return {"num_classes": dimensions["num_classes"]} if "num_classes" in dimensions else {}


def _counts(summary: Document, fates: Iterable[str], total: int, side: str) -> str:
    shown = "   ".join(_count(fate, summary[fate]) for fate in fates if fate != "partly restored" or summary.get(fate))
    return f"  {shown}   of {plural(total, f'{side} variable')}"


def _count(fate: str, count: int) -> str:
    text = f"{count:>5,} {fate}"
    return f"[{_COLORS[fate]}]{text}[/]" if count else f"[dim]{text}[/]"


def _parts(report: Document) -> Iterator[str]:
    restored = [variable for variable in report["target_variables"] if variable["fate"] == "restored"]
    by_part: dict[str, list[Document]] = {}
    for variable in restored:
        by_part.setdefault(variable["part"], []).append(variable)
    for part, variables in by_part.items():
        parameters = parameter_count(sum(prod(variable["shape"]) for variable in variables))
        yield f"  {_fate('restored')} {len(variables):>5,}  {_safe(part or 'model')}, {parameters} parameters"


def _groups(variables: Iterable[Document], fate: str, name: Callable[[Document], str]) -> Iterator[str]:
    chosen = sorted((v for v in variables if v["fate"] == fate), key=lambda v: v["reason"] or "")
    for reason, members in groupby(chosen, key=lambda v: v["reason"] or ""):
        yield _reason_line(fate, reason, [name(member) for member in members])


def _reason_line(fate: str, reason: str, names: list[str]) -> str:
    """One line: how many, why, and which layers, or the scopes they are in where the layers are many."""
    because = f"{_safe(reason)}: " if reason else ""
    layers = fold(dict.fromkeys(layer(name) for name in names))
    groups = layers if len(layers) <= _MOST_LAYERS else fold(dict.fromkeys(name.partition("/")[0] for name in names))
    shown = ", ".join(_safe(group.label) for group in groups[:_MOST_SCOPES])
    more = f", … ({len(groups) - _MOST_SCOPES} more; --json lists all)" if len(groups) > _MOST_SCOPES else ""
    return f"  {_fate(fate)} {len(names):>5,}  {because}[dim]{shown}{more}[/]"


def _fate(fate: str) -> str:
    return f"[{_COLORS[fate]}]{fate:<13}[/]"


def _optimizer(report: Document) -> Iterator[str]:
    if optimizer := report.get("optimizer"):
        yield f"  optimizer     {_safe(optimizer_text(optimizer))}"
        for remark in optimizer["remarks"]:
            yield f"                [dim]{_safe(remark)}[/]"


def _classes(report: Document) -> Iterator[str]:
    classes = report.get("classes")
    if classes:
        yield f"  classes       {_safe(classes_text(classes))}"


def _assumptions(report: Document) -> Iterator[str]:
    for assumed in report["target"]["assumed"]:
        setting = f"{_safe(assumed['setting'])} = {_value(assumed['value'])}"
        yield f"  [yellow]assumed[/]       {setting}: {_safe(assumed['hint'])}"


def _verdict(report: Document) -> Iterator[str]:
    verdict, config = report["verdict"], report["config"]
    if verdict is None:
        return
    yield ""
    color = "green" if verdict["equal"] else "yellow"
    yield f"[bold]verdict[/] [{color}]{_safe(verdict['kind'])}[/]: {_safe(verdict['extractor_type'])}"
    if verdict["presumed"]:
        yield "        presumed for the official configuration of this model; --pipeline checks yours"
    for difference in verdict["differences"]:
        state = "differs" if difference["remains"] else "stock TF2 differs, this conversion does not"
        yield f"        {state}: {_safe(difference['outputs'])}: {_safe(difference['reason'])}"
    if verdict["advice"]:
        yield f"        {_safe(verdict['advice'])}"
    for edit in config["edits"] if config else ():
        change = f"{edit['old']} -> {edit['new']}" if edit["old"] and edit["new"] else edit["new"] or "removed"
        where = f"line {edit['line']}: {_safe(edit['path'])}"
        yield f"[bold]config[/]  {where}: {_safe(change)}  [dim]{_safe(edit['reason'])}[/]"
    for note in config["notes"] if config else ():
        yield f"[bold]note[/]    line {note['line']}: {_safe(note['path'])}: {_safe(note['text'])}"


def _outcome(report: Document) -> Iterator[str]:
    yield ""
    output = report["output"]
    if report["findings"]:
        for finding in report["findings"]:
            problem = Problem(finding["message"], finding["where"] or "", finding["hint"] or "")
            yield f"[red]finding[/]  {_safe(str(problem))}"
        yield "[bold]nothing was written[/]" if output is None else ""
    elif output is None:
        yield "dry run: nothing was written"
    else:
        path = _safe(output["checkpoint"])
        yield f"[bold]wrote[/]   {path}  ({byte_count(output['bytes'])}, {checked(output)})"
        for note in output["notes"]:
            yield f"        [dim]{_safe(note)}[/]"
        first, *others = next_lines(report)
        yield f"[bold]next[/]    {_safe(first)}"
        yield from (f"        {_safe(line)}" for line in others)


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _safe(text: str) -> str:
    return printable(text).replace("[", r"\[")
