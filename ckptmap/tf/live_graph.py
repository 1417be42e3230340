"""The data flow of a live model, for ``ckptmap.suggest``: no file of it has to be written."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from ckptmap.suggest.graphs import graph_nodes
from ckptmap.suggest.nodes import Node
from ckptmap.suggest.saved_graph import SavedGraph
from ckptmap.tf.environment import check_installed, import_quietly
from ckptmap.tf.verify.general.code import build
from ckptmap.tf.verify.general.requests import Made, parse_inputs
from ckptmap.tf.verify.general.source import Kind, Source, find_source
from ckptmap.tf.verify.general.tf2_models import captured_by, traced_object

if TYPE_CHECKING:
    from collections.abc import Sequence


def graph_of(model: Any, *, inputs: Sequence[str] = ()) -> SavedGraph:
    """The data flow of a model of Keras 2 or 3, or of a ``tf.Module``, as ``ckptmap.suggest`` takes it for ``graph``.

    The model is traced once with training off: layers inside layers and layers that are called twice are followed.

    Args:
        model: the model. One of Keras that was never called is called for it, which makes its variables.
        inputs: what it takes where it does not say so itself, such as ``x=float32[1,224,224,3]``.

    Raises:
        CkptmapError: it cannot be called, or does not say what it takes.
    """
    return _traced(model, Source(Kind.OBJECT_CODE, type(model).__name__, "new", inputs=_made(inputs)))


def graph_of_code(code: str, template: str, *, keras: int | None = None, inputs: Sequence[str] = ()) -> SavedGraph:
    """The data flow of the model that ``code``, ``module:function``, returns; ``template`` is a checkpoint of it.

    ``tf.keras`` is the Keras of that checkpoint, or ``keras``, where TensorFlow is not imported yet.

    Raises:
        CkptmapError: as ``graph_of``, and where the code is not there or raises.
    """
    source = find_source(template, "new", code, keras)
    check_installed()
    if "tensorflow" not in sys.modules:
        os.environ["TF_USE_LEGACY_KERAS"] = "1" if source.keras == 2 else "0"
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return _traced(build(source), Source(Kind.OBJECT_CODE, template, "new", code, source.keras, inputs=_made(inputs)))


def _made(inputs: Sequence[str]) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    return tuple((one.name, one.dtype, one.shape) for one in parse_inputs(inputs) if isinstance(one, Made))


def _traced(model: Any, source: Source) -> SavedGraph:
    tensorflow = import_quietly("tensorflow")
    traced = traced_object(tensorflow, source, model, "model")
    held = {
        place: traced.variables.get(id(value))
        for place, value in captured_by(traced.function)
        if value.dtype == tensorflow.resource
    }
    nodes = graph_nodes(traced.function.graph.as_graph_def().SerializeToString())
    known = {place: frozenset(one[:2]) for place, one in held.items() if one is not None}
    return SavedGraph(tuple(Node(one.name, "VarHandleOp", ()) if one.name in held else one for one in nodes), known)
