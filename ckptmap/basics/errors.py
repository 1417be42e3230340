"""Every error that ckptmap raises on purpose: what went wrong, where, and how to fix it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ckptmap.basics.secrets import without_secrets


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a table or one conflict in a plan.

    ``where`` is ``file:line`` or a variable name; ``hint`` says how to fix it (nearest names, the flag that
    accepts it). Problems are collected, so that a user sees all of them at once.
    """

    message: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class CkptmapError(Exception):
    """Base of all errors that are the fault of the input, not of ckptmap.

    The command line prints them without a traceback and exits with ``exit_code`` 2.
    """

    exit_code = 2

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        self.problem = Problem(*map(without_secrets, (message, where, hint)))
        super().__init__(str(self.problem))


class CheckpointError(CkptmapError):
    """A checkpoint cannot be found, is not one, or is damaged."""


class MissingDataError(CheckpointError):
    """A file of a checkpoint is not there, or only a Git-LFS pointer to it."""


class NoSuchVariableError(CheckpointError, KeyError):
    """A checkpoint holds no variable of this name: a KeyError too, as of every mapping."""

    def __str__(self) -> str:
        return str(self.problem)


class OutputError(CkptmapError):
    """The output cannot be written where it was asked for."""


class BusyError(OutputError):
    """Another run is writing there; it can be written to when that has ended."""


class TargetError(CkptmapError):
    """The target is unknown, or does not say enough about the model."""


class ConfigError(CkptmapError):
    """A pipeline.config cannot be read or migrated."""


class VerificationError(CkptmapError):
    """What was written is not what was meant."""

    exit_code = 3


class ProblemsError(CkptmapError):
    """Several problems found together; ``problems`` holds each, ``summary`` says what they are about."""

    def __init__(self, message: str, problems: Iterable[Problem]) -> None:
        self.summary = message
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{message}\n{lines}" if lines else message)


class PatternError(ProblemsError):
    """A pattern that shall choose variables chooses none: whatever was asked of them would pass for nothing."""


class TableError(ProblemsError):
    """A mapping table has mistakes: file and line with each."""


class PlanError(ProblemsError):
    """A plan has conflicts: two variables for one target, a shape that does not fit, and the like."""
