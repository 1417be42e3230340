"""The TF1 process of a verification: started here, asked for outputs image by image, ended here.

TF1 and TF2 cannot share a process. The other end runs ``main``: it opens the model of the first message and answers
each further one.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ckptmap.tf.verify.process import Process, answer, started

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import numpy as np

    from ckptmap.tf.outputs import Outputs
    from ckptmap.tf.verify.sources import Old

    Array = np.ndarray[Any, Any]


class Tf1Side:
    """The old model in its own process. The first answer comes when TensorFlow is imported and the graph is there."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def ready(self) -> None:
        """Wait until the model can run. Raises what opening it raised."""
        self._process.answer()

    def clips_first(self) -> bool:
        """``OldModel.clips_first`` over there."""
        return bool(self._process.ask("clips_first"))

    def run(self, image: Array) -> Outputs:
        """``OldModel.run`` over there."""
        found: Outputs = self._process.ask("run", image)
        return found

    def parts(self, image: Array, variables: Collection[str]) -> dict[str, dict[str, Array]]:
        """``OldModel.parts`` over there."""
        found: dict[str, dict[str, Array]] = self._process.ask("parts", image, frozenset(variables))
        return found


@contextmanager
def tf1_side(old: Old) -> Iterator[Tf1Side]:
    """A process that opens ``old``; it ends with the context."""
    with started(__name__, "TF1 process", "the old model cannot be run in TF1") as process:
        process.send(old)
        yield Tf1Side(process)


def main() -> None:
    """Answer until stdin ends."""
    from ckptmap.tf.verify.tf1_graphs import open_old

    answer(open_old)
