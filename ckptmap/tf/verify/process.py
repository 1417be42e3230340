"""A process of our own that answers messages: TensorFlow of another kind than this process may import.

Its program is a function ``main`` that calls ``answer``. Messages are pickles: both ends are ckptmap's own.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, BinaryIO

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.wording import command_line, names_options
from ckptmap.tf.environment import TensorFlowError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_OPTIONS = "CKPTMAP_MESSAGES_NAME_OPTIONS"
"""Set in the environment of a process whose messages are for a command line."""

_LAST_WORDS = 2000  # characters of stderr that are told when the process dies


class Process:
    """One end: ``what`` names the other in messages (``TF1 process``, and what it could not do)."""

    def __init__(self, process: subprocess.Popen[bytes], errors: BinaryIO, what: str, failed: str) -> None:
        self._process, self._errors, self._what, self._failed = process, errors, what, failed

    def ask(self, *message: Any) -> Any:
        """Send a message and wait for its answer. Raises what the other end raised."""
        self.send(message)
        return self.answer()

    def send(self, message: Any) -> None:
        """Send a message; an end that is gone is told of by the answer that does not come."""
        if self._process.stdin is None:
            raise AssertionError
        try:
            pickle.dump(message, self._process.stdin)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def answer(self) -> Any:
        """Wait for the next answer. Raises what the other end raised."""
        if self._process.stdout is None:
            raise AssertionError
        try:
            answer = pickle.load(self._process.stdout)  # noqa: S301  # from our own process
        except (EOFError, pickle.UnpicklingError) as error:
            self._errors.seek(0)
            told = self._errors.read().decode(errors="replace")[-_LAST_WORDS:]
            raise TensorFlowError(f"the {self._what} died:\n{told}") from error
        if isinstance(answer, CkptmapError):
            raise answer
        if isinstance(answer, Exception):
            raise TensorFlowError(f"{self._failed}: {answer}") from answer
        return answer


@contextmanager
def started(module: str, what: str, failed: str, settings: Mapping[str, str] | None = None) -> Iterator[Process]:
    """A process that runs ``main`` of ``module``, with ``settings`` in its environment; it ends with the context."""
    command = [sys.executable, "-W", "ignore", "-c", f"from {module} import main; main()"]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **(settings or {}), _OPTIONS: "1" if names_options() else ""},
        ) as process,
    ):
        try:
            yield Process(process, errors, what, failed)
        finally:
            process.kill()


def answer(opened: Callable[[Any], Any], first: Callable[[Any], Any] = lambda _: None) -> None:
    """The other end: open the model of the first message, say ``first`` of it, then call its methods until stdin ends.

    What TensorFlow prints goes to stderr.
    """
    messages, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with command_line() if os.environ.get(_OPTIONS) else nullcontext():
        for found in _answers(messages, opened, first):
            pickle.dump(found, answers)
            answers.flush()


def _answers(messages: BinaryIO, opened: Callable[[Any], Any], first: Callable[[Any], Any]) -> Iterator[Any]:
    try:
        model = opened(pickle.load(messages))  # noqa: S301  # from our own process
        yield first(model)
        while True:
            verb, *arguments = pickle.load(messages)  # noqa: S301
            yield getattr(model, verb)(*arguments)
    except EOFError:
        return
    except CkptmapError as error:
        yield error
    except Exception as error:  # noqa: BLE001  # told at the other end
        yield RuntimeError(f"{type(error).__name__}: {error}")
