"""What a run that reads no value says of data files that are not there."""

from __future__ import annotations

from typing import Protocol

from ckptmap.basics.errors import MissingDataError
from ckptmap.basics.wording import argument


class HasData(Protocol):
    """A checkpoint, or several as one."""

    def refuse_absent_data(self) -> None:
        """Raises where a data file is missing, something else, or too short."""


def refuse_unless_whole(checkpoint: HasData, *, index_suffices: bool) -> None:
    """Refuses a checkpoint whose data files are not all there.

    ``index_suffices``: the run writes nothing, so the error names the argument that takes the index alone.

    Raises:
        CheckpointError: a data file is missing, something else, or too short for the index.
    """
    try:
        checkpoint.refuse_absent_data()
    except MissingDataError as error:
        if not index_suffices:
            raise
        problem = error.problem
        hint = f"{problem.hint}; {argument('index_only')} looks at the index alone".removeprefix("; ")
        raise MissingDataError(problem.message, where=problem.where, hint=hint) from error
