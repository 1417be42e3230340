"""What is known beside both models: what the conversion makes of the old values, and what the old checkpoint holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ckptmap.basics.documents import following
from ckptmap.mapping.op import execute
from ckptmap.mapping.ops_json import op_from_json
from ckptmap.tf.verify.layers.causes import Known
from ckptmap.tf.verify.layers.variable_matching import new_variables, sources_of

if TYPE_CHECKING:
    import numpy as np

    from ckptmap.checkpoint.reader import Checkpoint
    from ckptmap.mapping.op import Op
    from ckptmap.tf.verify.general.side import Running

    Array = np.ndarray[Any, Any]
    Rules = Mapping[str, tuple[tuple[str, ...], tuple[Op, ...]]]

_SCHEMA = "ckptmap.report/1"


def known_values(
    old: Running, new: Running, report: Mapping[str, Any] | None, checkpoint: Checkpoint | None, where: str = ""
) -> Known:
    """The values, each computed or read when it is asked for.

    ``report`` is the document of the conversion, read from ``where``; ``checkpoint`` the old one, open as long as the
    result is used. Raises CkptmapError where the report does not follow its schema.
    """
    rules: Rules = {}
    if report is not None:
        with following(_SCHEMA, where):
            rules = dict(_rules(new, report))

    def remake(name: str, values: Mapping[str, Array]) -> Array | None:
        sources, ops = rules.get(name, ((), ()))
        if not sources or not all(one in values for one in sources):
            return None
        return execute(ops, [values[one] for one in sources])

    stored = Lazy(checkpoint.inventory.variables, checkpoint.read) if checkpoint is not None else {}
    running = _running(old)
    usable = [name for name, (sources, _) in rules.items() if all(one in running for one in sources)]
    expected = Lazy(usable, lambda name: execute(rules[name][1], [running[one] for one in rules[name][0]]))
    return Known(expected, stored, remake)


class Lazy(Mapping[str, "Array"]):
    """Values by name that are made when they are asked for."""

    def __init__(self, names: Mapping[str, object] | list[str], make: Callable[[str], Array]) -> None:
        self._names, self._make = dict.fromkeys(names), make

    def __getitem__(self, name: str) -> Array:
        if name not in self._names:
            raise KeyError(name)
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _running(old: Running) -> Lazy:
    """What the old model runs with."""
    reads = {one.name: one.reads[0] for one in old.side.variables}
    return Lazy(list(reads), lambda name: old.run({}, [reads[name]])[reads[name]])


def _rules(new: Running, report: Mapping[str, Any]) -> Iterator[tuple[str, tuple[tuple[str, ...], tuple[Op, ...]]]]:
    """By new variable, the old ones that it was made of and how; what was grown or filled otherwise is in none."""
    find = new_variables(new.side)
    for record in report["target_variables"]:
        name, sources = find(record), sources_of(record)
        ops = tuple(map(op_from_json, record["operations"]))
        if name and sources and not any(op.leaves_open for op in ops):
            yield name, (sources, ops)
