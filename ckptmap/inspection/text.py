"""An inspection for a person: facts first, then the variables as a folded tree or as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from ckptmap.basics.escapes import printable
from ckptmap.basics.text import byte_count, parameter_count, plural
from ckptmap.checkpoint.inventory import OF_OTHERS, Inventory, Variable
from ckptmap.families.family import Beside, Model
from ckptmap.inspection.inspector import Inspection
from ckptmap.inspection.training import Training
from ckptmap.inspection.tree import tree_lines

_WIDEST = 200
"""Characters of a column of names; a longer one puts only its own line out of line."""

Listing = Callable[[Iterable[Variable], Mapping[str, str]], Iterator[str]]


def text_lines(
    found: Inspection, variables: Iterable[Variable], listing: Listing = tree_lines, *, hidden: int = 0
) -> Iterator[str]:
    """The lines to print; no control character reaches the output.

    ``variables`` are those to list, by ``listing``; ``hidden`` are slots and the like that are not among them.
    """
    for line in (*facts(found), "", *listing(variables, found.names)):
        yield printable(line)
    if hidden:
        yield ""
        yield f"{plural(hidden, 'variable')} of the training not listed: --slots shows them"


def table_lines(variables: Iterable[Variable], names: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """One line a variable: dtype, shape, bytes, name, and its readable one of ``names``; columns aligned."""
    rows = [(v.dtype.label, str(list(v.shape)), f"{v.nbytes:,}", v.name, names.get(v.name, "")) for v in variables]
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(3)]
    longest = max((len(name) for *_, name, readable in rows if readable), default=0)
    column = min(longest, _WIDEST)
    for dtype, shape, size, name, readable in rows:
        line = f"{dtype:<{widths[0]}}  {shape:<{widths[1]}}  {size:>{widths[2]}}  "
        yield f"{line}{name:<{column}}  {readable}" if readable else line + name


def _naming(inventory: Inventory) -> Iterator[str]:
    if inventory.object_based:
        yield "TF2 object graph"
    elif inventory.kind not in OF_OTHERS:
        yield "TF1 names"


def facts(found: Inspection) -> Iterator[str]:
    """What is known of the checkpoint, a subject a line."""
    inventory = found.inventory
    yield inventory.path
    yield _fact("kind", ", ".join((inventory.kind.value, *_naming(inventory), *_writer(found))))
    yield _fact("size", _size(found))
    for data in found.data:
        if data.problem:
            yield _fact("data", f"{data.path}: {data.problem}")
    yield _fact("model", describe_architecture(found.architecture))
    yield _fact("training", describe_training(found.training))
    if found.config is not None:
        yield from _config(found.config)
    for note in inventory.notes:
        yield _fact("note", note)
    convert, *more = filter(None, [found.advice.command, *found.advice.note.splitlines()])
    yield _fact("convert", convert)
    yield from (_fact("", line) for line in more)


def _fact(subject: str, text: str) -> str:
    return f"  {subject:<9} {text}"


def _writer(found: Inspection) -> Iterator[str]:
    if found.written_by:
        yield f"written by TensorFlow {found.written_by}"


def _size(found: Inspection) -> str:
    variables = found.inventory.variables
    weights = [variable for name, variable in variables.items() if name not in found.roles]
    parameters = parameter_count(sum(variable.elements for variable in weights))
    size = byte_count(sum(variable.nbytes for variable in variables.values()))
    files = plural(len(found.data), "data file") if found.data else "the graph"
    counted = f"{plural(len(variables), 'variable')}, {size} in {files}"
    return f"{counted}; {plural(len(weights), 'weight')} with {parameters} parameters"


def describe_architecture(model: Model | None) -> str:
    """A model in one line."""
    return "unknown architecture" if model is None else f"{model.name}: {model.traits()}"


def describe_training(training: Training) -> str:
    """The training state in one line."""
    return "; ".join(_training(training))


def _training(training: Training) -> Iterator[str]:
    if training.step is None:
        yield "step unknown"
    else:
        by_name = " (from the file name)" if training.step_from == "file name" else ""
        yield f"step {training.step:,}{by_name}"
    if training.slots:
        yield f"{' and '.join(training.optimizers) or 'optimizer'} ({plural(training.slots, 'slot')})"
    else:
        yield "no optimizer slots"
    yield plural(training.averages, "moving average") if training.averages else "no moving averages"
    if training.quantization:
        yield f"quantization-aware ({plural(training.quantization, 'variable')})"


def _config(config: Beside) -> Iterator[str]:
    if config.differences is None:
        yield _fact("config", f"{config.path}: {config.note}")
        return
    if not config.differences:
        yield _fact("config", f"{config.path} agrees ({config.says})")
        return
    yield _fact("config", f"{config.path} does not agree:")
    for one in config.differences:
        yield _fact("", f"{one.what} is {one.config} in the config, {one.checkpoint} in the checkpoint")
