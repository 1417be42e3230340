"""The TF1 process of a verification: started here, asked for outputs image by image, ended here.

TF1 and TF2 cannot share a process. The other end runs ``main``: it opens the model of the first message and answers
each further one. Messages are pickles: both ends are ckptmap's own.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from ckptmap.basics.errors import CkptmapError
from ckptmap.tf.environment import TensorFlowError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import numpy as np

    from ckptmap.tf.outputs import Outputs
    from ckptmap.tf.verify.sources import Old

    Array = np.ndarray[Any, Any]

_LAST_WORDS = 2000  # characters of stderr that are told when the process dies


class Tf1Side:
    """The old model in its own process. The first answer comes when TensorFlow is imported and the graph is there."""

    def __init__(self, process: subprocess.Popen[bytes], errors: BinaryIO) -> None:
        self._process, self._errors = process, errors

    def ready(self) -> None:
        """Wait until the model can run. Raises what opening it raised."""
        self._answer()

    def clips_first(self) -> bool:
        """``OldModel.clips_first`` over there."""
        return bool(self._ask(("clips_first",)))

    def run(self, image: Array) -> Outputs:
        """``OldModel.run`` over there."""
        found: Outputs = self._ask(("run", image))
        return found

    def parts(self, image: Array, variables: Collection[str]) -> dict[str, dict[str, Array]]:
        """``OldModel.parts`` over there."""
        found: dict[str, dict[str, Array]] = self._ask(("parts", image, frozenset(variables)))
        return found

    def _ask(self, message: tuple[Any, ...]) -> Any:
        self.send(message)
        return self._answer()

    def send(self, message: Any) -> None:
        """Send a message; an end that is gone is told of by the answer that does not come."""
        if self._process.stdin is None:
            raise AssertionError
        try:
            pickle.dump(message, self._process.stdin)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def _answer(self) -> Any:
        if self._process.stdout is None:
            raise AssertionError
        try:
            answer = pickle.load(self._process.stdout)  # noqa: S301  # from our own process
        except (EOFError, pickle.UnpicklingError) as error:
            self._errors.seek(0)
            told = self._errors.read().decode(errors="replace")[-_LAST_WORDS:]
            raise TensorFlowError(f"the TF1 process died:\n{told}") from error
        if isinstance(answer, CkptmapError):
            raise answer
        if isinstance(answer, Exception):
            raise TensorFlowError(f"the old model cannot be run in TF1: {answer}") from answer
        return answer


@contextmanager
def tf1_side(old: Old) -> Iterator[Tf1Side]:
    """A process that opens ``old``; it ends with the context."""
    command = [sys.executable, "-W", "ignore", "-c", f"from {__name__} import main; main()"]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors) as process,  # noqa: S603
    ):
        side = Tf1Side(process, errors)
        try:
            side.send(old)
            yield side
        finally:
            process.kill()


def main() -> None:
    """Answer until stdin ends. What TensorFlow prints goes to stderr."""
    messages, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for answer in _answers(messages):
        pickle.dump(answer, answers)
        answers.flush()


def _answers(messages: BinaryIO) -> Iterator[Any]:
    from ckptmap.tf.verify.tf1_graphs import open_old

    try:
        model = open_old(pickle.load(messages))  # noqa: S301  # from our own process
        yield None
        while True:
            verb, *arguments = pickle.load(messages)  # noqa: S301
            yield getattr(model, verb)(*arguments)
    except EOFError:
        return
    except CkptmapError as error:
        yield error
    except Exception as error:  # noqa: BLE001  # told at the other end
        yield RuntimeError(f"{type(error).__name__}: {error}")
