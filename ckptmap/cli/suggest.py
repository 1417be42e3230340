"""``ckptmap suggest``: a mapping table drafted for a model of the user's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ckptmap.basics.errors import OutputError
from ckptmap.basics.escapes import printable
from ckptmap.cli.bundles import bundled
from ckptmap.cli.command import HOW, OUTPUT, WHAT, examples
from ckptmap.cli.completion import complete_targets
from ckptmap.cli.options import Json, Source
from ckptmap.cli.speaking import quiet, say
from ckptmap.cli.two_models import RunModels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ckptmap.suggest import Suggestion
    from ckptmap.suggest.asking import Ask
    from ckptmap.suggest.new_graph import NewGraph

EXAMPLES = examples(
    ("draft the table, then look at what is marked", "ckptmap suggest mine/ --to mine_tf2/ckpt-1 -o my_model.yaml"),
    (
        "settle what is doubtful, then see both models",
        "ckptmap suggest mine/ --to mine_tf2/ --ask -o my_model.yaml -o draft.html",
    ),
    ("with the new model's graph, for models with branches", "ckptmap suggest mine/ --to mine_tf2/ --graph model.json"),
    (
        "run both models to settle what is doubtful",
        "ckptmap suggest mine/ --to mine_tf2/ --check --new-model mine:build",
    ),
)


_PAGE = ".html"
_CODE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
"""``module:function``."""
_JSON = ".json"


@bundled
def suggest_command(
    source: Source,
    models: RunModels,
    to: Annotated[
        str,
        typer.Option(
            metavar="NEW",
            autocompletion=complete_targets,
            help="A TF2 checkpoint of the model, or a shipped target.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ],
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the table (.yaml), a page that shows it (.html) or all that it says (.json) to FILE instead of "
            "the screen; repeatable.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    graph: Annotated[
        str | None,
        typer.Option(
            metavar="GRAPH",
            help="The new model's graph: model.to_json() in a file, model.keras, a SavedModel, or MODULE:FUNCTION for "
            "code that returns the model. The code is run, and needs TensorFlow.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    ask: Annotated[
        bool,
        typer.Option(
            "--ask",
            help="Ask about each doubtful choice on the terminal; the answers go into the table.",
            rich_help_panel=WHAT,
        ),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Run both models, as ckptmap verify does, and keep the doubtful choices that give the same "
            "outputs. It needs TensorFlow.",
            rich_help_panel=HOW,
        ),
    ] = False,
    json: Json = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """Draft the mapping table from a TF1 checkpoint to your TF2 model, and mark every rule that is doubtful.

    Exit code 1 if anything is doubtful or left over.
    """
    from ckptmap.cli.asking import terminal

    code = graph if graph is not None and _CODE.fullmatch(graph) and not Path(graph).exists() else ""
    if models.asked and not check and not (code and models == RunModels(keras=models.keras, inputs=models.inputs)):
        raise typer.BadParameter("says how models are run: add --check", param_hint="--new-model")
    outputs = output or []
    for path in outputs:
        _refuse(path, force=force)
    known = _traced(code, to, models) if code else graph
    found = _suggested(source, to, known, models, ask=terminal() if ask else None, check=check)
    _write(found, outputs)
    if json:
        typer.echo(found.to_json())
    elif not outputs:
        typer.echo(printable_lines(found.text), nl=False)
    elif not quiet():
        typer.echo(printable_lines("\n".join(found.summary)))
    for path in outputs:
        say(f"wrote {path}")
    if not found.sure:
        raise typer.Exit(1)


def _write(found: Suggestion, outputs: Sequence[Path]) -> None:
    from ckptmap.checkpoint.staging import write_whole

    texts = [_text(found, path.suffix) for path in outputs]
    for path, text in zip(outputs, texts, strict=True):
        write_whole(path, text.encode())


def _text(found: Suggestion, suffix: str) -> str:
    if suffix == _PAGE:
        from ckptmap.suggest.drawing import to_page

        return to_page(found)
    return f"{found.to_json()}\n" if suffix == _JSON else found.text


def _traced(code: str, to: str, models: RunModels) -> NewGraph:
    from ckptmap.tf.live_graph import graph_of_code

    return graph_of_code(code, to, keras=models.keras, inputs=models.inputs or ())


def _suggested(
    source: str, to: str, graph: str | NewGraph | None, models: RunModels, *, ask: Ask | None, check: bool
) -> Suggestion:
    from ckptmap.suggest import suggest

    if not check:
        return suggest(source, to=to, graph=graph, ask=ask)
    from ckptmap.cli.steps import step_progress
    from ckptmap.tf.checking import by_outputs

    model = graph if isinstance(graph, str) and not graph.endswith(_JSON) else None
    with step_progress() as tell:
        return suggest(source, to=to, graph=graph, ask=ask, check=by_outputs(model=model, **models.running, say=tell))


def printable_lines(text: str) -> str:
    """The text with every line safe to print."""
    return "\n".join(printable(line) for line in text.split("\n"))


def _refuse(output: Path, *, force: bool) -> None:
    if output.suffix not in (".yaml", ".yml", _PAGE, _JSON):
        hint = f"give one that ends in .yaml, in {_PAGE} for a page that shows it, or in {_JSON} for programs"
        raise OutputError("is not a name for a table", where=str(output), hint=hint)
    if output.exists() and not force:
        raise OutputError("is there already", where=str(output), hint="give another name, or --force")
