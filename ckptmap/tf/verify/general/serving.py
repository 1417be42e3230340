"""The process of one side: started here, asked to run here, ended here. The other end runs ``main``.

Each model has a process of its own: Keras 2 and Keras 3 cannot be ``tf.keras`` of one, and TF1 code needs TF1 behavior.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ckptmap.tf.environment import check_installed, import_quietly, tf1
from ckptmap.tf.verify.general.source import Kind
from ckptmap.tf.verify.process import Process, answer, started

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from ckptmap.tf.verify.general.graphs import Opened
    from ckptmap.tf.verify.general.side import Side
    from ckptmap.tf.verify.general.source import Source

    Array = np.ndarray[Any, Any]

_OF_TF1 = (Kind.FROZEN, Kind.SAVED_MODEL_1, Kind.META, Kind.GRAPH_CODE, Kind.SLIM)
_SETTINGS = {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
"""As written, on the CPU (see ``same_kernels`` of ``ckptmap.tf.environment``)."""

_OF_SLIM = {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
"""What the Object Detection API needs (``ckptmap.tf.environment``)."""


class Served:
    """A side in its process (see ``Running``), which imports TensorFlow from the start; ``open`` comes first.

    Opening takes several times the model's memory. Sides that are opened one after the other do not take it at once.
    """

    def __init__(self, process: Process, source: Source) -> None:
        self._process, self._source = process, source
        self._side: Side | None = None

    def open(self) -> None:
        """Open the model and wait until it can run. Raises what opening it raised."""
        self._process.send(self._source)
        self._side = self._process.answer()

    @property
    def side(self) -> Side:
        """What it is."""
        if self._side is None:
            raise AssertionError
        return self._side

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> dict[str, Array]:
        """Fetch tensors over there."""
        found: dict[str, Array] = self._process.ask("run", dict(feeds), tuple(fetches))
        return found

    def give(self, values: Mapping[str, Array]) -> None:
        """Give variables other values over there, by node, for all runs to come."""
        self._process.ask("give", dict(values))


@contextmanager
def served(source: Source) -> Iterator[Served]:
    """A process that can open ``source``; it ends with the context."""
    check_installed()
    legacy = source.kind in _OF_TF1 or source.keras == 2
    settings = {**_SETTINGS, "TF_USE_LEGACY_KERAS": "1" if legacy else "0"}
    if source.kind is Kind.SLIM:
        settings |= _OF_SLIM
    what = f"process of the {source.end} model"
    with started(__name__, what, f"the {source.end} model cannot be run", settings) as process:
        yield Served(process, source)


def open_source(source: Source) -> Opened:
    """The model of ``source`` in this process, which must be one for it alone."""
    from ckptmap.tf.verify.general.tf1_models import open_graph
    from ckptmap.tf.verify.general.tf2_models import open_model

    tensorflow = import_quietly("tensorflow")
    tensorflow.get_logger().setLevel("ERROR")
    if source.kind is Kind.SLIM:
        tf1()  # slim's code, which is in the Object Detection API's package
    if source.kind in _OF_TF1:
        tensorflow.compat.v1.disable_v2_behavior()
        return open_graph(tensorflow, source)
    opened = open_model(tensorflow, source)
    gc.collect()  # the model itself, whose values the session has now
    return opened


def main() -> None:
    """Answer until stdin ends."""
    import_quietly("tensorflow")
    answer(open_source, lambda opened: opened.side)
